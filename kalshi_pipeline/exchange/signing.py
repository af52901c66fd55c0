"""Signing requests with a key of an account, where the user has one; market data needs none.

Kalshi's scheme: the time in milliseconds, the method and the path (with the API's root, without query) are signed with
RSA-PSS (SHA-256, salt as long as the digest) or with Ed25519, whichever the key is. The key is read from its file and
kept in this object alone: it is in no log, no repr, no command line and no metadata. Not here: which file
(``settings``).
"""

from __future__ import annotations

import base64
import os
import stat
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kalshi_pipeline.settings import SettingsError

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class RequestSigner(httpx.Auth):
    """Adds the three headers of a signed request to every attempt, with the time of that attempt.

    Args:
        key_id: identifier of the key, as the exchange shows it.
        key: the private key.
        clock: seconds since the epoch; the exchange refuses times that are half a minute old.
    """

    def __init__(self, key_id: str, key: PrivateKey, clock: Callable[[], float] = time.time) -> None:
        self._key_id = key_id
        self._key = key
        self._clock = clock

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'RSA' if isinstance(self._key, RSAPrivateKey) else 'Ed25519'})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one attempt."""
        timestamp = str(int(self._clock() * 1000))
        path = request.url.raw_path.partition(b"?")[0]
        signature = self._sign(timestamp.encode() + request.method.upper().encode() + path)
        request.headers["KALSHI-ACCESS-KEY"] = self._key_id
        request.headers["KALSHI-ACCESS-TIMESTAMP"] = timestamp
        request.headers["KALSHI-ACCESS-SIGNATURE"] = base64.b64encode(signature).decode()
        yield request

    def _sign(self, text: bytes) -> bytes:
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(text)
        padding = PSS(mgf=MGF1(hashes.SHA256()), salt_length=PSS.DIGEST_LENGTH)
        return self._key.sign(text, padding, hashes.SHA256())


def read_signer(key_id: str, key_file: Path) -> RequestSigner:
    """The signer for a key in a PEM file that only its owner can read.

    Raises:
        SettingsError: the file is missing, open to others, or holds no key that the exchange takes.
    """
    try:
        mode = key_file.stat().st_mode
        text = key_file.read_bytes() if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise SettingsError(f"The key file {key_file} (KALSHI_KEY_FILE) cannot be read: {error.strerror}.") from None
    if os.name == "posix" and mode & _OTHERS:
        raise SettingsError(
            f"The key file {key_file} is open to others (mode {stat.S_IMODE(mode):o}); run: chmod 600 {key_file}"
        )
    try:
        key = load_pem_private_key(text, password=None)
    except TypeError:
        raise SettingsError(
            f"The key file {key_file} is locked with a password; store the key without one, readable by you alone."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"The key file {key_file} holds no private key in PEM form.") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise SettingsError(f"The key file {key_file} holds a key that is neither RSA nor Ed25519; Kalshi takes these.")
    return RequestSigner(key_id, key)
