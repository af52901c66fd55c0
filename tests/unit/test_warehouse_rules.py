"""The SQL form of a schema's rules finds the rows that the schema itself finds, in every stated table."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow
import pytest

from kalshi_pipeline.schemas.backtest import BACKTEST_TABLES
from kalshi_pipeline.schemas.distributions import DISTRIBUTION_TABLES
from kalshi_pipeline.schemas.evaluation import EVALUATION_TABLES
from kalshi_pipeline.schemas.raw import RAW_TABLES
from kalshi_pipeline.schemas.research import RESEARCH_TABLES
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.schemas.trading import TRADING_TABLES
from kalshi_pipeline.warehouse import validation
from kalshi_pipeline.warehouse.sql import identifier

pytestmark = pytest.mark.unit

TABLES = (
    *RAW_TABLES,
    *DISTRIBUTION_TABLES,
    *RESEARCH_TABLES,
    *EVALUATION_TABLES,
    *TRADING_TABLES,
    *BACKTEST_TABLES,
)
MOMENT = datetime(2026, 6, 1, tzinfo=UTC)
ROWS = 40


def values(table: Table, name: str) -> list[Any]:
    """Values of the column's type on both sides of every bound that its checks name, as SQL texts."""
    column, sql_type = table.columns[name], table.sql_type(name)
    if sql_type == "VARCHAR":
        words = [word for check in column.checks for word in (check.statistics or {}).get("allowed_values", ())]
        return [*words, "else", ""]
    if sql_type in ("INTEGER", "BIGINT", "DOUBLE") or sql_type.startswith("DECIMAL"):
        said = [bound for check in column.checks for bound in (check.statistics or {}).values()]
        bounds = [b for one in said for b in (one if isinstance(one, list) else [one]) if not isinstance(b, bool)]
        step = 1 if sql_type in ("INTEGER", "BIGINT") else 0.01
        return [value for bound in bounds for value in (bound - step, bound, bound + step)] or [0, 1]
    plain: dict[str, Any] = {"JSON": '{"a": 1}', "BOOLEAN": True, "DATE": MOMENT.date(), "TIMESTAMPTZ": MOMENT}
    return [plain[sql_type]] if sql_type in plain else [f"{[0.5, 0.5]}"]


def staged(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Rows of which each breaks no rule, or a few."""
    dice = random.Random(table.qualified_name)
    names = list(table.columns)
    rows = []
    # A value that all checks take, and in some rows any other, or none.
    sound = {name: next((v for v in values(table, name) if not broken(table, name, v)), None) for name in names}
    for _ in range(ROWS):
        row = dict(sound)
        for name in dice.sample(names, dice.randint(0, 2)):
            row[name] = dice.choice([*values(table, name), None])
        rows.append(row)
    columns = ", ".join(f"{identifier(name)} {table.sql_type(name)}" for name in names)
    con.execute(f"CREATE TEMP TABLE staged_rows ({columns}, row_fault VARCHAR, row_source JSON)")
    marks = ", ".join("?" * len(names))
    con.executemany(f"INSERT INTO staged_rows VALUES ({marks}, NULL, NULL)", [list(row.values()) for row in rows])


def broken(table: Table, name: str, value: Any) -> bool:
    """Whether a single value fails a check, by pandera's own functions."""
    return any(not check(pyarrow.array([value]).to_pandas()).check_passed for check in table.columns[name].checks)


def faults(con: duckdb.DuckDBPyConnection, table: Table) -> dict[int, str]:
    validation.collect_faults(con, table, enough=ROWS)
    return dict(con.execute(f"SELECT row_id, reason FROM {validation.FAULTS}").fetchall())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.qualified_name)
def test_the_rows_that_break_a_rule_in_sql_are_those_that_the_schema_refuses(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        staged(con, table)
        by_sql = faults(con, table)
        monkeypatch.setattr(validation, "broken_row", lambda table: "TRUE")
        assert by_sql == faults(con, table)
    assert 0 < len(by_sql) < ROWS
