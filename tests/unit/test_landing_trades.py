"""Trades land once each, from the tier that has them, page by page."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from kalshi_pipeline.landing.collect import land_trades
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore
from tests.exchange_double import Exchange, at, envelopes

pytestmark = pytest.mark.unit

DAYS = [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)]


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing")


@pytest.fixture
def exchange() -> Exchange:
    """One event over the days, one that is over before the tape's cutoff."""
    exchange = Exchange(cutoff=at("2026-06-02T12:00"), page_size=7)
    exchange.list("KXA-1-T0", "2026-05-31T10:00", "2026-06-10T04:59")
    exchange.list("KXA-1-T1", "2026-06-01T00:00", "2026-06-04T00:00")
    exchange.list("KXA-2-T0", "2026-06-01T10:00", "2026-06-02T04:59", "2026-06-02T06:00")
    return exchange


def land(exchange: Exchange, store: LandingStore, days: list[date] = DAYS) -> LandingReport:
    with exchange.client() as client:
        return land_trades(client, store, exchange.markets.values(), days, run_id="run")


def landed(store: LandingStore, days: list[date] = DAYS) -> Counter[tuple[str, str]]:
    return Counter(
        (row["trade_id"], line["context"]["tier"])
        for path in store.files("trades", days)
        for line in envelopes(path)
        for row in line["body"]["trades"] or ()
    )


def test_every_trade_of_the_days_lands_from_the_tier_that_has_it(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    wanted = {
        (row["trade_id"], "historical" if at(row["created_time"]) < exchange.cutoff else "live")
        for ticker in exchange.markets
        for row in exchange.trades(ticker)
        if at("2026-06-01") <= at(row["created_time"]) < at("2026-06-04")
    }
    got = landed(store)
    assert set(got.values()) == {1}
    assert wanted <= set(got)
    # Beyond the days only the instants on their borders are there, which the loader leaves to their own day.
    assert {trade.rpartition("-")[2] for trade, _ in set(got) - wanted} <= {str(int(at("2026-06-04").timestamp()))}


def test_a_market_is_asked_only_of_the_tiers_its_life_reaches(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    events = ("KXA-1-T0", "KXA-2-T0")
    assert [bool(exchange.asked(f"/historical/trades?ticker={ticker}")) for ticker in events] == [True, True]
    assert [bool(exchange.asked(f"/markets/trades?ticker={ticker}")) for ticker in events] == [True, False]


def test_a_rerun_asks_nothing(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    before = landed(store)
    exchange.requests.clear()
    assert land(exchange, store).skipped == 3
    assert exchange.requests == [] and landed(store) == before


def test_a_day_without_trades_has_its_unit_with_no_rows(store: LandingStore) -> None:
    exchange = Exchange(trade_minutes=10**6)
    exchange.list("KXA-1-T0", "2026-05-01T00:00", "2026-06-10T00:00")
    report = land(exchange, store)
    manifest = store.manifest("trades", "2026-06-02")
    assert manifest is not None and manifest.complete
    assert [(unit.rows, unit.tickers) for unit in manifest.units] == [(0, ("KXA-1-T0",))]
    assert report.rows == 0
