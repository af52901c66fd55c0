"""Files of every past version, with rows in all their tables, end as a fresh file does: same catalogue, rows kept.

What the database refuses is asked of a fresh file and of one that came all the way from the first version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from kalshi_pipeline.warehouse.migrations import migrate, migrations

pytestmark = pytest.mark.unit

TARGET = len(migrations())
#: A value of every type that passes the range checks of our tables.
VALUES = {
    "VARCHAR": "'x'",
    "JSON": "'{}'",
    "BOOLEAN": "true",
    "INTEGER": "1",
    "BIGINT": "1",
    "DOUBLE": "0.5",
    "DATE": "DATE '2026-01-05'",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ '2026-01-05 12:00:00Z'",
    "DOUBLE[]": "[0.5]",
    "VARCHAR[]": "['x']",
}
TABLES = (
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE table_name != 'schema_version' "
    "AND database_name = current_database() ORDER BY ALL"
)


def catalogue(database: Path) -> list[str]:
    """The whole catalogue as sorted DDL."""
    with duckdb.connect(database, read_only=True) as con:
        found = con.execute(
            "SELECT sql FROM duckdb_tables() UNION ALL SELECT sql FROM duckdb_indexes() "
            "UNION ALL SELECT sql FROM duckdb_sequences() UNION ALL SELECT sql FROM duckdb_views() WHERE NOT internal "
            "UNION ALL SELECT schema_name FROM duckdb_schemas() WHERE NOT internal ORDER BY ALL"
        ).fetchall()
    return [str(sql) for (sql,) in found]


def row_of(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> str:
    """A row that the table takes, as SQL values."""
    checks = con.execute(
        "SELECT constraint_column_names[1], expression FROM duckdb_constraints() "
        "WHERE constraint_type = 'CHECK' AND schema_name = ? AND table_name = ?",
        [schema, table],
    ).fetchall()
    words = {column: found[1] for column, check in checks if (found := re.search(r"IN \(('\w+')", check))}
    columns = con.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? "
        "ORDER BY column_index",
        [schema, table],
    ).fetchall()
    # What a check allows only beside another column's value is left out where it may be.
    linked = con.execute(
        "SELECT DISTINCT unnest(constraint_column_names) FROM duckdb_constraints() WHERE constraint_type = 'CHECK' "
        "AND len(list_distinct(constraint_column_names)) > 1 AND schema_name = ? AND table_name = ?",
        [schema, table],
    ).fetchall()
    return ", ".join(
        "NULL" if nullable and (name,) in linked else words.get(name) or VALUES.get(type_, "0.5")
        for name, type_, nullable in columns
    )


def filled(database: Path, version: int) -> dict[str, int]:
    """A file of a past version with a row in every table; returns the rows by table."""
    migrate(database, steps=migrations()[:version])
    with duckdb.connect(database) as con:
        tables = con.execute(TABLES).fetchall()
        for schema, table in tables:
            con.execute(f"INSERT INTO {schema}.{table} VALUES ({row_of(con, schema, table)})")
    return {f"{schema}.{table}": 1 for schema, table in tables}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("fresh") / "kalshi.duckdb"
    migrate(database)
    return database


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the first version, upgraded one version at a time, with rows put in at every stop."""
    database = tmp_path_factory.mktemp("upgraded") / "kalshi.duckdb"
    for version in range(1, TARGET + 1):
        migrate(database, steps=migrations()[:version])
        with duckdb.connect(database) as con:
            for schema, table in con.execute(TABLES).fetchall():
                if con.execute(f"SELECT count(*) = 0 FROM {schema}.{table}").fetchall()[0][0]:
                    con.execute(f"INSERT INTO {schema}.{table} VALUES ({row_of(con, schema, table)})")
    return database


