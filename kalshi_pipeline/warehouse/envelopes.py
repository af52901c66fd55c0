"""Landed files line by line: what every envelope says of its response, the body left as it came.

Not here: bodies (``known_form``, ``drift``), and the SQL that reads whole files (``loaders.landed``).
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

#: Plain bytes that are unpacked at a time.
_BUFFER_BYTES = 1 << 20

#: Bytes of a gzip file's head and foot: none is shorter.
_LEAST_BYTES = 18


class Context(msgspec.Struct, gc=False):
    """What a response is about, as far as readers need it."""

    tier: str | None = None
    period_minutes: int | None = None
    quote_kind: str | None = None


class Envelope(msgspec.Struct, gc=False):
    """Where, when and why a response was asked for, and its body."""

    status: int
    unit_id: str
    received_at: str
    context: Context
    body: msgspec.Raw

    @property
    def tier(self) -> str:
        """The tier that was asked; the live one where the envelope does not say."""
        return self.context.tier or "live"


class LandedResponse(NamedTuple):
    """A response and the line that holds it, its line break included."""

    envelope: Envelope
    line: bytes


_DECODER = msgspec.json.Decoder(Envelope)


class BrokenLanding(ValueError):
    """A landed file is not what landing writes; the message names it."""


def stated_bytes(file: Path) -> int:
    """What a landed file itself says that it holds unpacked: its plain bytes modulo 4 GiB.

    Raises:
        BrokenLanding: the file is too short to say so.
    """
    with file.open("rb") as packed:
        if packed.seek(0, io.SEEK_END) < _LEAST_BYTES:
            raise BrokenLanding(f"{file} cannot be read (it is cut off); remove it and land its days again.")
        packed.seek(-4, io.SEEK_END)
        return int.from_bytes(packed.read(4), "little")


def read_responses(file: Path) -> Iterator[LandedResponse]:
    """The successful responses in a landed file; memory holds one at a time.

    Raises:
        BrokenLanding: the file is empty or ends too early, or a line in it is no envelope.
    """
    # Python takes an empty file for empty content.
    stated_bytes(file)
    try:
        with gzip.open(file) as packed, io.BufferedReader(packed, _BUFFER_BYTES) as lines:
            for line in lines:
                envelope = _DECODER.decode(line)
                if envelope.status == 200:
                    yield LandedResponse(envelope, line)
    except (msgspec.DecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BrokenLanding(f"{file} cannot be read ({error}); remove it and land its days again.") from error
