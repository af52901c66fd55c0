"""Landed files as a relation: one row per response, its body read with an explicit schema.

A landed file is gzip, one JSON envelope a line with the body embedded. What a body becomes belongs to the loader of
its dataset.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from kalshi_pipeline.warehouse.envelopes import stated_bytes

#: The envelope fields that loaders use.
_ENVELOPE = {
    "run_id": "VARCHAR",
    "unit_id": "VARCHAR",
    "status": "INTEGER",
    "received_at": "VARCHAR",
    "context": "STRUCT(series_ticker VARCHAR, tickers VARCHAR[], tier VARCHAR, period_minutes INTEGER, "
    "quote_kind VARCHAR)",
}

#: Least size of the reader's buffers, of which each thread has some, and the size of a file up to which it is taken for
#: the length of its longest line.
_BUFFER_BYTES, _SMALL_FILE_BYTES = 1 << 20, 8 << 20


def responses(files: Sequence[Path], body: str) -> str:
    """SQL for the successful responses in the files: run_id, unit_id, received_at, context and body.

    Args:
        files: landed files; there may be none.
        body: DuckDB type of the body; fields it does not name are left out, absent ones are NULL.
    """
    types = {**_ENVELOPE, "body": body}
    return (
        "SELECT run_id, unit_id, received_at::TIMESTAMPTZ AS received_at, context, body "
        f"FROM {_reader(files, types) if files else _nothing(types)} WHERE status = 200"
    )


def struct(fields: Mapping[str, str]) -> str:
    """A STRUCT type."""
    return f"STRUCT({', '.join(f'{name} {type_}' for name, type_ in fields.items())})"


def _reader(files: Sequence[Path], types: Mapping[str, str]) -> str:
    paths = ", ".join(_literal(str(path)) for path in files)
    columns = ", ".join(f"{name}: {_literal(type_)}" for name, type_ in types.items())
    return (
        f"read_json([{paths}], columns = {{{columns}}}, format = 'newline_delimited', compression = 'gzip', "
        f"maximum_object_size = {max(_BUFFER_BYTES, *map(_longest_line, files))})"
    )


def _longest_line(file: Path) -> int:
    """No line of a gzip file is longer than this; a large file holds many, so its lines are measured."""
    if (plain := stated_bytes(file)) <= _SMALL_FILE_BYTES:
        return plain
    with gzip.open(file) as lines:
        return max(map(len, lines))


def _nothing(types: Mapping[str, str]) -> str:
    return f"(SELECT {', '.join(f'NULL::{type_} AS {name}' for name, type_ in types.items())} WHERE FALSE)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