@pytest.fixture(params=["fresh", "upgraded"])
def con(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(request.getfixturevalue(request.param)) as con:
        yield con


@pytest.mark.parametrize("version", range(1, TARGET))
def test_every_past_version_ends_like_a_fresh_file_and_keeps_its_rows(
    version: int, tmp_path: Path, fresh: Path
) -> None:
    database = tmp_path / "kalshi.duckdb"
    rows = filled(database, version)
    report = migrate(database)
    assert (report.current, report.target) == (version, TARGET)
    assert report.backup is not None
    assert catalogue(database) == catalogue(fresh)
    with duckdb.connect(database) as con:
        kept = {name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in rows}
    assert kept == rows


def test_upgrading_one_version_at_a_time_ends_there_too(fresh: Path, upgraded: Path) -> None:
    assert catalogue(upgraded) == catalogue(fresh)


def test_a_list_with_a_missing_number_written_by_an_old_version_is_set_aside(tmp_path: Path) -> None:
    database = tmp_path / "kalshi.duckdb"
    step = next(step for step in migrations() if step.description == "keep lists of numbers finite")
    filled(database, step.version - 1)
    with duckdb.connect(database) as con:
        con.execute("UPDATE research.implied_distributions SET tail_probabilities = [0.5, 'nan'::DOUBLE]")
    report = migrate(database)
    assert [(done.table, done.kept, done.quarantined) for done in report.rebuilt[:2]] == [
        ("research.ladders", 1, 0),
        ("research.implied_distributions", 0, 1),
    ]
    with duckdb.connect(database) as con:
        reasons = con.execute(
            "SELECT reason FROM meta.quarantine WHERE run_id = ?", [f"migration {step.version}"]
        ).fetchall()
    assert reasons == [("breaks isfinite(list_sum(tail_probabilities))",)]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("raw.orderbooks", "side", "'maybe'"),
        ("raw.trades", "taker_outcome_side", "'maybe'"),
        ("raw.trades", "taker_book_side", "'maybe'"),
        ("raw.trades", "yes_price", "1.5"),
        ("raw.trades", "created_time", "NULL"),
        *(
            ("research.implied_distributions", column, "'nan'::DOUBLE")
            for column in (
                "mean",
                "variance",
                "std",
                "skew",
                "excess_kurtosis",
                "entropy",
                "median",
                "q05",
                "mass_below",
            )
        ),
        ("research.implied_distributions", "mean", "'infinity'::DOUBLE"),
        ("research.implied_distributions", "tail_probabilities", "[0.1, 'nan'::DOUBLE]"),
        ("research.implied_distributions", "coverage", "1.01"),
        ("research.ladders", "cuts", "['-infinity'::DOUBLE]"),
        ("research.implied_cells", "probability", "-0.1"),
        ("research.event_labels", "first_print_value", "'nan'::DOUBLE"),
    ],
)
def test_the_database_itself_refuses(con: duckdb.DuckDBPyConnection, table: str, column: str, value: str) -> None:
    schema, name = table.split(".")
    con.execute(f"DELETE FROM {table}")
    con.execute(f"INSERT INTO {table} VALUES ({row_of(con, schema, name)})")
    con.execute(f"CREATE TEMP TABLE taken AS FROM {table}")
    con.execute(f"DELETE FROM {table}")
    with pytest.raises(duckdb.ConstraintException, match="constraint failed"):
        con.execute(f"INSERT INTO {table} SELECT * REPLACE ({value} AS {column}) FROM taken")


@pytest.mark.parametrize("table", ["raw.markets", "research.ladders", "research.event_labels"])
def test_a_second_row_of_one_key_is_refused(con: duckdb.DuckDBPyConnection, table: str) -> None:
    schema, name = table.split(".")
    con.execute(f"DELETE FROM {table}")
    con.execute(f"INSERT INTO {table} VALUES ({row_of(con, schema, name)})")
    with pytest.raises(duckdb.ConstraintException, match="Duplicate key"):
        con.execute(f"INSERT INTO {table} VALUES ({row_of(con, schema, name)})")
