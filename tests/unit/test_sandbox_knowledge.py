"""The exchange knows nothing it could not have known: no outcome before settlement, nothing before it happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.world import Event, Market, Trades
from tests.unit.sandbox_asking import ask, move, respond

pytestmark = pytest.mark.unit

EVENTS = ("KXCPI-26OCT", "KXFED-26SEP", "KXHIGHAUS-26NOV01", "KXBTC-26NOV1911")
APP = build_app(SimulatedWorld(5), now=datetime(2026, 11, 19, tzinfo=UTC))


class Retold(SimulatedWorld):
    """The same world, but every market settles the other way and on another number."""

    def markets(self, event: Event) -> list[Market]:
        return [_otherwise(market) for market in super().markets(event)]

    def market(self, ticker: str) -> Market | None:
        market = super().market(ticker)
        return _otherwise(market) if market is not None else None


def _otherwise(market: Market) -> Market:
    result = "no" if market.result == "yes" else "yes"
    return dataclasses.replace(market, result=result, expiration_value="-12345")


RETOLD = build_app(Retold(5), now=datetime(2026, 11, 19, tzinfo=UTC))


def everything_about(app: SandboxApp, event: str) -> Iterator[Any]:
    """Every answer of the exchange that concerns an event."""
    series = event.partition("-")[0]
    yield respond(app, f"/events/{event}", with_nested_markets="true").content
    yield respond(app, "/historical/markets", event_ticker=event).content
    yield respond(app, "/markets", event_ticker=event, limit=1000).content
    yield respond(app, "/markets", series_ticker=series, status="settled", limit=50).content
    for market in app.floor.world.markets(app.floor.world.event(event))[:3]:  # type: ignore[arg-type]
        yield respond(app, f"/markets/{market.ticker}").content
        yield respond(app, f"/historical/markets/{market.ticker}").content
        yield respond(app, f"/markets/{market.ticker}/orderbook").content


@pytest.mark.parametrize("event", EVENTS)
@settings(max_examples=12)
@given(share=st.floats(0, 1))
def test_before_settlement_no_answer_depends_on_the_outcome(event: str, share: float) -> None:
    told = APP.floor.world.event(event)
    assert told is not None and told.settled is not None
    start = told.listed - timedelta(hours=1)
    now = start + share * (told.settled - timedelta(microseconds=1) - start)
    # Markets of one day settle together in a series; ask about this one's settled neighbours only through itself.
    for app in (APP, RETOLD):
        move(app, now.isoformat())
    mine = [answer for n, answer in enumerate(everything_about(APP, event)) if n != 3]
    other = [answer for n, answer in enumerate(everything_about(RETOLD, event)) if n != 3]
    assert mine == other


@pytest.mark.parametrize("event", EVENTS)
def test_the_outcome_appears_at_settlement_and_not_a_second_earlier(event: str) -> None:
    told = APP.floor.world.event(event)
    assert told is not None and told.settled is not None
    ticker = APP.floor.world.markets(told)[0].ticker
    move(APP, (told.settled - timedelta(seconds=1)).isoformat())
    before = ask(APP, f"/markets/{ticker}")["market"]
    assert (before["status"], before["result"], before["expiration_value"]) == ("closed", "", "")
    assert not {"settlement_ts", "settlement_value_dollars"} & set(before)
    move(APP, told.settled.isoformat())
    after = ask(APP, f"/markets/{ticker}")["market"]
    assert after["status"] == "finalized" and after["result"] in ("yes", "no") and after["expiration_value"]
    assert after["settlement_value_dollars"] == ("1.0000" if after["result"] == "yes" else "0.0000")


@pytest.mark.parametrize("event", EVENTS)
@settings(max_examples=10)
@given(share=st.floats(0, 1))
def test_bars_and_trades_are_those_that_have_happened(event: str, share: float) -> None:
    told = APP.floor.world.event(event)
    assert told is not None and told.settled is not None
    now = told.open_time + share * (told.settled - told.open_time)
    move(APP, now.isoformat())
    series, seconds = event.partition("-")[0], int(now.timestamp())
    market = APP.floor.world.markets(told)[1]
    window = {"start_ts": seconds - 86_400, "end_ts": seconds + 86_400, "period_interval": 1}
    served = ask(APP, f"/series/{series}/markets/{market.ticker}/candlesticks", **window)["candlesticks"]
    ends = APP.floor.world.candles(market, 1).end
    assert [bar["end_period_ts"] for bar in served] == [e for e in ends.tolist() if seconds - 86_400 <= e <= seconds]
    found = ask(APP, "/markets/trades", ticker=market.ticker, limit=1000)["trades"]
    tape: Trades = APP.floor.world.trades(market)
    past = [time for time in tape.time.tolist() if time <= now.timestamp() * 1e6]
    assert [trade["created_time"] for trade in found] == sorted((t["created_time"] for t in found), reverse=True)
    assert len(found) == min(len(past), 1000)


def test_an_event_does_not_exist_before_it_is_listed() -> None:
    told = APP.floor.world.event("KXCPI-26OCT")
    assert told is not None
    move(APP, (told.listed - timedelta(seconds=1)).isoformat())
    assert respond(APP, "/events/KXCPI-26OCT").status_code == 404
    assert ask(APP, "/markets", event_ticker="KXCPI-26OCT")["markets"] == []
    move(APP, told.listed.isoformat())
    assert {m["status"] for m in ask(APP, "/events/KXCPI-26OCT")["markets"]} == {"initialized"}


def test_revisions_appear_with_the_release_that_brings_them() -> None:
    vintages = APP.floor.world.outcome_vintages("KXPAYROLLS")
    revised = next(
        v for v, w in zip(vintages[1:], vintages, strict=False) if v.period == w.period and v.value != w.value
    )
    move(APP, (revised.published - timedelta(seconds=1)).isoformat())
    query = {"series_id": "PAYEMS", "units": "chg"}
    before = ask(APP, "/fred/series/observations", **query)["observations"]
    move(APP, revised.published.isoformat())
    after = ask(APP, "/fred/series/observations", **query)["observations"]
    period = revised.period.isoformat()
    assert len([row for row in after if row["date"] == period]) == 1 + len([r for r in before if r["date"] == period])
    assert all(row["realtime_start"] <= revised.published.date().isoformat() for row in after)
    assert respond(APP, "/fred/series/observations", series_id="PAYEMS", units="pch").status_code == 400
