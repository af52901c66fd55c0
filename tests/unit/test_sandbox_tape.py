"""The tape: every trade once, newest first, in the tier its time puts it in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.world import Market
from tests.unit.sandbox_asking import ask, walk

pytestmark = pytest.mark.unit

#: Sixty days before, at midnight, lies the cutoff: in the middle of the trading of this event.
NOW = datetime(2026, 8, 30, 12, 0, 0, tzinfo=UTC)
EVENT = "KXHIGHPHIL-26JUL01"


@pytest.fixture(scope="module")
def app() -> SandboxApp:
    return build_app(SimulatedWorld(9), now=NOW)


@pytest.fixture(scope="module")
def market(app: SandboxApp) -> Market:
    event = app.floor.world.event(EVENT)
    assert event is not None
    return max(app.floor.world.markets(event), key=lambda market: len(app.floor.world.trades(market)))


def micros(trade: dict[str, Any]) -> int:
    moment = datetime.fromisoformat(trade["created_time"])
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def test_both_tiers_together_hold_every_trade_once(app: SandboxApp, market: Market) -> None:
    cutoff = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * 1_000_000
    times = app.floor.world.trades(market).time.tolist()
    expected = {
        "/historical/trades": [time for time in times if time < cutoff],
        "/markets/trades": [time for time in times if time >= cutoff],
    }
    for path, past in expected.items():
        assert past, "the event trades on both sides of the cutoff"
        pages = walk(app, path, "trades", ticker=market.ticker, limit=37)
        assert [micros(trade) for page in pages for trade in page] == past[::-1]
        ids = [trade["trade_id"] for page in pages for trade in page]
        assert len(set(ids)) == len(ids)


def test_a_window_includes_the_whole_of_both_its_seconds(app: SandboxApp, market: Market) -> None:
    times = [time for time in app.floor.world.trades(market).time.tolist() if time >= 1_782_864_000_000_000]
    low, high = times[2] // 1_000_000, times[-3] // 1_000_000
    found = ask(app, "/markets/trades", ticker=market.ticker, min_ts=low, max_ts=high, limit=1000)["trades"]
    assert [micros(t) for t in found] == [t for t in reversed(times) if low <= t // 1_000_000 <= high][:1000]


def test_the_exchange_wide_feed_merges_every_market(app: SandboxApp) -> None:
    end = int(NOW.timestamp())
    start = end - 1800
    pages = walk(app, "/markets/trades", "trades", min_ts=start, max_ts=end, limit=150)
    found = [(trade["ticker"], micros(trade)) for page in pages for trade in page]
    world, expected = app.floor.world, []
    for event in world.events():
        if event.open_time <= NOW and event.close_time.timestamp() >= start:
            for market in world.markets(event):
                times = world.trades(market).time.tolist()
                expected += [(market.ticker, t) for t in times if start * 1_000_000 <= t <= end * 1_000_000]
    assert len(found) > 150 and sorted(found) == sorted(expected)
    assert [time for _, time in found] == sorted((time for _, time in found), reverse=True)


def test_prices_of_both_sides_add_up_and_no_trade_is_a_block(app: SandboxApp) -> None:
    for trade in ask(app, "/markets/trades", limit=300)["trades"]:
        assert float(trade["yes_price_dollars"]) + float(trade["no_price_dollars"]) == pytest.approx(1)
        assert trade["taker_book_side"] == {"yes": "bid", "no": "ask"}[trade["taker_outcome_side"]]
    assert ask(app, "/markets/trades", is_block_trade="true") == {"trades": [], "cursor": ""}
