"""What is published of a day rests on what was known by then: not on the run, its range, its order, or later rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.distributions.asof import QUOTE_LOOKBACK
from tests.integration.snapshot_warehouse import SnapshotWarehouse, quote
from tests.unit.distribution_kit import buckets, thresholds

pytestmark = pytest.mark.integration

FIRST = datetime(2026, 7, 6, tzinfo=UTC)
DAYS = 3
LAST = FIRST + timedelta(days=DAYS)
LISTED_LATER = FIRST + timedelta(days=2, hours=7, minutes=20)
LADDERS = [
    [
        *thresholds([2.8, 3.0, 3.2, 3.4], close_time=LAST),
        *thresholds([3.6], close_time=LAST, spec_known_at=LISTED_LATER),
    ],
    buckets(66, [(66, 67), (68, 69), (70, 71)], 71, event="KXHIGHNY-26JUL10", close_time=LAST),
]
MARKETS = [market for ladder in LADDERS for market in ladder]
TABLES = ("implied_distributions", "implied_cells", "ladder_quotes", "distribution_distances")


def quotes(seed: int = 1) -> list[dict[str, Any]]:
    """Quotes at irregular instants over all days; of the market listed later only from then on."""
    rng = random.Random(seed)
    rows = []
    for ladder, values in zip(LADDERS, [[0.9, 0.7, 0.4, 0.2, 0.08], [0.1, 0.2, 0.4, 0.2, 0.1]], strict=True):
        for market, value in zip(ladder, values, strict=True):
            at = FIRST - timedelta(hours=2)
            while at < LAST:
                at += timedelta(minutes=rng.randint(5, 90))
                middle = min(max(value + rng.gauss(0, 0.03), 0.03), 0.97)
                if at >= market["spec_known_at"]:
                    half = rng.choice([0.01, 0.02, 0.03])
                    rows.append(quote(market["ticker"], at, round(middle - half, 2), round(middle + half, 2)))
    return rows


QUOTES = quotes()


def contents(warehouse: SnapshotWarehouse, until: datetime = LAST) -> dict[str, list[dict[str, Any]]]:
    """Everything published of the instants before ``until``."""
    return {
        name: warehouse.table(
            f"""select * from research.{name} where "asof" < timestamptz '{until.isoformat()}' order by all"""
        ).to_pylist()
        for name in TABLES
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """All days in one run."""
    with SnapshotWarehouse.at(folder / "whole", MARKETS, QUOTES) as warehouse:
        warehouse.run(FIRST.date(), (LAST - timedelta(days=1)).date())
        yield contents(warehouse)


def test_there_is_something_to_compare(whole: dict[str, list[dict[str, Any]]]) -> None:
    passed = [row for row in whole["implied_distributions"] if not row["hard_gate_failed"]]
    assert 20 < len(passed) < len(whole["implied_distributions"])
    assert {row["n_legs"] for row in whole["implied_distributions"]} == {4, 5}
    assert any(row["js"] for row in whole["distribution_distances"])


def test_days_one_by_one_are_the_days_in_one_run(whole: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    with SnapshotWarehouse.at(folder / "single", MARKETS, random.Random(2).sample(QUOTES, len(QUOTES))) as warehouse:
        for day in range(DAYS):
            warehouse.run((FIRST + timedelta(days=day)).date())
        assert contents(warehouse) == whole


def test_a_bar_that_ended_at_midnight_counts_to_the_end_of_the_lookback_whatever_days_are_run(folder: Path) -> None:
    ticker = MARKETS[0]["ticker"]
    bar = {"quote_kind": "candle_close", "source": "api_event", "period_minutes": 60}
    ended = FIRST - QUOTE_LOOKBACK
    with SnapshotWarehouse.at(folder / "midnight", MARKETS, [quote(ticker, ended, 0.9, 0.92, **bar)]) as warehouse:
        for first in (FIRST - timedelta(days=1), FIRST):
            warehouse.run(first.date(), FIRST.date())
            used = warehouse.table(
                f"""select "asof" from research.ladder_quotes where ticker = '{ticker}' and yes_bid is not null"""
            )
            assert max(used["asof"].to_pylist()) == FIRST


@pytest.mark.parametrize("hours", [9.5, 55.2])
def test_without_anything_after_a_cut_everything_before_it_is_the_same(
    whole: dict[str, list[dict[str, Any]]], folder: Path, hours: float
) -> None:
    cut = FIRST + timedelta(hours=hours)
    markets = [market for market in MARKETS if market["spec_known_at"] <= cut]
    known = [row for row in QUOTES if row["available_ts"] <= cut]
    with SnapshotWarehouse.at(folder / f"cut {hours}", markets, known) as warehouse:
        warehouse.run(FIRST.date(), (LAST - timedelta(days=1)).date())
        expected = {name: [row for row in rows if row["asof"] < cut] for name, rows in whole.items()}
        assert contents(warehouse, cut) == expected


def test_absurd_values_after_a_cut_change_nothing_before_it(
    whole: dict[str, list[dict[str, Any]]], folder: Path
) -> None:
    cut = FIRST + timedelta(hours=30)
    poisoned = [
        row if row["available_ts"] <= cut else {**row, "yes_bid": 0.99, "yes_ask": 0.01, "volume": 1e9}
        for row in QUOTES
    ]
    later = [quote(market["ticker"], cut + timedelta(seconds=1), 0.98, 0.02) for market in MARKETS]
    with SnapshotWarehouse.at(folder / "poisoned", MARKETS, [*poisoned, *later]) as warehouse:
        warehouse.run(FIRST.date(), (LAST - timedelta(days=1)).date())
        expected = {name: [row for row in rows if row["asof"] < cut] for name, rows in whole.items()}
        assert contents(warehouse, cut) == expected
        assert contents(warehouse) != whole, "the poison was strong enough to be seen after the cut"


def test_a_late_row_changes_the_instants_it_was_known_at_and_no_others(
    whole: dict[str, list[dict[str, Any]]], folder: Path
) -> None:
    at = FIRST + timedelta(days=1, hours=5, minutes=59, seconds=59)
    with SnapshotWarehouse.at(folder / "late", MARKETS, QUOTES) as warehouse:
        days = FIRST.date(), (LAST - timedelta(days=1)).date()
        warehouse.run(*days)
        warehouse.add_quotes([quote(MARKETS[1]["ticker"], at, 0.5, 0.52)])
        warehouse.run(*days)
        now = contents(warehouse)
    changed = {
        row["asof"]
        for row, before in zip(now["ladder_quotes"], whole["ladder_quotes"], strict=True)
        if row != before and row["ticker"] == MARKETS[1]["ticker"]
    }
    assert changed and min(changed) >= at
    own = [row["available_ts"] for row in QUOTES if row["ticker"] == MARKETS[1]["ticker"]]
    assert max(changed) < min(known for known in own if known > at)
