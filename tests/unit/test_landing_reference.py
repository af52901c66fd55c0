"""Each run observes the whole universe, from both tiers, and an unknown series is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kalshi_pipeline.landing.collect import land_events, land_markets, land_series
from kalshi_pipeline.landing.report import LandingFailed, UnknownSeries
from kalshi_pipeline.landing.store import LandingStore
from tests.exchange_double import Exchange, at, envelopes

pytestmark = pytest.mark.unit

UNIVERSE = ["KXA", "KXB"]


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    return LandingStore(tmp_path / "landing")


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange(cutoff=at("2026-06-01"), page_size=2)
    for n in range(5):
        exchange.list(f"KXA-1-T{n}", "2026-06-01T10:00", "2026-06-10T04:59")
        exchange.list(f"KXA-0-T{n}", "2026-04-01T10:00", "2026-05-01T04:59", "2026-05-01T06:00")
    exchange.list("KXB-1-T0", "2026-06-01T10:00", "2026-06-10T04:59", series="KXB")
    return exchange


def test_series_and_events_land_for_the_whole_universe(exchange: Exchange, store: LandingStore) -> None:
    with exchange.client() as client:
        assert land_series(client, store, UNIVERSE, "run").rows == 2
        assert land_events(client, store, UNIVERSE, "run").rows == 3
    assert len(store.files("series")) == 2
    lines = [line for path in store.files("events") for line in envelopes(path)]
    assert {row["event_ticker"] for line in lines for row in line["body"]["events"]} == {"KXA-0", "KXA-1", "KXB-1"}


def test_markets_land_from_both_tiers_and_say_which(exchange: Exchange, store: LandingStore) -> None:
    with exchange.client() as client:
        report = land_markets(client, store, UNIVERSE, "run")
    got = {
        (row["ticker"], line["context"]["tier"], line["context"]["series_ticker"])
        for path in store.files("markets")
        for line in envelopes(path)
        for row in line["body"]["markets"] or ()
    }
    live = {(f"KXA-1-T{n}", "live", "KXA") for n in range(5)} | {("KXB-1-T0", "live", "KXB")}
    assert got == live | {(f"KXA-0-T{n}", "historical", "KXA") for n in range(5)}
    assert (report.planned, report.landed, report.rows) == (4, 4, 11)


def test_every_run_is_an_observation_and_the_newest_is_read(exchange: Exchange, store: LandingStore) -> None:
    with exchange.client() as client:
        land_markets(client, store, UNIVERSE, "first")
        land_markets(client, store, UNIVERSE, "second")
    assert store.partitions("markets") == ["latest", "observation-first", "observation-second"]
    assert all(path.name.endswith("second.jsonl.gz") for path in store.files("markets"))
    assert len(store.files("markets")) == 4


def test_a_run_that_is_started_again_resumes_its_observation(exchange: Exchange, store: LandingStore) -> None:
    exchange.broken = {"/historical/markets?series_ticker=KXB"}
    with exchange.client() as client, pytest.raises(LandingFailed, match="1 of 4 units of markets"):
        land_markets(client, store, UNIVERSE, "run")
    exchange.broken = set()
    exchange.requests.clear()
    with exchange.client() as client:
        report = land_markets(client, store, UNIVERSE, "run")
    assert (report.landed, report.resumed) == (1, 3)
    assert len(exchange.requests) == 1
    manifest = store.manifest("markets", "latest")
    assert manifest is not None and manifest.complete and len(manifest.landed) == 4


@pytest.mark.parametrize("land", [land_series, land_events, land_markets])
def test_an_unknown_series_is_named_with_the_remedy_and_the_others_land(
    exchange: Exchange, store: LandingStore, land: type[None]
) -> None:
    with exchange.client() as client, pytest.raises(UnknownSeries) as caught:
        land(client, store, ["KXA", "KXNONE", "KXB"], "run")  # type: ignore[call-arg]
    assert caught.value.unknown == ["KXNONE"]
    assert str(caught.value).startswith("KXNONE is not listed by the exchange; correct the universe (KALSHI_UNIVERSE)")
    manifest = store.manifest(land.__name__.removeprefix("land_"), "latest")
    assert manifest is not None and not manifest.complete
    assert {unit.context["series_ticker"] for unit in manifest.landed} >= {"KXA", "KXB"}


def test_a_series_without_events_is_empty_and_no_error(exchange: Exchange, store: LandingStore) -> None:
    exchange.list("KXC-1-T0", "2026-06-01T10:00", "2026-06-10T04:59", series="KXC")
    listed = exchange.markets.pop("KXC-1-T0")
    exchange.on_request = lambda address: exchange.markets.update(
        {listed.ticker: listed} if address.startswith("/series/KXC") else {}
    )
    with exchange.client() as client:
        assert land_events(client, store, ["KXC"], "run").rows == 0
    assert exchange.asked("/series/KXC")
