"""The DDL of a stated table: types, NOT NULL, CHECKs and keys, from its pandera schema.

Migrations are committed text, written with this and never generated at run time; a contract test holds the migrated
catalogue and the stated tables equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import identifier, identifiers


def ddl(table: Table) -> str:
    """``CREATE TABLE`` of a stated table.

    A table in daily partitions has its key but no index on it: DuckDB keeps a whole primary key index in memory (about
    55 bytes a row) and spends more time on it than on the rows. A key belongs to one day, so the write holds it.

    Raises:
        ValueError: a column has a check that has no SQL form here.
    """
    lines = [_column(table, name) for name in table.columns]
    if table.partition_column is None:
        lines.append(f"PRIMARY KEY ({identifiers(table.key)})")
    return f"CREATE TABLE {table.qualified_name} (\n" + ",\n".join(f"    {line}" for line in lines) + "\n);\n"


def _column(table: Table, name: str) -> str:
    column = table.columns[name]
    name_ = identifier(name)
    words = [name_, table.sql_type(name)]
    if not column.nullable:
        words.append("NOT NULL")
    checks = [f"{name_} {_condition(name, check)}" for check in column.checks]
    # DuckDB keeps NaN and infinities as values; NULL passes a CHECK.
    if table.sql_type(name) == "DOUBLE":
        checks.insert(0, f"isfinite({name_})")
    if table.sql_type(name) == "DOUBLE[]":
        # A sum is finite only if all it adds is; a CHECK takes no lambda.
        checks.insert(0, f"isfinite(list_sum({name_}))")
    if checks:
        words.append(f"CHECK ({' AND '.join(checks)})")
    return " ".join(words)


def _condition(name: str, check: pa.Check) -> str:
    write = _SQL.get(str(check.name))
    if write is None:
        raise ValueError(f"Check {check.name} of column {name} has no SQL form.")
    return write(check.statistics or {})


def _range(values: Mapping[str, Any]) -> str:
    if not (values["include_min"] and values["include_max"]):
        raise ValueError("Only closed ranges have a SQL form.")
    return f"BETWEEN {_literal(values['min_value'])} AND {_literal(values['max_value'])}"


_SQL: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "in_range": _range,
    "isin": lambda values: f"IN ({', '.join(map(_literal, values['allowed_values']))})",
    "greater_than_or_equal_to": lambda values: f">= {_literal(values['min_value'])}",
    "greater_than": lambda values: f"> {_literal(values['min_value'])}",
    "less_than_or_equal_to": lambda values: f"<= {_literal(values['max_value'])}",
    "less_than": lambda values: f"< {_literal(values['max_value'])}",
}


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
