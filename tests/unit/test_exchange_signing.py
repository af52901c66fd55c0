"""Signed requests carry what the exchange verifies, and the key shows up nowhere else."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import AuthenticationFailed
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.signing import read_signer
from kalshi_pipeline.settings import Settings, SettingsError

pytestmark = pytest.mark.unit

ROOT = "https://exchange.test/trade-api/v2"
KEY_ID = "5d2a6f9e-key-of-a-test"
NOW = 1_795_000_000.5

RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any, password: bytes | None = None) -> bytes:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))


@pytest.fixture
def key_file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes, mode: int = 0o600) -> Path:
        path = tmp_path / "key.pem"
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


def signed_requests(path: Path, *asked: str, status: int = 200) -> list[httpx.Request]:
    """The requests that a client with the key of ``path`` sends."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, json={"series": {}})

    signer = read_signer(KEY_ID, path)
    signer._clock = lambda: NOW
    with KalshiClient(
        ROOT, pace=Pace(1_000_000), auth=signer, http=httpx.MockTransport(answer), sleep=lambda _: None
    ) as client:
        for one in asked:
            client.get(one, {"limit": 5}, holds="series")
    return seen


def verify(key: Any, request: httpx.Request, text: str) -> None:
    """Check the signature with the public key alone.

    Raises:
        InvalidSignature: it is not of this text by this key.
    """
    signature = base64.b64decode(request.headers["KALSHI-ACCESS-SIGNATURE"], validate=True)
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        key.public_key().verify(signature, text.encode(), scheme, hashes.SHA256())
    else:
        key.public_key().verify(signature, text.encode())


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["RSA-PSS", "Ed25519"])
def test_time_method_and_path_are_signed_without_host_and_query(key: Any, key_file: Callable[..., Path]) -> None:
    (request,) = signed_requests(key_file(pem(key)), "/markets/KXCPI-26JUN-T0.3")
    assert request.headers["KALSHI-ACCESS-KEY"] == KEY_ID
    assert request.headers["KALSHI-ACCESS-TIMESTAMP"] == "1795000000500"
    verify(key, request, "1795000000500GET/trade-api/v2/markets/KXCPI-26JUN-T0.3")
    for other in (
        "1795000000500GET/trade-api/v2/markets/KXCPI-26JUN-T0.3?limit=5",
        "1795000000500GET/markets/KXCPI-26JUN-T0.3",
        "1795000000501GET/trade-api/v2/markets/KXCPI-26JUN-T0.3",
    ):
        with pytest.raises(InvalidSignature):
            verify(key, request, other)


def test_an_rsa_key_in_its_older_form_is_read(key_file: Callable[..., Path]) -> None:
    older = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (request,) = signed_requests(key_file(older), "/series")
    verify(RSA, request, "1795000000500GET/trade-api/v2/series")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_can_reach_is_refused_with_the_remedy(mode: int, key_file: Callable[..., Path]) -> None:
    path = key_file(pem(ED25519), mode)
    with pytest.raises(SettingsError, match=rf"open to others \(mode {mode:o}\); run: chmod 600"):
        read_signer(KEY_ID, path)


def test_a_key_that_only_its_owner_reads_is_taken(key_file: Callable[..., Path]) -> None:
    assert repr(read_signer(KEY_ID, key_file(pem(RSA), 0o400))) == "RequestSigner(RSA)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", "holds no private key in PEM form"),
        (b"", "holds no private key in PEM form"),
        (pem(ED25519, b"open sesame"), "is locked with a password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
    ],
    ids=["no key", "empty", "locked", "another kind"],
)
def test_a_file_without_a_usable_key_is_one_sentence_that_quotes_none_of_it(
    content: bytes, reason: str, key_file: Callable[..., Path]
) -> None:
    path = key_file(content)
    with pytest.raises(SettingsError, match=reason) as caught:
        read_signer(KEY_ID, path)
    assert str(path) in str(caught.value)
    said = "".join(traceback.format_exception(caught.value))
    assert not any(line in said for line in content.decode().splitlines())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.pem \(KALSHI_KEY_FILE\) cannot be read: No such file"):
        read_signer(KEY_ID, tmp_path / "nothing.pem")
    with pytest.raises(SettingsError, match=r"holds no private key|open to others"):
        read_signer(KEY_ID, tmp_path)


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["RSA-PSS", "Ed25519"])
def test_no_log_repr_or_error_shows_the_key_or_a_signature(
    key: Any, key_file: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = key_file(pem(key))
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AuthenticationFailed) as refused:
        signed_requests(path, "/series", status=401)
    (request,) = signed_requests(path, "/series")
    signer = read_signer(KEY_ID, path)
    settings = replace(Settings(), key_id=KEY_ID, key_file=path)
    with KalshiClient(ROOT, pace=Pace(1), auth=signer) as client:
        shown = [repr(client), repr(signer), str(vars(client)), repr(settings), caplog.text]
    shown += traceback.format_exception(refused.value)
    secrets = [*pem(key).decode().split("\n")[1:-2], request.headers["KALSHI-ACCESS-SIGNATURE"], KEY_ID]
    assert caplog.records, "nothing was logged, so nothing was tested"
    assert [secret for secret in secrets for text in shown if secret in text] == []


def test_a_signer_cannot_be_written_down(key_file: Callable[..., Path]) -> None:
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(read_signer(KEY_ID, key_file(pem(ED25519))))
