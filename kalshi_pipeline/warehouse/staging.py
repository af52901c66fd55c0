"""A staged copy of incoming rows: the table's columns in the table's types, with a fault where a value will not fit.

Rows come from a relation (a view over landed files, a registered Arrow table) and are copied once into a temporary
table, from which they are validated and inserted; decimals never pass through a binary fraction. NaN becomes NULL
here. Whether the values are acceptable is ``validation``'s question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from kalshi_pipeline.schemas.table import Table

#: Temporary table that holds the staged rows: the table's columns and the two below.
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
def staged_copy(con: duckdb.DuckDBPyConnection, table: Table, relation: str) -> Iterator[None]:
    """Hold the relation's rows in :data:`STAGED` for the length of a ``with`` block.

    Raises:
        StructureFault: a column is missing, unknown, or of a type that has no conversion to the table's.
    """
    described = con.execute(f"DESCRIBE {relation}").fetchall()
    types = {name: _SHORT.get(str(type_), str(type_)) for name, type_, *_ in described}
    _require_columns(table, types)
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS {_query(table, relation, types)}")
    except duckdb.BinderException as error:
        raise StructureFault(f"a column cannot be converted to its type: {error}") from error
    yield
    # Not on the way out of an exception: the transaction that created the table is then rolled back.
    con.execute(f"DROP TABLE {STAGED}")


def _require_columns(table: Table, types: dict[str, str]) -> None:
    incoming = set(types) - {ROW_FAULT, ROW_SOURCE}
    missing = [name for name in table.columns if name not in incoming]
    unknown = sorted(incoming - set(table.columns))
    faults = [f"missing columns {missing}"] * bool(missing) + [f"unknown columns {unknown}"] * bool(unknown)
    if faults:
        raise StructureFault(" and ".join(faults))


def _query(table: Table, relation: str, types: dict[str, str]) -> str:
    cast, faults = [], [ROW_FAULT] if ROW_FAULT in types else []
    for name in table.columns:
        value, misfit = _converted(name, types[name], table.sql_type(name))
        cast.append(f"{value} AS {name}")
        if misfit:
            faults.append(f"CASE WHEN {misfit[0]} THEN '{name}: {misfit[1]}' END")
    # concat_ws skips NULLs; no fault at all is the empty string.
    fault = f"nullif(concat_ws('; ', {', '.join(faults)}), '')" if faults else "NULL::VARCHAR"
    source = f"{ROW_SOURCE}::JSON" if ROW_SOURCE in types else "NULL::JSON"
    as_it_came = f"struct_pack({', '.join(f'{name} := {name}' for name in table.columns)})"
    return (
        f"SELECT {', '.join(cast)}, {fault} AS {ROW_FAULT}, "
        f"CASE WHEN {ROW_FAULT} IS NOT NULL THEN coalesce({source}, to_json({as_it_came})) END AS {ROW_SOURCE} "
        f"FROM {relation}"
    )


def _converted(name: str, given: str, wanted: str) -> tuple[str, tuple[str, str] | None]:
    """The column's value in the wanted type, and when and how it fails to be one."""
    value = f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END" if given in _FLOATS else name
    if wanted == "DOUBLE[]":
        value = f"list_transform({name}::DOUBLE[], lambda x: CASE WHEN isnan(x) THEN NULL ELSE x END)"
        return value, (f"len(list_filter({name}::DOUBLE[], lambda x: isinf(x))) > 0", "not finite")
    if given == wanted:
        return value, (f"isinf({name})", "not finite") if wanted == "DOUBLE" else None
    converted = f"TRY_CAST({value} AS {wanted})"
    misfit = f"{value} IS NOT NULL AND {converted} IS NULL"
    if wanted == "DOUBLE":
        return converted, (f"coalesce(isinf({converted}), {misfit})", "not a finite number")
    return converted, (misfit, f"not a {wanted}")
