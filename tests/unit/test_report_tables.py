"""What the report makes of scores: where outcomes fell, and which rows of the scorecard are shown."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from kalshi_pipeline.warehouse.report_tables import OPTIONAL

pytestmark = pytest.mark.unit


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("create schema research")
        made.execute(
            "create table research.walkforward_results "
            "(method varchar, horizon_minutes int, pit_low double, pit_high double)"
        )
        yield made


def pit(con: duckdb.DuckDBPyConnection, *rows: tuple[str, int, float | None, float | None]) -> list[float]:
    con.executemany("insert into research.walkforward_results values (?, ?, ?, ?)", rows)
    return [events for _, events, _ in con.execute(OPTIONAL["pit"][1]).fetchall()]


def test_an_interval_spreads_one_event_over_the_tenths_it_lies_in(con: duckdb.DuckDBPyConnection) -> None:
    assert pit(con, ("market", 1440, 0.25, 0.35)) == pytest.approx([0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0])


def test_a_point_counts_once_and_every_event_counts_as_one(con: duckdb.DuckDBPyConnection) -> None:
    events = pit(con, ("market", 1440, 0.55, 0.55), ("market", 1440, 0.0, 1.0), ("market", 1440, 0.0, 0.1))
    assert sum(events) == pytest.approx(3)
    assert events[5] == pytest.approx(1.1)
    assert events[0] == pytest.approx(1.1)


def test_other_methods_horizons_and_missing_places_are_left_out(con: duckdb.DuckDBPyConnection) -> None:
    left_out = [("uniform", 1440, 0.1, 0.2), ("market", 60, 0.1, 0.2), ("market", 1440, None, None)]
    assert sum(pit(con, ("market", 1440, 0.8, 0.9), *left_out)) == pytest.approx(1)
