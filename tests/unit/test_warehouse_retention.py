"""Depth goes after thirty days and quotes after a year; the best level stays, and nothing goes unless it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from kalshi_pipeline.build import build_resources
from kalshi_pipeline.defs.retention import retention
from kalshi_pipeline.settings import Settings, read_instant
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.retention import prunable, prune, rules

pytestmark = pytest.mark.unit

TODAY = date(2026, 7, 1)
LEVELS = 3


def filled(database: Path) -> None:
    """Books of three levels and one quote a day, over the last 400 days."""
    migrate(database)
    with duckdb.connect(database) as con:
        con.execute("SET TimeZone = 'UTC'")
        days = f"SELECT (DATE '{TODAY}' - n::INTEGER) AS day FROM range(400) AS t(n)"
        con.execute(
            f"""
            INSERT INTO raw.orderbooks BY NAME
            SELECT 'A' AS ticker, day::TIMESTAMPTZ AS observed_at, side, level::INTEGER AS level, 0.4 AS price,
                1 AS count, now() AS ingested_at, 'u' AS unit_id, day AS partition_date
            FROM ({days}), (VALUES ('yes'), ('no')) AS s(side), range(1, {LEVELS + 1}) AS l(level)
            """
        )
        con.execute(
            f"INSERT INTO raw.quotes BY NAME SELECT 'A' AS ticker, day::TIMESTAMPTZ AS observed_at, "
            f"now() AS ingested_at, 'u' AS unit_id, day AS partition_date FROM ({days})"
        )
        con.execute(
            "INSERT INTO meta.partition_loads SELECT 'orderbooks', partition_date, 7, now(), 'run', count(*), 0, NULL "
            "FROM raw.orderbooks GROUP BY partition_date"
        )


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    filled(tmp_path / "kalshi.duckdb")
    with duckdb.connect(tmp_path / "kalshi.duckdb") as con:
        yield con


def held(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    [row] = con.execute("SELECT (SELECT count(*) FROM raw.orderbooks), (SELECT count(*) FROM raw.quotes)").fetchall()
    return row[0], row[1]


def test_counting_changes_nothing_and_says_what_would_go(con: duckdb.DuckDBPyConnection) -> None:
    before = held(con)
    depth, quotes = prunable(con, TODAY)
    assert held(con) == before == (400 * 2 * LEVELS, 400)
    assert (depth.rows, depth.last_day) == ((400 - 31) * 2 * (LEVELS - 1), TODAY - timedelta(days=31))
    assert (quotes.rows, quotes.last_day) == (400 - 366, TODAY - timedelta(days=366))
    assert "order book levels below the best of raw.orderbooks from before 2026-06-01" in str(depth)


def test_what_was_counted_is_removed_and_the_best_levels_stay(con: duckdb.DuckDBPyConnection) -> None:
    counted = prunable(con, TODAY)
    assert prune(con, TODAY) == counted
    assert held(con) == (31 * 2 * LEVELS + (400 - 31) * 2, 366)
    old = con.execute("SELECT DISTINCT level FROM raw.orderbooks WHERE partition_date < '2026-06-01'").fetchall()
    assert old == [(1,)]
    assert [one.rows for one in prune(con, TODAY)] == [0, 0]


def test_pruned_days_say_so_and_are_not_derived_again(con: duckdb.DuckDBPyConnection) -> None:
    prune(con, TODAY)
    loads = con.execute(
        "SELECT partition_date < '2026-06-01' AS old, rows, load_id, reason IS NOT NULL, count(*) "
        "FROM meta.partition_loads GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert loads == [(False, 2 * LEVELS, 7, False, 31), (True, 2, 7, True, 369)]


def test_other_lengths_can_be_asked_for_but_never_today(con: duckdb.DuckDBPyConnection) -> None:
    assert [one.rows for one in prunable(con, TODAY, rules(399, 1))] == [0, 398]
    with pytest.raises(ValueError, match="at least one day"):
        rules(0, 1)


@pytest.mark.parametrize("remove", [False, True])
def test_the_job_counts_unless_it_is_told_to_remove(tmp_path: Path, remove: bool) -> None:
    settings = Settings(data_dir=tmp_path, sandbox_now=read_instant("2026-07-01T12:00:00Z"))
    settings.database.parent.mkdir(parents=True)
    filled(settings.database)
    used = {name: build_resources(settings)[name] for name in ("settings", "warehouse")}
    config = {"ops": {"prune_old_rows": {"config": {"remove": True}}}} if remove else {}
    with dg.DagsterInstance.ephemeral() as instance:
        assert retention.execute_in_process(run_config=config, resources=used, instance=instance).success
    with duckdb.connect(settings.database, read_only=True) as con:
        assert held(con) == ((31 * 2 * LEVELS + 369 * 2, 366) if remove else (400 * 2 * LEVELS, 400))
