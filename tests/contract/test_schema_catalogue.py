"""The migrated file and the stated tables are one thing: same tables, columns, types, constraints, both ways."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from kalshi_pipeline.schemas.backtest import BACKTEST_TABLES
from kalshi_pipeline.schemas.distributions import DISTRIBUTION_TABLES
from kalshi_pipeline.schemas.evaluation import EVALUATION_TABLES
from kalshi_pipeline.schemas.raw import RAW_TABLES
from kalshi_pipeline.schemas.research import RESEARCH_TABLES
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.schemas.trading import TRADING_TABLES
from kalshi_pipeline.warehouse.ddl import ddl
from kalshi_pipeline.warehouse.migrations import migrate

pytestmark = pytest.mark.unit

TABLES: tuple[Table, ...] = (
    *RAW_TABLES,
    *DISTRIBUTION_TABLES,
    *RESEARCH_TABLES,
    *EVALUATION_TABLES,
    *TRADING_TABLES,
    *BACKTEST_TABLES,
)
SCHEMAS = ("raw", "research", "trading")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    database = tmp_path_factory.mktemp("catalogue") / "kalshi.duckdb"
    migrate(database)
    with duckdb.connect(database, read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def stated() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for schema in SCHEMAS:
            con.execute(f"CREATE SCHEMA {schema}")
        for table in TABLES:
            con.execute(ddl(table))
        yield con


def facts(con: duckdb.DuckDBPyConnection) -> set[str]:
    """One line per column and per constraint of the tables of our schemas; a view states itself."""
    columns = con.execute(
        "SELECT schema_name || '.' || table_name, column_index, column_name, data_type, is_nullable "
        "FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (database_name, schema_name, table_name) "
        "WHERE list_contains(?, schema_name)",
        [list(SCHEMAS)],
    ).fetchall()
    constraints = con.execute(
        "SELECT schema_name || '.' || table_name, constraint_text FROM duckdb_constraints() "
        "WHERE list_contains(?, schema_name)",
        [list(SCHEMAS)],
    ).fetchall()
    return {
        *(f"{table}: column {n} {name} {type_}{' NULL' if null else ''}" for table, n, name, type_, null in columns),
        *(f"{table}: {text}" for table, text in constraints),
    }


def test_migrations_and_stated_tables_agree(
    migrated: duckdb.DuckDBPyConnection, stated: duckdb.DuckDBPyConnection
) -> None:
    in_file, in_schemas = facts(migrated), facts(stated)
    assert len(in_schemas) > 300
    assert sorted(in_schemas - in_file) == [], "stated but not in the migrated file: a migration is missing"
    assert sorted(in_file - in_schemas) == [], "in the migrated file but not stated: the schema or a migration is wrong"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.qualified_name)
def test_a_table_is_stated_in_full(table: Table) -> None:
    assert set(table.key) <= set(table.columns)
    assert not [name for name in table.key if table.columns[name].nullable]
    assert table.partition_column is None or not table.columns[table.partition_column].nullable
    assert [name for name, column in table.columns.items() if not column.description] == []
    assert table.grain


@pytest.mark.parametrize(
    "table", [table for table in TABLES if table.schema == "research"], ids=lambda table: table.qualified_name
)
def test_a_statistic_that_is_not_a_number_is_rejected_by_the_file_itself(
    migrated: duckdb.DuckDBPyConnection, table: Table
) -> None:
    guards = {
        **{name: f"isfinite({name})" for name in table.columns if table.sql_type(name) == "DOUBLE"},
        **{name: f"isfinite(list_sum({name}))" for name in table.columns if table.sql_type(name) == "DOUBLE[]"},
    }
    checks = migrated.execute(
        "SELECT constraint_text FROM duckdb_constraints() WHERE constraint_type = 'CHECK' "
        "AND schema_name = ? AND table_name = ?",
        [table.schema, table.name],
    ).fetchall()
    guarded = {name for name, guard in guards.items() for (text,) in checks if guard in text}
    assert guarded == set(guards)
