"""Tables of the warehouse as Parquet or CSV files, one per month, each replaced as a whole.

Only marts and research tables are given away; a name is looked up among them, never put into a statement as it came.
A table with daily partitions becomes ``<folder>/<schema>/<table>/month=2026-06/data.parquet`` and so on, any other one
``<folder>/<schema>/<table>/data.parquet``: the layout that DuckDB, pandas and Arrow read as one table.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from kalshi_pipeline.warehouse.errors import UnknownTable, WarehouseError

#: The schemas whose tables may be exported.
SCHEMAS = ("marts", "research")
_DAY = "partition_date"
#: The month of rows without a day, in the word that readers of such folders take for a missing value.
_UNDATED = "__HIVE_DEFAULT_PARTITION__"
_INCOMING = ".incoming"


class Form(StrEnum):
    """The kinds of file."""

    PARQUET = "parquet"
    CSV = "csv"


_OPTIONS: Mapping[Form, str] = {Form.PARQUET: "FORMAT parquet, COMPRESSION zstd", Form.CSV: "FORMAT csv, HEADER"}


@dataclass(frozen=True)
class Exported:
    """What an export of one table did.

    Attributes:
        table: ``schema.table``.
        rows: rows of the table, those of unchanged files included.
        months: content of every file by its month (``None`` where the table has no months), as a short fingerprint.
        written: files that were written, in order.
        removed: files whose month the table no longer has.
    """

    table: str
    rows: int
    months: Mapping[str | None, str]
    written: tuple[Path, ...]
    removed: tuple[Path, ...]


def exportable_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """``schema.table`` of everything that may be exported, in order."""
    found = con.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND list_contains($schemas, schema_name) "
        "UNION SELECT schema_name || '.' || view_name FROM duckdb_views() "
        "WHERE database_name = current_database() AND list_contains($schemas, schema_name) ORDER BY 1",
        {"schemas": list(SCHEMAS)},
    ).fetchall()
    return [name for (name,) in found]


def export_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    folder: Path,
    *,
    form: Form = Form.PARQUET,
    known: Mapping[str | None, str] | None = None,
) -> Exported:
    """Write a table's files, each beside the old one first and then in its place.

    A reader sees an old file or a new one, never half of one; the files of several months change one after the other.

    Args:
        con: an open warehouse; reading suffices.
        table: ``schema.table``.
        folder: where the files go; made if need be.
        form: kind of file.
        known: fingerprints by month of an earlier export into this folder; what has not changed is left alone.

    Raises:
        UnknownTable: the warehouse gives away no table of that name.
        WarehouseError: the folder is a file, or cannot be written.
    """
    tables = exportable_tables(con)
    if table not in tables:
        raise UnknownTable(f"No table {table!r} to export; there are {', '.join(tables) or 'none yet'}.")
    schema, _, name = table.partition(".")
    months = _months(con, schema, name)
    target = folder / schema / name
    written, fingerprints = [], {}
    with _incoming(folder) as incoming:
        for month, (_, fingerprint) in months.items():
            file = _file(target, month, form)
            fingerprints[month] = fingerprint
            if known is not None and known.get(month) == fingerprint and file.exists():
                continue
            part = incoming / uuid.uuid4().hex
            condition, values = _of_month(month)
            con.execute(
                f'COPY (FROM "{schema}"."{name}" WHERE {condition}) TO $path ({_OPTIONS[form]})',
                {**values, "path": str(part)},
            )
            file.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, file)
            written.append(file)
    removed = _remove_others(target, {_file(target, month, form) for month in months}, form)
    return Exported(table, sum(rows for rows, _ in months.values()), fingerprints, tuple(written), removed)


def _months(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> dict[str | None, tuple[int, str]]:
    """Rows and a fingerprint of every month; a table without days has one entry, under ``None``, even when empty."""
    columns = [
        str(column)
        for (column,) in con.execute(
            "SELECT column_name FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
            [schema, name],
        ).fetchall()
    ]
    row = "hash(" + ", ".join(f'"{column}"' for column in columns) + ")"
    month = f"coalesce(strftime({_DAY}, '%Y-%m'), '{_UNDATED}')" if _DAY in columns else "NULL"
    found = con.execute(
        f"SELECT {month} AS month, count(*), bit_xor({row}), sum({row}::HUGEINT) "
        f'FROM "{schema}"."{name}" GROUP BY month ORDER BY month'
    ).fetchall()
    said = f"{duckdb.__version__} {','.join(columns)}"
    empty = {} if _DAY in columns else {None: (0, f"{said} empty")}
    return empty | {month: (count, f"{said} {count} {mixed} {total}") for month, count, mixed, total in found}


def _of_month(month: str | None) -> tuple[str, dict[str, str]]:
    if month is None:
        return "TRUE", {}
    if month == _UNDATED:
        return f"{_DAY} IS NULL", {}
    first = f"{month}-01"
    return f"{_DAY} >= $first::DATE AND {_DAY} < $first::DATE + INTERVAL 1 MONTH", {"first": first}


def _file(target: Path, month: str | None, form: Form) -> Path:
    return (target / f"month={month}" if month else target) / f"data.{form}"


def _remove_others(target: Path, wanted: set[Path], form: Form) -> tuple[Path, ...]:
    others = sorted({*target.glob(f"data.{form}"), *target.glob(f"month=*/data.{form}")} - wanted)
    for file in others:
        file.unlink()
        with suppress(OSError):  # a folder that still holds files of another form stays
            file.parent.rmdir()
    return tuple(others)


@contextmanager
def _incoming(folder: Path) -> Iterator[Path]:
    """A folder for files on their way in, on the same file system; gone afterwards."""
    incoming = folder / _INCOMING / uuid.uuid4().hex
    try:
        incoming.mkdir(parents=True)
    except OSError as error:
        raise WarehouseError(f"{folder} cannot take an export: {error.strerror}; name a folder.") from error
    try:
        yield incoming
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
        with suppress(OSError):  # another export is under way
            incoming.parent.rmdir()
