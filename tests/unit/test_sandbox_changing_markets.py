"""Markets that the exchange changes after the fact, on demand: strikes, titles, outcomes, tiers, time, and combos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.combos import SERIES
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.world import Market
from tests.unit.sandbox_asking import ask, move, respond, walk

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)
WORLD = SimulatedWorld(11)


def exchange(**faults: object) -> SandboxApp:
    return build_app(WORLD, now=NOW, faults=Faults.read(faults))


def markets(series: str) -> list[Market]:
    """Markets of the series' events of autumn 2026, straight from the world."""
    begin = NOW - timedelta(days=50)
    return [m for event in WORLD.events(series) if begin < event.close_time < NOW for m in WORLD.markets(event)]


def seen(app: SandboxApp, market: Market, at: datetime) -> dict[str, Any]:
    move(app, at.isoformat())
    body: dict[str, Any] = ask(app, f"/markets/{market.ticker}")["market"]
    return body


def halfway(market: Market) -> datetime:
    return market.open_time + (market.close_time - market.open_time) / 2


def changed(app: SandboxApp, among: Sequence[Market], fields: Sequence[str]) -> list[Market]:
    """Markets that say something else in these fields before half of their trading time is over than after it."""
    found = []
    for market in among:
        before = seen(app, market, halfway(market) - timedelta(seconds=1))
        after = seen(app, market, halfway(market))
        if [before.get(name) for name in fields] != [after.get(name) for name in fields]:
            found.append(market)
    return found


def test_a_share_of_the_markets_is_struck_anew_and_says_when() -> None:
    app, honest = exchange(restruck=0.4), exchange()
    among = markets("KXHIGHCHI")[:60]
    hit = changed(app, among, ["floor_strike", "cap_strike"])
    assert 0.2 * len(among) < len(hit) < 0.6 * len(among)
    market = next(m for m in hit if m.strike_type == "between")
    before, after = seen(app, market, halfway(market) - timedelta(hours=1)), seen(app, market, halfway(market))
    assert before["floor_strike"] == after["floor_strike"] + 1 and before["cap_strike"] == after["cap_strike"] + 1
    assert after == seen(honest, market, halfway(market)) | {"updated_time": after["updated_time"]}
    assert datetime.fromisoformat(before["updated_time"]) == market.listed
    assert datetime.fromisoformat(after["updated_time"]) == halfway(market)


def test_strikes_are_off_by_their_own_last_decimal() -> None:
    app = exchange(restruck=1.0)
    market = next(m for m in markets("KXCPI") if m.floor_strike == 0.3)
    assert seen(app, market, market.open_time)["floor_strike"] == 0.4


def test_a_share_of_the_markets_is_given_other_titles() -> None:
    app = exchange(retitled=0.4)
    among = markets("KXHIGHCHI")[:60]
    hit = changed(app, among, ["title", "yes_sub_title"])
    assert 0.2 * len(among) < len(hit) < 0.6 * len(among)
    assert changed(app, among, ["floor_strike", "cap_strike"]) == []
    assert seen(app, hit[0], hit[0].open_time)["yes_sub_title"] == "To be confirmed"


def test_a_market_determined_the_wrong_way_is_disputed_amended_and_settled_the_right_way() -> None:
    app, honest = exchange(amended=1.0), exchange()
    market = next(m for m in markets("KXCPI") if m.result == "yes")
    assert market.settlement_ts is not None
    gap = market.settlement_ts - market.close_time
    stages = [seen(app, market, market.close_time + gap * share) for share in (0.0, 0.3, 0.6, 0.8, 1.0)]
    assert [stage["status"] for stage in stages] == ["closed", "determined", "disputed", "amended", "finalized"]
    assert [stage["result"] for stage in stages] == ["", "no", "no", "yes", "yes"]
    paid = [stage.get("settlement_value_dollars") for stage in stages]
    assert paid == [None, "0.0000", "0.0000", "1.0000", "1.0000"]
    assert ["settlement_ts" in stage for stage in stages] == [False, False, False, False, True]
    updated = [stage["updated_time"] for stage in stages]
    assert updated == sorted(updated) and len(set(updated)) == 5
    assert stages[-1] == seen(honest, market, market.settlement_ts)


def test_a_market_that_is_not_final_yet_is_listed_as_closed() -> None:
    app = exchange(amended=1.0)
    market = next(m for m in markets("KXCPI") if m.result == "yes")
    assert market.settlement_ts is not None
    for share in (0.0, 0.3, 0.6, 0.8):
        move(app, (market.close_time + (market.settlement_ts - market.close_time) * share).isoformat())
        for status, listed in (("closed", True), ("settled", False), ("open", False)):
            found = ask(app, "/markets", tickers=market.ticker, status=status)["markets"]
            assert bool(found) == listed


