"""What a single row of a stated table must hold, as SQL: the checks of its pandera schema, column by column.

Tables carry these conditions as CHECKs (``ddl``), and incoming rows are held against them before they are written
(``validation``). Not here: keys and partitions, which concern more than one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import identifier


def column_conditions(table: Table, name: str) -> list[str]:
    """What the values of a column hold, NULL aside; NULL passes each of them.

    Raises:
        ValueError: the column has a check that has no SQL form here.
    """
    name_ = identifier(name)
    conditions = [f"{name_} {_condition(name, check)}" for check in table.columns[name].checks]
    # DuckDB keeps NaN and infinities as values; NULL passes a CHECK.
    if table.sql_type(name) == "DOUBLE":
        conditions.insert(0, f"isfinite({name_})")
    if table.sql_type(name) == "DOUBLE[]":
        # A sum is finite only if all it adds is; a CHECK takes no lambda.
        conditions.insert(0, f"isfinite(list_sum({name_}))")
    return conditions


def broken_row(table: Table) -> str:
    """Condition on the rows that break a rule of any column: a value that is not allowed, or a missing one."""
    broken = []
    for name, column in table.columns.items():
        broken += [] if column.nullable else [f"{identifier(name)} IS NULL"]
        broken += [f"NOT ({condition})" for condition in column_conditions(table, name)]
    return " OR ".join(broken) or "FALSE"


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
