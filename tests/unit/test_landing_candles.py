"""Candles land whole, once, from the right tier, and a partition never says more than is there."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.landing import candles
from kalshi_pipeline.landing.collect import land_candles
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LandingStore
from tests.exchange_double import Exchange, at, envelopes, seconds

pytestmark = pytest.mark.unit

FIRST = date(2026, 6, 1)
WEEK = [FIRST + timedelta(days=n) for n in range(7)]


@pytest.fixture(params=["events alone", "events together"])
def bundling(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether events are fetched in bundles, as they are, or each by itself, as where they are large."""
    if request.param == "events alone":
        monkeypatch.setattr(candles, "REQUESTS_IN_BUNDLE", 0.0)
    return bool(request.param == "events together")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event is a unit of its own, as where events are large."""
    monkeypatch.setattr(candles, "REQUESTS_IN_BUNDLE", 0.0)


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing")


@pytest.fixture
def exchange() -> Exchange:
    """Three events: one inside the week, one that reaches over both its ends, one long settled and archived."""
    exchange = Exchange(cutoff=at("2026-06-03"))
    for n in range(3):
        exchange.list(f"KXA-1-T{n}", "2026-06-02T10:00", "2026-06-04T04:59", "2026-06-04T06:00")
        exchange.list(f"KXA-2-T{n}", "2026-05-20T10:00", "2026-06-20T04:59")
        exchange.list(f"KXA-3-T{n}", "2026-05-31T10:00", "2026-06-02T12:00", "2026-06-02T15:00")
    return exchange


def land(exchange: Exchange, store: LandingStore, days: list[date] = WEEK, **options: Any) -> LandingReport:
    options = {"period_minutes": 60, "run_id": "run", **options}
    markets = options.pop("markets", exchange.markets.values())
    with exchange.client() as client:
        return land_candles(client, store, markets, days, **options)


def landed(store: LandingStore, days: list[date] = WEEK) -> Counter[tuple[str, int]]:
    """The bars in the files that the manifests of these days name, as often as they are there."""
    bars: Counter[tuple[str, int]] = Counter()
    for path in store.files("candles", days):
        for line in envelopes(path):
            body = line["body"]
            groups = body.get("markets") or [{"market_ticker": body.get("ticker"), **body}]
            for group in groups:
                listed = group.get("candlesticks") or ()
                bars.update((group["market_ticker"], bar["end_period_ts"]) for bar in listed)
    return bars


def truth(
    exchange: Exchange, days: list[date] = WEEK, period: int = 60, until: int | None = None
) -> set[tuple[str, int]]:
    """Every bar that ends within the days, midnight belonging to the day before."""
    begin = seconds(at(days[0].isoformat()))
    end = min(begin + 86_400 * len(days), until or 10**12)
    return {(t, ts) for t in exchange.markets for ts in exchange.bars(t, period) if begin < ts <= end}


def parameter(exchange: Exchange, name: str) -> list[int]:
    """The values of a parameter in all the requests that have it."""
    return [int(request.split(f"{name}=")[1].split("&")[0]) for request in exchange.asked(f"{name}=")]


def test_every_bar_of_the_days_lands_once_and_nothing_else(
    exchange: Exchange, store: LandingStore, bundling: bool
) -> None:
    report = land(exchange, store)
    assert landed(store) == Counter(truth(exchange))
    units = 2 if bundling else 3
    assert (report.planned, report.landed, report.resumed, report.failed) == (units, units, 0, {})
    assert report.rows == len(truth(exchange))
    assert report.statistics.requests == len(exchange.requests)


def test_a_long_range_takes_few_requests(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    # The cutoff, one batch for the two live events together, and one request per archived market.
    assert len(exchange.requests) == 1 + 1 + 3


@pytest.mark.usefixtures("alone")
def test_every_day_has_a_manifest_that_names_its_units(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    named = {}
    for day in WEEK:
        manifest = store.manifest("candles", day.isoformat())
        assert manifest is not None and manifest.complete and manifest.reason == ""
        named[day.day] = sorted(unit.context["event_ticker"] for unit in manifest.units)
        for unit in manifest.units:
            assert (store.root / unit.path).stat().st_size == unit.bytes
    assert named == {
        1: ["KXA-2", "KXA-3"],
        2: ["KXA-1", "KXA-2", "KXA-3"],
        3: ["KXA-1", "KXA-2"],
        4: ["KXA-1", "KXA-2"],
        5: ["KXA-2"],
        6: ["KXA-2"],
        7: ["KXA-2"],
    }


def test_a_day_without_an_open_market_is_complete_and_says_why(exchange: Exchange, store: LandingStore) -> None:
    report = land(exchange, store, [date(2026, 3, 1)])
    manifest = store.manifest("candles", "2026-03-01")
    assert manifest is not None and manifest.complete and manifest.units == ()
    assert manifest.reason == "No market of the universe was open on this day."
    assert exchange.requests == [] and report.incomplete == {}


def test_a_rerun_asks_nothing_and_changes_nothing(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    exchange.requests.clear()
    report = land(exchange, store, run_id="another")
    assert exchange.requests == []
    assert (report.planned, report.skipped, report.partitions) == (0, 7, 7)
    assert before == {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lost", [WEEK, WEEK[3:], WEEK[2:4], WEEK[:1]])
def test_units_that_landed_before_a_kill_are_not_fetched_again(
    exchange: Exchange, store: LandingStore, lost: list[date]
) -> None:
    """The kill hit after the units were written, before or while the manifests were."""
    land(exchange, store)
    before = landed(store)
    for day in lost:
        (store.root / "candles" / "manifests" / f"{day}.json").unlink()
    exchange.requests.clear()
    report = land(exchange, store)
    assert exchange.requests == []
    assert report.landed == 0 and report.resumed == report.planned > 0
    assert landed(store) == before
    assert all((m := store.manifest("candles", day.isoformat())) and m.complete for day in WEEK)


@pytest.mark.usefixtures("alone")
def test_a_kill_within_a_unit_leaves_no_trace_of_it(exchange: Exchange, store: LandingStore) -> None:
    class Killed(BaseException):
        pass

    def kill(address: str) -> None:
        if "/historical/markets/KXA-3-T1/" in address:
            raise Killed

    exchange.on_request = kill
    with pytest.raises(Killed):
        land(exchange, store)
    assert store.unit_files("candles", "KXA-3") == []
    assert list((store.root / ".incoming").iterdir()) == []
    assert store.partitions("candles") == []

    exchange.on_request = lambda _: None
    exchange.requests.clear()
    report = land(exchange, store)
    assert landed(store) == Counter(truth(exchange))
    assert report.resumed + report.landed == 3 and report.landed >= 1
    assert len(exchange.asked("KXA-3")) == 3


@pytest.mark.usefixtures("alone")
def test_a_failing_unit_fails_its_days_by_name_and_no_other(exchange: Exchange, store: LandingStore) -> None:
    exchange.broken = {"KXA-1"}
    with pytest.raises(LandingFailed) as caught:
        land(exchange, store)
    unit = "KXA-1.60m.20260602T100000Z_20260604T050000Z"
    assert list(caught.value.report.failed) == [unit]
    assert "1 of 3 units of candles could not be fetched" in str(caught.value)
    assert unit in str(caught.value) and "answered 500" in str(caught.value)
    states = {}
    for day in WEEK:
        manifest = store.manifest("candles", day.isoformat())
        assert manifest is not None
        states[day.day] = (manifest.complete, unit in manifest.reason)
    assert states == {n: ((False, True) if n in (2, 3, 4) else (True, False)) for n in range(1, 8)}
    assert landed(store) == Counter(bar for bar in truth(exchange) if not bar[0].startswith("KXA-1"))

    exchange.broken = set()
    exchange.requests.clear()
    report = land(exchange, store)
    assert (report.landed, report.resumed, report.skipped) == (1, 2, 4)
    assert exchange.asked("KXA-2") == exchange.asked("KXA-3") == []
    assert landed(store) == Counter(truth(exchange))


def test_a_day_that_is_not_over_is_landed_as_far_as_it_goes(exchange: Exchange, store: LandingStore) -> None:
    exchange.now = at("2026-06-03T16:20:30")
    report = land(exchange, store, WEEK[:4])
    assert report.incomplete == {
        "2026-06-03": "The day is not over: landed as far as 2026-06-03 16:20 UTC.",
        "2026-06-04": "The day has not begun.",
    }
    now = seconds(exchange.now)
    assert landed(store, WEEK[:4]) == Counter(truth(exchange, WEEK[:4], until=now))
    assert max(parameter(exchange, "end_ts")) <= now

    exchange.now = at("2026-06-10")
    exchange.requests.clear()
    report = land(exchange, store, WEEK[:4])
    assert report.skipped == 2 and report.incomplete == {}
    assert set(landed(store, WEEK[:4])) == truth(exchange, WEEK[:4])
    assert min(parameter(exchange, "start_ts")) > seconds(at("2026-06-03"))


@pytest.mark.usefixtures("alone")
def test_settled_before_the_cutoff_is_asked_of_the_historical_tier(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    assert len(exchange.asked("/historical/markets/KXA-3")) == 3
    assert all("KXA-3" not in address for address in exchange.asked("market_tickers"))
    tiers = {
        (line["context"]["event_ticker"], line["context"]["tier"])
        for path in store.files("candles", WEEK)
        for line in envelopes(path)
    }
    assert tiers == {("KXA-1", "live"), ("KXA-2", "live"), ("KXA-3", "historical")}


def test_the_other_tier_is_asked_where_the_first_knows_nothing(store: LandingStore) -> None:
    """Our knowledge is stale: one market was archived since, one is not yet, a third never had a bar."""
    exchange = Exchange(cutoff=at("2026-06-05"))
    exchange.list("KXA-1-MOVED", "2026-06-01T10:00", "2026-06-02T10:00", "2026-06-02T11:00")
    exchange.list("KXA-1-STAYED", "2026-06-01T10:00", "2026-06-02T10:00", "2026-06-20T11:00")
    exchange.list("KXA-1-MUTE", "2026-06-01T10:00", "2026-06-02T10:00", "2026-06-20T11:00")
    exchange.silent = {"KXA-1-MUTE"}
    stale = {"KXA-1-MOVED": None, "KXA-1-STAYED": at("2026-06-02T11:00"), "KXA-1-MUTE": None}
    markets = [type(m)(*(getattr(m, f) for f in m.__slots__[:5]), stale[t]) for t, m in exchange.markets.items()]
    land(exchange, store, WEEK[:2], markets=markets)
    assert landed(store, WEEK[:2]) == Counter(truth(exchange, WEEK[:2]))
    exchange.requests.clear()
    land(exchange, store, WEEK[:2], markets=markets)
    assert exchange.requests == []


@pytest.mark.usefixtures("alone")
def test_refresh_fetches_again_what_has_landed(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    exchange.requests.clear()
    report = land(exchange, store, refresh=True)
    assert (report.landed, report.resumed, report.skipped) == (3, 0, 0)
    assert landed(store) == Counter(truth(exchange))


def test_a_market_that_was_not_known_makes_a_complete_day_open_again(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    exchange.list("KXA-2-LATE", "2026-06-03T10:00", "2026-06-20T04:59")
    exchange.requests.clear()
    report = land(exchange, store)
    assert (report.skipped, report.landed, report.resumed) == (2, 1, 1)
    assert exchange.asked("KXA-1") == exchange.asked("KXA-3") == []
    assert set(landed(store)) == truth(exchange)


def test_another_universe_leaves_what_landed_before(exchange: Exchange, store: LandingStore) -> None:
    first = [m for m in exchange.markets.values() if m.event_ticker == "KXA-1"]
    rest = [m for m in exchange.markets.values() if m.event_ticker != "KXA-1"]
    land(exchange, store, markets=first)
    land(exchange, store, markets=rest)
    assert landed(store) == Counter(truth(exchange))


def test_bars_of_another_length_stand_beside_the_first(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store, period_minutes=60)
    land(exchange, store, period_minutes=1)
    assert landed(store) == Counter(truth(exchange, period=60)) + Counter(truth(exchange, period=1))
    exchange.requests.clear()
    land(exchange, store, period_minutes=60)
    land(exchange, store, period_minutes=1)
    assert exchange.requests == []


def test_a_partial_day_of_one_length_is_not_taken_for_complete_after_another(
    exchange: Exchange, store: LandingStore
) -> None:
    exchange.now = at("2026-06-03T16:00")
    land(exchange, store, [WEEK[2]], period_minutes=60)
    exchange.now = at("2026-06-10")
    land(exchange, store, [WEEK[2]], period_minutes=1)
    land(exchange, store, [WEEK[2]], period_minutes=60)
    assert truth(exchange, [WEEK[2]], period=60) <= set(landed(store, [WEEK[2]]))


@pytest.mark.usefixtures("alone")
def test_a_damaged_file_is_fetched_again(exchange: Exchange, store: LandingStore) -> None:
    land(exchange, store)
    (path,) = store.unit_files("candles", "KXA-1")
    path.write_bytes(path.read_bytes()[:-9])
    for manifest in (store.root / "candles" / "manifests").iterdir():
        manifest.unlink()
    exchange.requests.clear()
    report = land(exchange, store)
    assert (report.landed, report.resumed) == (1, 2)
    assert landed(store) == Counter(truth(exchange))


@pytest.mark.usefixtures("alone")
def test_an_exchange_that_is_down_fails_fast_and_keeps_what_landed(store: LandingStore) -> None:
    exchange = Exchange()
    for n in range(200):
        exchange.list(f"KXA-{n:03}-T0", "2026-06-01T10:00", "2026-06-02T10:00")
    exchange.broken = {f"KXA-{n:03}" for n in range(40, 200)}
    with pytest.raises(LandingFailed, match="160 of 200 units") as caught:
        land(exchange, store, WEEK[:2])
    assert len(exchange.requests) < 120
    assert any("asks no more" in reason for reason in caught.value.report.failed.values())
    assert len(landed(store, WEEK[:2])) == 40 * 24


def test_the_exchange_has_no_bars_of_other_lengths(exchange: Exchange, store: LandingStore) -> None:
    with pytest.raises(ValueError, match="1, 60 and 1440"):
        land(exchange, store, period_minutes=15)


@pytest.mark.usefixtures("alone")
def test_the_report_is_flat_metadata(exchange: Exchange, store: LandingStore) -> None:
    said = land(exchange, store).as_metadata()
    assert said["units_landed"] == 3 and said["units_failed"] == 0 and said["requests"] == 6
    assert said["reasons"] is None
    assert all(value is None or isinstance(value, int | float | str) for value in said.values())
