"""Landed files read once, for a load and the drift scan together, a bounded number of bytes at a time.

Responses of the known form become Arrow arrays, decoded by threads. What differs from it is counted and set apart for
the reader that takes every form (``landed``). Not here: what becomes of the arrays (the loader of the dataset).
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa

from kalshi_pipeline.schemas.wire import ANSWERS, WireObject
from kalshi_pipeline.warehouse.drift import DriftReport
from kalshi_pipeline.warehouse.envelopes import LandedResponse, read_responses
from kalshi_pipeline.warehouse.known_form import decode_known
from kalshi_pipeline.warehouse.loaders.ahead import ahead

#: Bytes of bodies that are decoded together, at most how many threads do so, and how many such chunks more than threads
#: may wait to be used: all three bound the memory of a load.
CHUNK_BYTES, MOST_THREADS, AHEAD = 6 << 20, 4, 4

#: What the known reader keeps of an envelope's context.
CONTEXT = pa.struct([("tier", pa.string()), ("period_minutes", pa.int32()), ("quote_kind", pa.string())])


@dataclass(frozen=True)
class KnownResponses:
    """Responses of one tier, all of the known form.

    Attributes:
        tier: the tier that served them.
        bodies: one struct a response, in the fields of the form.
        envelopes: of each response: unit_id, received_at and context.
    """

    tier: str
    bodies: pa.StructArray
    envelopes: pa.Table


@dataclass(frozen=True)
class _Chunk:
    form: type[WireObject]
    tier: str
    responses: Sequence[LandedResponse]


@dataclass(frozen=True)
class _Decoded:
    tier: str
    known: pa.Table | None
    others: Sequence[LandedResponse]
    drift: DriftReport


class Apart:
    """Lines set apart in landed files of about :data:`CHUNK_BYTES` each: a reader of one holds all of it in memory.

    Args:
        folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[bytes] = []
        self._size = 0
        self.files: list[Path] = []

    def add(self, lines: Iterable[bytes]) -> None:
        """Take in lines, and write those held once they are enough for a file."""
        for line in lines:
            self._held.append(line)
            self._size += len(line)
            if self._size >= CHUNK_BYTES:
                self.write()

    def write(self) -> None:
        """Write what is held."""
        if self._held:
            self.files.append(self._folder / f"{len(self.files)}.jsonl.gz")
            self.files[-1].write_bytes(gzip.compress(b"".join(self._held), compresslevel=1))
            self._held, self._size = [], 0


def read_known(
    dataset: str,
    files: Iterable[Path],
    drift: DriftReport,
    apart: Apart,
    arranged: Callable[[KnownResponses], pa.Table],
) -> Iterator[tuple[str, pa.Table]]:
    """Tier and content of the successful responses of known form, in about the order they landed.

    Reading and decoding go on while the caller is busy with what it was given.

    Args:
        dataset: landed dataset the files belong to.
        files: landed files.
        drift: where the responses are counted, and what differs about them.
        apart: where the lines of all other responses go.
        arranged: makes a table of responses; several threads call it.
    """
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        decoding = (pool.submit(_decoded, chunk, arranged) for chunk in _chunks(dataset, files))
        with closing(ahead(decoding, AHEAD + threads)) as pending:
            for future in pending:
                decoded = future.result()
                drift.add(decoded.drift)
                apart.add(line for _, line in decoded.others)
                if decoded.known:
                    yield decoded.tier, decoded.known
    apart.write()


def _chunks(dataset: str, files: Iterable[Path]) -> Iterator[_Chunk]:
    """Neighbouring responses of one tier, about :data:`CHUNK_BYTES` of them."""
    forms = ANSWERS[dataset]
    held: list[LandedResponse] = []
    tier, size = "", 0
    for response in (response for file in files for response in read_responses(file)):
        if held and (size >= CHUNK_BYTES or tier != response.envelope.tier):
            yield _Chunk(forms[tier], tier, held)
            held, size = [], 0
        tier = response.envelope.tier
        held.append(response)
        size += len(response.line)
    if held:
        yield _Chunk(forms[tier], tier, held)


def _decoded(chunk: _Chunk, arranged: Callable[[KnownResponses], pa.Table]) -> _Decoded:
    """The chunk as a table, and what of it does not fit the form."""
    if known := _known(chunk.tier, chunk.form, chunk.responses):
        return _Decoded(chunk.tier, arranged(known), (), DriftReport(len(chunk.responses)))
    drift = DriftReport()
    fitting: list[LandedResponse] = []
    others: list[LandedResponse] = []
    for response in chunk.responses:
        (fitting if drift.hold(response.envelope, chunk.form) else others).append(response)
    # What fits in all but Arrow's eyes (a number out of range, a field twice) is for the other reader as well.
    known = _known(chunk.tier, chunk.form, fitting) if others and fitting else None
    if known is None:
        return _Decoded(chunk.tier, None, chunk.responses, drift)
    return _Decoded(chunk.tier, arranged(known), others, drift)


def _known(tier: str, form: type[WireObject], responses: Sequence[LandedResponse]) -> KnownResponses | None:
    envelopes = [envelope for envelope, _ in responses]
    bodies = decode_known(form, [envelope.body for envelope in envelopes])
    if bodies is None:
        return None
    return KnownResponses(
        tier,
        bodies,
        pa.table(
            {
                "unit_id": pa.array([envelope.unit_id for envelope in envelopes], pa.string()),
                "received_at": pa.array([envelope.received_at for envelope in envelopes], pa.string()),
                "context": pa.array([msgspec.structs.asdict(envelope.context) for envelope in envelopes], CONTEXT),
            }
        ),
    )
