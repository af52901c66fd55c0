"""A table takes on a new definition with its rows; a row that does not fit is set aside, never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.warehouse.errors import MigrationError
from kalshi_pipeline.warehouse.migrations import Migration, migrate, migrations
from kalshi_pipeline.warehouse.rebuilding import Rebuilt, rebuild

pytestmark = pytest.mark.unit

LOOSE = "CREATE TABLE raw.things (thing VARCHAR, side VARCHAR, price DOUBLE, n VARCHAR, partition_date DATE)"
STRICT = """
-- rebuild
CREATE TABLE raw.things (
    thing VARCHAR NOT NULL,
    side VARCHAR NOT NULL CHECK (side IN ('yes', 'no')),
    price DOUBLE CHECK (isfinite(price) AND price BETWEEN 0 AND 1),
    n INTEGER,
    note VARCHAR,
    partition_date DATE NOT NULL,
    PRIMARY KEY (thing, side)
)
"""
GOOD = ("a", "yes", 0.5, "1", "2026-01-05")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(migrations()[0].sql)
        con.execute("CREATE SCHEMA raw")
        con.execute(LOOSE)
        con.begin()
        yield con


def insert(con: duckdb.DuckDBPyConnection, *rows: tuple[Any, ...]) -> None:
    con.executemany("INSERT INTO raw.things VALUES (?, ?, ?, ?, ?)", rows)


def test_rows_that_fit_stay_in_their_order_and_new_columns_are_empty(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, GOOD, ("b", "no", None, None, "2026-01-06"))
    assert rebuild(con, STRICT, run_id="r") == Rebuilt("raw.things", kept=2, quarantined=0)
    kept = con.execute("SELECT thing, side, price, n, note FROM raw.things").fetchall()
    assert kept == [("a", "yes", 0.5, 1, None), ("b", "no", None, None, None)]


def test_the_result_is_the_table_one_would_have_made_anew(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, GOOD)
    rebuild(con, STRICT, run_id="r")
    con.execute("CREATE SCHEMA other")
    con.execute(STRICT.replace("raw.", "other."))
    sql = dict(con.execute("SELECT schema_name, sql FROM duckdb_tables() WHERE table_name = 'things'").fetchall())
    assert sql["raw"] == sql["other"].replace("other.", "raw.")
    with pytest.raises(duckdb.ConstraintException, match="CHECK constraint"):
        con.execute("INSERT INTO raw.things VALUES ('z', 'maybe', 0.5, 1, NULL, '2026-01-05')")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(("b", "maybe", 0.5, "1", "2026-01-05"), "breaks (side IN ('yes', 'no'))", id="a check"),
        pytest.param(("b", "yes", float("nan"), "1", "2026-01-05"), "breaks (isfinite(price)", id="not a number"),
        pytest.param(("b", None, 0.5, "1", "2026-01-05"), "side: missing", id="a value that must be there"),
        pytest.param(("b", "yes", 0.5, "many", "2026-01-05"), "n: not a INTEGER", id="a type"),
        pytest.param(("a", "yes", 0.7, "9", "2026-01-05"), "thing, side: the key of another row", id="a key"),
        pytest.param(
            ("b", "maybe", 7.0, "1", "2026-01-05"),
            "AND (price BETWEEN 0 AND 1)); breaks (side IN",
            id="everything wrong is said",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_quarantined_with_its_reason(
    con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], reason: str
) -> None:
    insert(con, GOOD, row)
    assert rebuild(con, STRICT, run_id="migration 7") == Rebuilt("raw.things", kept=1, quarantined=1)
    ((table, day, said, content, run_id),) = con.execute(
        "SELECT table_name, partition_date::VARCHAR, reason, row_json, run_id FROM meta.quarantine"
    ).fetchall()
    assert (table, day, run_id) == ("raw.things", "2026-01-05", "migration 7")
    assert reason in said
    assert json.loads(content)["thing"] == row[0]
    assert con.execute("SELECT thing, price FROM raw.things").fetchall() == [("a", 0.5)]


def test_days_that_lost_a_row_are_counted_anew_and_derived_again(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, GOOD, ("b", "maybe", 0.5, "1", "2026-01-05"), ("c", "no", 0.5, "1", "2026-01-06"))
    con.execute(
        """
        INSERT INTO meta.partition_loads
        SELECT 'things', day, nextval('meta.load_id'), now(), 'first', n, 0, NULL
        FROM (VALUES (DATE '2026-01-05', 2), (DATE '2026-01-06', 1)) AS loads(day, n)
        """
    )
    rebuild(con, STRICT, run_id="r")
    loads = con.execute(
        "SELECT partition_date::VARCHAR, load_id, rows, quarantined FROM meta.partition_loads ORDER BY 1"
    )
    assert loads.fetchall() == [("2026-01-05", 3, 1, 1), ("2026-01-06", 2, 1, 0)]


def test_a_default_fills_a_new_column_that_must_have_a_value(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, GOOD)
    rebuild(con, STRICT.replace("note VARCHAR", "note VARCHAR NOT NULL DEFAULT 'old'"), run_id="r")
    assert con.execute("SELECT note FROM raw.things").fetchall() == [("old",)]


def test_a_definition_that_no_stored_row_can_meet_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, GOOD)
    with pytest.raises(MigrationError, match=r"\['note'\] are new, NOT NULL and without a default"):
        rebuild(con, STRICT.replace("note VARCHAR", "note VARCHAR NOT NULL"), run_id="r")


@pytest.mark.parametrize(
    ("create", "complaint"),
    [("CREATE TABLE raw.nothing (n INTEGER)", "no table raw.nothing"), ("DROP TABLE raw.things", "needs one CREATE")],
)
def test_what_cannot_be_rebuilt_is_named(con: duckdb.DuckDBPyConnection, create: str, complaint: str) -> None:
    with pytest.raises(MigrationError, match=complaint):
        rebuild(con, create, run_id="r")


ROWS = st.tuples(
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from(["yes", "no", "maybe", None]),
    st.sampled_from([0.0, 0.5, 1.0, 1.5, float("nan"), float("inf"), None]),
    st.sampled_from(["1", "x", None]),
    st.just("2026-01-05"),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, max_size=12))
def test_no_row_is_lost_and_the_ones_kept_are_those_the_table_would_take(rows: list[tuple[Any, ...]]) -> None:
    with duckdb.connect() as con:
        con.execute(migrations()[0].sql)
        con.execute("CREATE SCHEMA raw")
        con.execute(STRICT)
        accepted = []
        for row in rows:
            try:
                con.execute("INSERT INTO raw.things SELECT ?, ?, ?, ?::INTEGER, NULL, ?", row)
                accepted.append(row[:2])
            except duckdb.Error:
                continue
        con.execute("DROP TABLE raw.things")
        con.execute(LOOSE)
        if rows:
            insert(con, *rows)
        done = rebuild(con, STRICT, run_id="r")
        assert done.kept + done.quarantined == len(rows)
        assert con.execute("SELECT thing, side FROM raw.things").fetchall() == accepted


def test_a_migration_rebuilds_under_its_mark_and_is_rolled_back_as_a_whole(tmp_path: Path) -> None:
    database = tmp_path / "kalshi.duckdb"
    make = Migration(2, "make things", f"CREATE SCHEMA raw; {LOOSE}; INSERT INTO raw.things VALUES {GOOD};")
    strict = Migration(3, "be strict", f"-- A side is yes or no.\n{STRICT};\nCREATE SCHEMA research;")
    broken = Migration(3, "be strict", f"{STRICT};\nSELECT * FROM nowhere;")
    migrate(database, steps=[migrations()[0], make])
    with pytest.raises(MigrationError, match="rolled back"):
        migrate(database, steps=[migrations()[0], make, broken])
    with duckdb.connect(database) as con:
        assert (
            "PRIMARY KEY"
            not in con.execute("SELECT sql FROM duckdb_tables() WHERE table_name = 'things'").fetchall()[0][0]
        )
        con.execute("INSERT INTO raw.things VALUES ('b', 'maybe', 0.5, '1', '2026-01-05')")
    report = migrate(database, steps=[migrations()[0], make, strict])
    assert report.rebuilt == (Rebuilt("raw.things", kept=1, quarantined=1),)
    with duckdb.connect(database) as con:
        assert con.execute("SELECT reason, run_id FROM meta.quarantine").fetchall() == [
            ("breaks (side IN ('yes', 'no'))", "migration 3")
        ]
