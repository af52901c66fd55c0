"""Which staged rows break the table's pandera schema, row by row and all at once.

Every row is held against the schema's rules as SQL conditions, which is fast; the schema itself then sees the rows
that break one, and says what is wrong with them. It sees a projection of them as pandas frames, a bounded number of
rows at a time; what is written afterwards are the staged rows themselves, so no value passes through the projection.
Keys, partitions and structure concern more than one row and are checked in ``writing``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pandas as pd
import pandera.errors
import pandera.pandas as pa
import pyarrow

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.rules import broken_row
from kalshi_pipeline.warehouse.sql import identifier
from kalshi_pipeline.warehouse.staging import ROW_FAULT, STAGED, types_of

#: Rows per frame: bounds the memory of a validation whatever the size of the partition.
CHUNK_ROWS = 250_000

#: Temporary table of the faulty rows: their row id in the staged table and everything wrong with them.
FAULTS = "staged_faults"

#: Temporary view of the rows without a fault; of staged ones it has ``row_id``, their row id in the staged table.
SOUND = "sound_rows"
_ALL_STAGED = f"SELECT *, rowid AS row_id FROM {STAGED}"
_SOUND_OF_STAGED = f"{_ALL_STAGED} WHERE rowid NOT IN (SELECT row_id FROM {FAULTS})"

_DTYPES: dict[pyarrow.DataType, Any] = {
    pyarrow.int32(): pd.Int64Dtype(),
    pyarrow.int64(): pd.Int64Dtype(),
    pyarrow.bool_(): pd.BooleanDtype(),
}


def collect_faults(con: duckdb.DuckDBPyConnection, table: Table, *, enough: int) -> None:
    """Fill :data:`FAULTS` with the staged rows that could not be read or break the schema.

    Stops early once more than ``enough`` rows are known to be faulty: the write is refused in any case.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {FAULTS} AS "
        f"SELECT rowid AS row_id, {ROW_FAULT} AS reason FROM {STAGED} WHERE {ROW_FAULT} IS NOT NULL"
    )
    faulty = sum(fault_reasons(con).values())
    schema = table.frame_schema
    schema.unique = None
    after = -1
    while faulty <= enough:
        frame = _suspects(con, table, after)
        if frame.empty:
            return
        reasons = _broken(schema, frame)
        if reasons:
            faulty += len(reasons)
            con.executemany(f"INSERT INTO {FAULTS} VALUES (?, ?)", list(reasons.items()))
        after = frame.index[-1]


@contextmanager
def sound_rows(con: duckdb.DuckDBPyConnection, relation: str | None = None) -> Iterator[None]:
    """Show sound rows as :data:`SOUND` for the length of a ``with`` block: all of a relation, or else of the staged."""
    staged = _SOUND_OF_STAGED if not relation and fault_reasons(con) else _ALL_STAGED
    con.execute(f"CREATE OR REPLACE TEMP VIEW {SOUND} AS {f'FROM {relation}' if relation else staged}")
    yield
    # Not on the way out of an exception: the transaction that created the view is then rolled back.
    con.execute(f"DROP VIEW {SOUND}")


def sound_as_it_is(con: duckdb.DuckDBPyConnection, table: Table, relation: str) -> bool:
    """Whether a relation holds the table's columns in the table's types, and no row of it breaks the schema.

    Such rows can be written from where they are. NaN counts as broken: staging makes it NULL.
    """
    stated = {name: table.sql_type(name) for name in table.columns}
    return (
        types_of(con, relation) == stated
        and not con.execute(f"SELECT count(*) FROM {relation} WHERE {broken_row(table)}").fetchall()[0][0]
    )


def fault_reasons(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Faulty rows found so far, counted by everything wrong with them, the most frequent first."""
    return dict(
        con.execute(f"SELECT reason, count(*) AS n FROM {FAULTS} GROUP BY reason ORDER BY n DESC, reason").fetchall()
    )


def _suspects(con: duckdb.DuckDBPyConnection, table: Table, after: int) -> pd.DataFrame:
    """The next rows that break a rule, by row id."""
    columns = ", ".join(_projected(identifier(name), table.sql_type(name)) for name in table.columns)
    arrow = con.sql(
        f"SELECT rowid AS row_id, {columns} FROM {STAGED} "
        f"WHERE rowid > {after} AND {ROW_FAULT} IS NULL AND ({broken_row(table)}) ORDER BY rowid LIMIT {CHUNK_ROWS}"
    ).to_arrow_table()
    frame: pd.DataFrame = arrow.drop_columns("row_id").to_pandas(types_mapper=_DTYPES.get)
    return frame.set_axis(arrow["row_id"].to_numpy(), axis="index")


def _projected(name: str, sql_type: str) -> str:
    """The column in a type that has an exact pandas counterpart; only decimals lose digits, and only here."""
    exact = {"DATE": "TIMESTAMP", "JSON": "VARCHAR"}
    frame_type = "DOUBLE" if sql_type.startswith("DECIMAL") else exact.get(sql_type, sql_type)
    return f"{name}::{frame_type} AS {name}"


def _broken(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> dict[int, str]:
    """Row id -> everything wrong with the row, as ``column: check``."""
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        found: defaultdict[int, list[str]] = defaultdict(list)
        for case in error.failure_cases.itertuples():
            if pd.isna(case.index):
                raise TypeError(f"{schema.name}: {case.column or ''} {case.check} concerns no single row.") from error
            found[int(case.index)].append(f"{case.column}: {case.check}")
        return {row: "; ".join(reasons) for row, reasons in found.items()}
    return {}
