"""A snapshot is taken while its day runs, or never."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from kalshi_pipeline.landing.collect import land_quotes
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LandingStore
from tests.exchange_double import Exchange, at, envelopes

pytestmark = pytest.mark.unit

TODAY = date(2026, 6, 3)
NOON = at("2026-06-03T12:00")


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing")


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange(now=NOON, page_size=2)
    for n in range(5):
        exchange.list(f"KXA-1-T{n}", "2026-06-01T10:00", "2026-06-10T04:59")
    exchange.list("KXA-0-T0", "2026-05-01T10:00", "2026-06-01T04:59")
    exchange.list("KXB-1-T0", "2026-06-01T10:00", "2026-06-10T04:59", series="KXB")
    return exchange


def land(exchange: Exchange, store: LandingStore, *days: date, now: datetime | None = None) -> LandingReport:
    exchange.now = now or exchange.now
    with exchange.client() as client:
        return land_quotes(client, store, ["KXA", "KXB"], days, run_id="run")


def test_a_snapshot_holds_every_open_market_of_the_universe(exchange: Exchange, store: LandingStore) -> None:
    report = land(exchange, store, TODAY)
    lines = [line for path in store.files("quotes", [TODAY]) for line in envelopes(path)]
    tickers = sorted(row["ticker"] for line in lines for row in line["body"]["markets"])
    assert tickers == [f"KXA-1-T{n}" for n in range(5)] + ["KXB-1-T0"]
    assert all(line["received_at"] == "2026-06-03T12:00:00Z" for line in lines)
    assert (report.landed, report.rows) == (2, 6)
    assert all("status=open" in asked and "mve_filter=exclude" in asked for asked in exchange.requests)


def test_every_snapshot_of_a_day_adds_to_it(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store, TODAY)
    land(exchange, store, TODAY, now=at("2026-06-03T12:15"))
    manifest = store.manifest("quotes", "2026-06-03")
    assert manifest is not None and not manifest.complete
    assert len(manifest.units) == 4 and manifest.reason == "The day is not over: more snapshots can be taken."


def test_a_snapshot_of_one_instant_is_taken_once(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store, TODAY)
    exchange.requests.clear()
    assert land(exchange, store, TODAY).resumed == 2
    assert exchange.requests == []


def test_a_past_day_without_snapshots_is_complete_and_empty_and_says_why(
    exchange: Exchange, store: LandingStore
) -> None:
    report = land(exchange, store, date(2026, 6, 1), date(2026, 6, 2))
    assert exchange.requests == [] and report.incomplete == {}
    for day in ("2026-06-01", "2026-06-02"):
        manifest = store.manifest("quotes", day)
        assert manifest is not None and manifest.complete and manifest.units == ()
        assert manifest.reason.startswith("A past day without landing: no live snapshot was taken")
    assert land(exchange, store, date(2026, 6, 1), date(2026, 6, 2)).skipped == 2


def test_a_day_with_snapshots_is_complete_once_it_is_over(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store, TODAY)
    exchange.requests.clear()
    land(exchange, store, TODAY, now=at("2026-06-04"))
    manifest = store.manifest("quotes", "2026-06-03")
    assert manifest is not None and manifest.complete and manifest.reason == "" and len(manifest.units) == 2
    assert exchange.requests == []


def test_a_day_to_come_has_not_begun(exchange: Exchange, store: LandingStore) -> None:
    assert land(exchange, store, date(2026, 6, 4)).incomplete == {"2026-06-04": "The day has not begun."}
    assert exchange.requests == []


def test_a_series_that_fails_takes_no_other_with_it(exchange: Exchange, store: LandingStore) -> None:
    exchange.broken = {"series_ticker=KXA"}
    with pytest.raises(LandingFailed, match="1 of 2 units of quotes"):
        land(exchange, store, TODAY)
    manifest = store.manifest("quotes", "2026-06-03")
    assert manifest is not None
    assert [(unit.context["series_ticker"], unit.state) for unit in manifest.units] == [
        ("KXA", "failed"),
        ("KXB", "landed"),
    ]