def test_combos_swamp_a_listing_that_does_not_leave_them_out() -> None:
    app = exchange(combos=450)
    plain = ask(exchange(), "/markets", limit=50, status="open")["markets"]
    assert ask(app, "/markets", limit=50, status="open", mve_filter="exclude")["markets"] == plain
    first = ask(app, "/markets", limit=200, status="open")
    second = ask(app, "/markets", limit=300, status="open", cursor=first["cursor"])
    swamped = first["markets"] + second["markets"]
    assert len({market["ticker"] for market in swamped}) == 500
    assert all(market["ticker"].startswith(SERIES) for market in swamped[:450])
    assert swamped[450:] == plain
    only = walk(app, "/markets", "markets", limit=200, mve_filter="only")
    assert [market for page in only for market in page] == swamped[:450]
    combo = only[0][0]
    assert (combo["yes_ask_dollars"], combo["no_bid_dollars"]) == ("0.0000", "1.0000")
    assert len(combo["mve_selected_legs"]) == 2


def test_combos_made_between_two_pages_do_not_disturb_the_walk() -> None:
    app = exchange(combos=150)
    first = ask(app, "/markets", limit=100, mve_filter="only")
    move(app, (NOW + timedelta(seconds=30)).isoformat())
    second = ask(app, "/markets", limit=100, mve_filter="only", cursor=first["cursor"])
    tickers = [market["ticker"] for body in (first, second) for market in body["markets"]]
    assert len(set(tickers)) == len(tickers) == 120 and second["cursor"] == ""


@pytest.mark.parametrize("query", [{"series_ticker": "KXCPI"}, {"status": "settled"}, {"min_close_ts": 1}])
def test_a_listing_of_something_else_holds_no_combos(query: dict[str, Any]) -> None:
    found = ask(exchange(combos=50), "/markets", limit=100, **query)["markets"]
    assert found and not any(market["ticker"].startswith(SERIES) for market in found)


def test_the_tiers_of_markets_and_trades_are_moved_apart() -> None:
    market = next(m for m in markets("KXHIGHCHI") if len(WORLD.trades(m)) > 10)
    assert market.settlement_ts is not None
    middle = market.open_time + (market.close_time - market.open_time) / 2
    after = market.settlement_ts + timedelta(days=1)
    app = exchange(market_cutoff=after.isoformat(), trade_cutoff=middle.isoformat())
    said = ask(app, "/historical/cutoff")
    assert datetime.fromisoformat(said["market_settled_ts"]) == after
    assert datetime.fromisoformat(said["trades_created_ts"]) == middle
    assert respond(app, f"/markets/{market.ticker}").status_code == 404
    assert ask(app, f"/historical/markets/{market.ticker}")["market"]["status"] == "finalized"
    live = ask(app, "/markets/trades", ticker=market.ticker, limit=1000)["trades"]
    archived = ask(app, "/historical/trades", ticker=market.ticker, limit=1000)["trades"]
    assert live and archived and len(live) + len(archived) == len(WORLD.trades(market))
    assert all(datetime.fromisoformat(trade["created_time"]) >= middle for trade in live)
    respond(app, "/sandbox/faults", method="POST", body={"market_cutoff": "2026-01-01", "trade_cutoff": "2026-01-01"})
    assert respond(app, f"/historical/markets/{market.ticker}").status_code == 404
    assert len(ask(app, "/markets/trades", ticker=market.ticker, limit=1000)["trades"]) == len(WORLD.trades(market))


def test_an_exchange_whose_clock_is_ahead_serves_bars_that_have_not_ended_for_us() -> None:
    ticker = ask(exchange(), "/markets", series_ticker="KXHIGHCHI", status="open", limit=1)["markets"][0]["ticker"]
    now = int(NOW.timestamp())
    window = {"market_tickers": ticker, "start_ts": now - 600, "end_ts": now + 3_600, "period_interval": 1}

    def last(skew: float) -> int:
        (market,) = ask(exchange(clock_skew_seconds=skew), "/markets/candlesticks", **window)["markets"]
        return int(market["candlesticks"][-1]["end_period_ts"])

    assert last(0) <= now < now + 240 < last(300) <= now + 300
    assert last(-300) <= now - 300


@pytest.mark.parametrize(("skew", "status"), [(0, 200), (-30, 200), (5, 200), (30, 401), (300, 401), (-300, 401)])
def test_a_signed_request_is_refused_where_its_time_is_too_far_off(skew: float, status: int) -> None:
    app = exchange(clock_skew_seconds=skew)
    signed = {"KALSHI-ACCESS-TIMESTAMP": str(int(time.time() * 1000))}
    answer = respond(app, "/exchange/status", headers=signed)
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == {"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}}
