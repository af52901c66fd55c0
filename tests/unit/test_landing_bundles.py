"""Events that fill requests together: about as few requests as the exchange allows, and no unit takes others down."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.landing.bundles import Wanted, bundled
from kalshi_pipeline.landing.candles import CandleFact
from kalshi_pipeline.landing.collect import land_candles
from kalshi_pipeline.landing.lives import Window, events_of
from kalshi_pipeline.landing.planning import Span, plan_batches
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import MarketWindow
from tests.exchange_double import Exchange
from tests.unit.least_requests import least_batches

pytestmark = pytest.mark.unit

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
LONG_AGO = Cutoff(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))


def event(series: str, number: int, markets: int, opened: float, closed: float) -> list[MarketWindow]:
    """The markets of an event that trades between two moments, in days after the first."""
    times = FIRST + timedelta(days=opened), FIRST + timedelta(days=closed)
    return [MarketWindow(f"{series}-{number}-{n}", f"{series}-{number}", series, *times) for n in range(markets)]


def universe() -> list[MarketWindow]:
    """Daily highs of six cities over a month, and three monthly ladders each of six releases."""
    highs = [event(f"KXHIGH{city}", day, 6, day + 0.58, day + 2.2) for city in range(6) for day in range(-2, 31)]
    releases = [event(f"KXCPI{n}", close, 13, -30, close + 0.52) for n in range(6) for close in (5, 40, 70)]
    return [market for one in (*highs, *releases) for market in one]


def wanted(markets: list[MarketWindow], days: int, period: int, begin: int = 10) -> list[Wanted]:
    start = int((FIRST + timedelta(days=begin)).timestamp())
    run = Window(start, start + 86_400 * days)
    events = events_of(markets, CandleFact(period).life)
    return [Wanted(one, window, run) for one in events if (window := one.life & run)]


def planned(want: list[Wanted], period: int) -> tuple[int, int, int]:
    """Requests for the bundles, for every event alone, and the least that can do."""
    fact = CandleFact(period)

    def spans(markets: list[MarketWindow], window: Window) -> list[Span]:
        parts = [(market.ticker, fact.life(market) & window) for market in markets]
        return [Span(ticker, part.after_ts + 1, part.end_ts) for ticker, part in parts]

    together = [spans(b.markets, b.window) for b in fact.bundles(want, LONG_AGO)]
    alone = [spans(one.event.alive(one.window), one.window) for one in want]
    return (
        sum(len(plan_batches(part, period)) for part in together),
        sum(len(plan_batches(part, period)) for part in alone),
        least_batches([span for part in alone for span in part], period),
    )


@pytest.mark.parametrize("days", [1, 3, 20])
def test_the_bars_of_a_universe_take_at_most_one_request_in_twenty_more_than_the_least(days: int) -> None:
    together, alone, least = planned(wanted(universe(), days, 1), 1)
    assert least <= together <= 1.05 * least
    assert together < alone


def test_hourly_bars_of_many_small_events_take_an_eighth_of_the_requests(days: int = 20) -> None:
    together, alone, least = planned(wanted(universe(), days, 60), 60)
    assert least <= together <= min(alone / 8, 1.05 * least)


def test_every_event_is_in_one_bundle_and_bundles_stay_within_a_run_of_days() -> None:
    week, day = wanted(universe(), 7, 1), wanted(universe(), 1, 1, begin=17)
    bundles = bundled([*week, *day], [1.0] * (len(week) + len(day)), 9.0)
    assert sorted(map(id, (want for bundle in bundles for want in bundle.wanted))) == sorted(map(id, (*week, *day)))
    assert all(len({want.run for want in bundle.wanted}) == 1 for bundle in bundles)
    assert all(len(bundle.wanted) <= 9 for bundle in bundles)
    assert len({bundle.unit_id("1m") for bundle in bundles}) == len(bundles)


def test_an_event_larger_than_a_bundle_stands_alone() -> None:
    want = wanted(universe(), 1, 1)[:3]
    assert [len(bundle.wanted) for bundle in bundled(want, [1.0, 50.0, 1.0], 10.0)] == [1, 1, 1]


# A bundle that fails --------------------------------------------------------------------------------------------------

DAYS = [date(2026, 6, 1), date(2026, 6, 2)]


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange()
    for n in range(5):
        exchange.list(f"KXA-{n}-T0", "2026-06-01T10:00", "2026-06-02T10:00")
    return exchange


def land(exchange: Exchange, store: LandingStore) -> LandingReport:
    with exchange.client() as client:
        return land_candles(client, store, exchange.markets.values(), DAYS, period_minutes=60, run_id="run")


def test_a_bundle_that_failed_is_taken_apart(exchange: Exchange, tmp_path: Path) -> None:
    store = LandingStore(tmp_path)
    exchange.broken = {"KXA-3"}
    with pytest.raises(LandingFailed, match=r"1 of 1 units .* KXA-0\+4-"):
        land(exchange, store)
    manifest = store.manifest("candles", DAYS[0].isoformat())
    assert manifest and [unit.alive for unit in manifest.units] == [tuple(f"KXA-{n}-T0" for n in range(5))]

    with pytest.raises(LandingFailed, match=r"1 of 5 units .* KXA-3\.60m"):
        land(exchange, store)
    manifest = store.manifest("candles", DAYS[0].isoformat())
    assert manifest and not manifest.complete
    assert sorted((unit.events, unit.state) for unit in manifest.units) == [
        ((f"KXA-{n}",), "failed" if n == 3 else "landed") for n in range(5)
    ]

    exchange.broken = set()
    exchange.requests.clear()
    report = land(exchange, store)
    assert (report.landed, report.resumed, report.incomplete) == (1, 4, {})
    assert len(exchange.asked("candlesticks")) == 1


def test_a_new_market_opens_a_bundled_day_again_and_only_its_event_is_fetched(
    exchange: Exchange, tmp_path: Path
) -> None:
    store = LandingStore(tmp_path)
    land(exchange, store)
    exchange.list("KXA-2-T1", "2026-06-01T12:00", "2026-06-02T10:00")
    exchange.requests.clear()
    land(exchange, store)
    (request,) = exchange.asked("candlesticks")
    assert "KXA-2-T0%2CKXA-2-T1&" in request
    manifest = store.manifest("candles", DAYS[1].isoformat())
    assert manifest and manifest.complete
    assert {ticker for unit in manifest.units for ticker in unit.alive} == set(exchange.markets)
    exchange.requests.clear()
    assert land(exchange, store).skipped == 2 and exchange.requests == []


def test_a_bundle_that_landed_before_its_manifests_is_found_again(exchange: Exchange, tmp_path: Path) -> None:
    store = LandingStore(tmp_path)
    land(exchange, store)
    for manifest in (tmp_path / "candles" / "manifests").iterdir():
        manifest.unlink()
    exchange.requests.clear()
    assert (land(exchange, store).resumed, exchange.requests) == (1, [])
