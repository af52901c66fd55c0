"""Landed files some bytes at a time, for SQL that reads whole files: what bounds the memory of a load.

DuckDB's reader holds up to 2,048 responses at once, and a response may have a thousand rows. Small files are read
together; a larger one is unpacked line by line into files that are small. Not here: the SQL (``landed``), and loads
that decode responses themselves (``single_pass``).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from kalshi_pipeline.warehouse.envelopes import read_responses, stated_bytes

#: Plain bytes of the responses that are read together; a response that is larger is read alone.
PART_BYTES = 6 << 20

#: Packed bytes up to which a file's own word on its plain bytes is taken: it counts them modulo 4 GiB.
_TRUSTED_BYTES = 2 << 20


@contextmanager
def landed_table(
    con: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path], rows: Callable[[Sequence[Path]], str]
) -> Iterator[None]:
    """Hold what a query makes of landed files in a temporary table, for the length of a ``with`` block.

    Args:
        con: a connection inside a transaction.
        name: the table.
        files: landed files; there may be none.
        rows: the query for some files; what it makes of a response must not depend on others.

    Raises:
        BrokenLanding: a file is cut off, or a large one cannot be read to its end.
    """
    put = f"CREATE OR REPLACE TEMP TABLE {name} AS"
    for part in in_parts(files):
        con.execute(f"{put} {rows(part)}")
        put = f"INSERT INTO {name}"
    yield
    # Not on the way out of an exception: the transaction that created the table is then rolled back.
    con.execute(f"DROP TABLE {name}")


def in_parts(files: Iterable[Path]) -> Iterator[Sequence[Path]]:
    """Files that hold all responses of the given ones, so many that each part can be read as a whole.

    A part is there until the next one is asked for. Without any response there is one part, of no files.
    """
    together: list[Path] = []
    held, parts = 0, 0
    for file in files:
        size = _plain_bytes(file)
        if together and (size is None or held + size > PART_BYTES):
            yield together
            together, held, parts = [], 0, parts + 1
        if size is not None:
            together.append(file)
            held += size
            continue
        for part in _unpacked(file):
            yield [part]
            parts += 1
    if together or not parts:
        yield together


def _plain_bytes(file: Path) -> int | None:
    """What a file holds unpacked, or ``None`` where that is more than a part."""
    plain = stated_bytes(file)
    return plain if plain <= PART_BYTES and file.stat().st_size <= _TRUSTED_BYTES else None


def _unpacked(file: Path) -> Iterator[Path]:
    """The lines of a large file in files of their own, one after the other under one name."""
    with TemporaryDirectory() as folder:
        part = Path(folder) / "part.jsonl.gz"
        held: list[bytes] = []
        size = 0
        for _, line in read_responses(file):
            if held and size + len(line) > PART_BYTES:
                part.write_bytes(gzip.compress(b"".join(held), compresslevel=1))
                yield part
                held, size = [], 0
            held.append(line)
            size += len(line)
        if held:
            part.write_bytes(gzip.compress(b"".join(held), compresslevel=1))
            yield part
