"""The first rows of a table, short enough to be kept with every materialisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from kalshi_pipeline.warehouse.sql import identifiers, on_days

#: Rows, columns, and characters of a value that a preview holds at most.
ROWS, COLUMNS, CHARACTERS = 5, 8, 32
#: The column by which every table in daily partitions says which day a row belongs to.
_DAY = "partition_date"


@dataclass(frozen=True)
class Preview:
    """The first rows of a table as text.

    Attributes:
        columns: names of the columns shown, the first of the table.
        rows: one text a column; ``NULL`` where a value is missing.
        left_out: how many more columns the table has.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def preview(con: duckdb.DuckDBPyConnection, table: str, days: Sequence[date] = ()) -> Preview:
    """Read the first rows of ``schema.table`` in the order they are stored in.

    Args:
        con: a connection to the warehouse.
        table: the table or view.
        days: partitions whose rows are meant; those of all days, where none are named or the table has no partitions.
    """
    schema, _, name = table.partition(".")
    found = con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [schema, name],
    ).fetchall()
    columns = tuple(column for (column,) in found)
    shown = columns[:COLUMNS]
    meant = on_days(_DAY, days) if days and _DAY in columns else "TRUE"
    rows = con.execute(f'SELECT {identifiers(shown)} FROM "{schema}"."{name}" WHERE {meant} LIMIT {ROWS}').fetchall()
    return Preview(shown, tuple(tuple(_text(value) for value in row) for row in rows), len(columns) - len(shown))


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    text = value.isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else str(value)
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"
