"""What the report makes of scores: where outcomes fell, and which rows of the scorecard are shown."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from kalshi_pipeline.warehouse.report_tables import OPTIONAL, QUERIES

pytestmark = pytest.mark.unit


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("create schema research")
        made.execute(
            "create table research.walkforward_results "
            "(method varchar, horizon_minutes int, pit_low double, pit_high double, ladder_id varchar, "
            'event_ticker varchar, "asof" timestamptz, label_value double)'
        )
        yield made


def pit(con: duckdb.DuckDBPyConnection, *rows: tuple[str, int, float | None, float | None]) -> list[float]:
    con.executemany(
        "insert into research.walkforward_results (method, horizon_minutes, pit_low, pit_high) values (?, ?, ?, ?)",
        rows,
    )
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


def test_a_market_pays_where_the_outcome_lies_between_its_cuts(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        create table research.ladder_quotes as
            select 'L' as ladder_id, timestamptz '2026-06-09 12:00:00Z' as "asof", * from (values
                ('low', 0.3), ('middle', 0.6), ('high', 0.1), ('unquoted', null)) as q (ticker, repaired);
        insert into research.ladder_quotes values ('L', timestamptz '2026-06-10 12:00:00Z', 'low', 0.9);
        create table research.ladder_legs as
            select 'L' as ladder_id, * from (values
                ('low', null, 0.15), ('middle', 0.15, 0.25), ('high', 0.25, null), ('unquoted', null, null))
                as l (ticker, low_cut, high_cut);
        insert into research.walkforward_results by name
            select unnest(['market', 'uniform', 'market']) as method, unnest([1440, 1440, 60]) as horizon_minutes,
                'L' as ladder_id, 'E' as event_ticker, timestamptz '2026-06-09 12:00:00Z' as "asof",
                0.25 as label_value;
        """
    )
    found = con.execute(OPTIONAL["reliability"][1]).fetchall()
    assert [(event, float(said), paid) for event, said, paid in found] == [
        ("E", 0.1, True),
        ("E", 0.3, False),
        ("E", 0.6, False),
    ]


def scores(con: duckdb.DuckDBPyConnection, *release_types: str) -> set[str]:
    con.execute(
        """
        create or replace table research.scorecard as
        select unnest(?) as scope, unnest(?) as scope_value, 1440 as horizon_minutes, 'market' as method,
            'crps' as metric, 0.1 as estimate, 0.1 as estimate_low, 0.1 as estimate_high, 3 as n_events,
            null as difference, null as difference_low, null as difference_high
        """,
        [["all", *["release_type"] * len(release_types), "series"], ["all", *release_types, "KXCPI"]],
    )
    return {row[0] for row in con.execute(OPTIONAL["scores"][1]).fetchall()}


def test_a_quantile_in_an_open_cell_is_at_its_edge_and_what_was_held_back_has_none(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("""
        create table chosen_snapshots as select unnest(['L', 'past']) as ladder_id, unnest(['next', 'latest']) as role;
        create table research.implied_distributions as
            select * from (values
                ('L', 1, null, 0.1, 0.2, null, 0.3, null, 0.4, null, null, 0.5),
                ('L', 2, null, null, null, null, null, null, null, null, null, null),
                ('past', 3, 1, null, 1, null, 1, null, 1, null, 1, null)
            ) as d (ladder_id, "asof", q05, q05_edge, q25, q25_edge, median, median_edge, q75, q75_edge, q95, q95_edge);
    """)
    assert [tuple(map(_number, row)) for row in con.execute(QUERIES["paths"]).fetchall()] == [
        ("L", 1, 0.1, 0.2, 0.3, 0.4, 0.5),
        ("L", 2, None, None, None, None, None),
    ]


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def test_all_releases_together_are_told_only_where_they_differ_in_type(con: duckdb.DuckDBPyConnection) -> None:
    assert scores(con, "CPI") == {"CPI"}
    assert scores(con, "CPI", "WEATHER") == {"all", "CPI", "WEATHER"}
