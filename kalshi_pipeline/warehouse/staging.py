"""A staged copy of incoming rows: the table's columns in the table's types, with a fault where a value will not fit.

Rows come from relations (a view over landed files, a registered Arrow table) and are copied once into a table of their
own, from which they are validated and inserted; decimals never pass through a binary fraction. NaN becomes NULL here.
Whether the values are acceptable is ``validation``'s question.

That table is a temporary one of the writing transaction, or, for loads of any size, one in a database in memory that a
second connection fills and commits: DuckDB reads what a transaction has yet to commit with one thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import identifier, packed

#: What the writing connection reads the staged rows from, by ``rowid``: the table's columns and the two below.
STAGED = "staged_rows"
#: What is wrong with a row that could not be read; incoming relations may bring it along.
ROW_FAULT = "row_fault"
#: The row as it came, as JSON, where it could not be read; incoming relations may bring it along.
ROW_SOURCE = "row_source"

_SHORT = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}
_FLOATS = ("FLOAT", "DOUBLE")


class StructureFault(ValueError):
    """The incoming relation has not the table's columns; the message names them."""


@contextmanager
def staged_copy(
    source: duckdb.DuckDBPyConnection, table: Table, relations: Iterable[str], *, apart: bool = False
) -> Iterator[str]:
    """Hold the rows of the relations for the length of a ``with`` block.

    Args:
        source: the connection that knows the relations.
        table: the table the rows are for.
        relations: names that ``source`` knows, at least one; each is asked for when the one before it has been copied.
        apart: whether ``source`` is another connection than the one that writes, and outside a transaction.

    Yields:
        The name of the table that holds them, for ``source`` and for :func:`shown`.

    Raises:
        StructureFault: a column is missing or unknown.
    """
    if not apart:
        _fill(source, table, relations, STAGED, "CREATE OR REPLACE TEMP TABLE")
        yield STAGED
        # Not on the way out of an exception: the transaction that created the table is then rolled back.
        source.execute(f"DROP TABLE {STAGED}")
        return
    # A name of its own: within its transaction the writing connection keeps to what it has seen under a name.
    database = f"staging_{uuid4().hex}"
    source.execute(f"ATTACH ':memory:' AS {database} (READ_WRITE)")
    try:
        source.begin()
        _fill(source, table, relations, f"{database}.{STAGED}", "CREATE TABLE")
        yield f"{database}.{STAGED}"
    finally:
        with suppress(duckdb.TransactionException):
            source.rollback()
        source.execute(f"DETACH {database}")


@contextmanager
def shown(con: duckdb.DuckDBPyConnection, source: duckdb.DuckDBPyConnection, held: str) -> Iterator[None]:
    """Let the writing connection read what ``source`` holds, and changes no more, by the name :data:`STAGED`."""
    if held == STAGED:
        yield
        return
    source.commit()
    con.execute(f"CREATE OR REPLACE TEMP VIEW {STAGED} AS SELECT *, rowid FROM {held}")
    try:
        yield
    finally:
        # A statement that failed has ended the transaction, and the view with it.
        with suppress(duckdb.TransactionException):
            con.execute(f"DROP VIEW {STAGED}")


def _fill(source: duckdb.DuckDBPyConnection, table: Table, relations: Iterable[str], held: str, create: str) -> None:
    put = f"{create} {held} AS"
    for relation in relations:
        types = types_of(source, relation)
        _require_columns(table, types)
        source.execute(f"{put} {_query(table, relation, types)}")
        put = f"INSERT INTO {held}"


def types_of(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The type of every column of a relation, as tables state it."""
    described = con.execute(f"DESCRIBE {relation}").fetchall()
    return {name: _SHORT.get(str(type_), str(type_)) for name, type_, *_ in described}


def _require_columns(table: Table, types: dict[str, str]) -> None:
    incoming = set(types) - {ROW_FAULT, ROW_SOURCE}
    missing = [name for name in table.columns if name not in incoming]
    unknown = sorted(incoming - set(table.columns))
    faults = [f"missing columns {missing}"] * bool(missing) + [f"unknown columns {unknown}"] * bool(unknown)
    if faults:
        raise StructureFault(" and ".join(faults))


def _query(table: Table, relation: str, types: dict[str, str]) -> str:
    values, faults, misfits = [], [ROW_FAULT] if ROW_FAULT in types else [], []
    for name in table.columns:
        value, misfit = _converted(identifier(name), types[name], table.sql_type(name))
        values.append(f"{value} AS {identifier(name)}")
        if misfit:
            misfits.append(f"({misfit[0]})")
            faults.append(f"CASE WHEN {misfit[0]} THEN '{name}: {misfit[1]}' END")
    served = f"{ROW_SOURCE}::JSON" if ROW_SOURCE in types else "NULL"
    # Nearly every row is sound: what is wrong is put into words only where one plain condition says that something is.
    faulty = " OR ".join([f"{ROW_FAULT} IS NOT NULL"] * (ROW_FAULT in types) + misfits) or "FALSE"
    return (
        f"SELECT {', '.join(values)}, CASE WHEN {faulty} THEN {_joined(faults)} END AS {ROW_FAULT}, "
        f"CASE WHEN {faulty} THEN coalesce({served}, to_json({packed(table.columns)})) END AS {ROW_SOURCE} "
        f"FROM {relation}"
    )


def _joined(faults: list[str]) -> str:
    """All faults of a row as one text, NULL where there is none."""
    if len(faults) < 2:
        return faults[0] if faults else "NULL::VARCHAR"
    return f"nullif(concat_ws('; ', {', '.join(faults)}), '')"


def _converted(name: str, given: str, wanted: str) -> tuple[str, tuple[str, str] | None]:
    """The column's value in the wanted type, NaN as NULL, and when and how it fails to be one."""
    plain = f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END" if given in _FLOATS else name
    value = plain if given == wanted else f"TRY_CAST({plain} AS {wanted})"
    misfits = [] if given == wanted else [f"({plain} IS NOT NULL AND {value} IS NULL)"]
    if wanted == "DOUBLE":
        misfits.append(f"isinf({value})")
    if wanted == "DOUBLE[]":
        misfits.append(f"len(list_filter({value}, lambda x: isinf(x))) > 0")
        value = f"list_transform({value}, lambda x: CASE WHEN isnan(x) THEN NULL ELSE x END)"
    what = "finite" if wanted.startswith("DOUBLE") else f"a {wanted}"
    return value, (" OR ".join(misfits), f"not {what}") if misfits else None
