"""Whether the tables that dbt built still have the shape that their contracts state.

DuckDB adds no constraint to a table that is there, and an incremental model keeps its table: a changed contract would
be skipped without a word. Here the contract, as dbt's manifest states it, is held against the catalogue of the file.
To compare like with like, DuckDB itself is asked to make an empty table of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from kalshi_pipeline.warehouse.errors import WarehouseError

_PROBE = "contract_probe"
#: Constraints that a table of its own cannot be asked about.
_ELSEWHERE = "FOREIGN KEY"


@dataclass(frozen=True)
class Contract:
    """The enforced contract of a model that is a table.

    Attributes:
        table: ``schema.table`` that dbt builds.
        model: the model's name as dbt selects it.
        keeps_rows: whether a build keeps the table (an incremental model) instead of making it anew.
        columns: definition of every column, in order.
        constraints: what concerns more than one column.
    """

    table: str
    model: str
    keeps_rows: bool
    columns: tuple[str, ...]
    constraints: tuple[str, ...]


def contracts_of(manifest: Mapping[str, Any]) -> list[Contract]:
    """The enforced contracts in a dbt manifest, of the models that become tables."""
    return [
        Contract(
            table=f"{node['schema']}.{node['alias']}",
            model=node["unique_id"].split(".", 2)[2],
            keeps_rows=node["config"]["materialized"] == "incremental",
            columns=tuple(map(_column, node["columns"].values())),
            constraints=tuple(filter(None, map(_across, node["constraints"]))),
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["contract"]["enforced"]
        and node["config"]["materialized"] in ("table", "incremental")
    ]


def broken_contracts(con: duckdb.DuckDBPyConnection, contracts: Sequence[Contract]) -> dict[Contract, list[str]]:
    """The contracts whose tables are there in another shape, each with what differs; tables not built yet are fine.

    Args:
        con: an open warehouse; reading suffices.
        contracts: the contracts to hold against it.

    Raises:
        WarehouseError: DuckDB does not understand a contract.
    """
    found = {}
    for contract in contracts:
        schema, _, name = contract.table.partition(".")
        there = _shape(con, "current_database()", schema, name)
        if there and (differences := _differences(there, _stated(con, contract))):
            found[contract] = differences
    return found


def _stated(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    lines = ", ".join((*contract.columns, *contract.constraints))
    try:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {_PROBE} ({lines})")
    except duckdb.Error as error:
        raise WarehouseError(f"The contract of {contract.table} is none that DuckDB can hold: {error}") from error
    try:
        return _shape(con, "'temp'", "main", _PROBE)
    finally:
        con.execute(f"DROP TABLE {_PROBE}")


def _shape(con: duckdb.DuckDBPyConnection, database: str, schema: str, name: str) -> list[str]:
    """Columns in order, then constraints sorted, one line each; nothing where there is no such table."""
    here = f"database_name = {database} AND schema_name = $schema AND table_name = $name"
    lines = con.execute(
        f"SELECT 'column ' || column_name || ' ' || data_type FROM duckdb_columns() WHERE {here} ORDER BY column_index",
        {"schema": schema, "name": name},
    ).fetchall()
    lines += con.execute(
        "SELECT constraint_text || if(constraint_type = 'NOT NULL', ' ' || constraint_column_names[1], '') AS line "
        f"FROM duckdb_constraints() WHERE {here} AND constraint_type != '{_ELSEWHERE}' ORDER BY line",
        {"schema": schema, "name": name},
    ).fetchall()
    return [str(line) for (line,) in lines]


def _differences(there: Sequence[str], stated: Sequence[str]) -> list[str]:
    new = [f"{line} is new" for line in stated if line not in there]
    gone = [f"{line} is gone" for line in there if line not in stated]
    if new or gone or list(there) == list(stated):
        return new + gone
    return ["the columns stand in another order"]


def _column(column: Mapping[str, Any]) -> str:
    constraints = [_on_column(constraint) for constraint in column["constraints"]]
    return " ".join(filter(None, (f'"{column["name"]}"', column["data_type"], *constraints)))


def _on_column(constraint: Mapping[str, Any]) -> str:
    kind = constraint["type"]
    return f"CHECK ({constraint['expression']})" if kind == "check" else _WORDS.get(kind, "")


def _across(constraint: Mapping[str, Any]) -> str:
    kind = constraint["type"]
    if kind == "check":
        return f"CHECK ({constraint['expression']})"
    columns = ", ".join(f'"{name}"' for name in constraint["columns"])
    return f"{_WORDS[kind]} ({columns})" if kind in ("primary_key", "unique") else ""


_WORDS: Mapping[str, str] = {"not_null": "NOT NULL", "primary_key": "PRIMARY KEY", "unique": "UNIQUE"}
