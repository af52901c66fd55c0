"""Listings: pages, filters, tiers and refusals are those of the exchange."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from tests.unit.sandbox_asking import ask, move, respond, walk

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def app() -> SandboxApp:
    return build_app(SimulatedWorld(11), now=NOW)


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def listed_tickers(app: SandboxApp, series: str) -> set[str]:
    """The oracle: every market of a series that is listed now, straight from the world."""
    world = app.floor.world
    events = [event for event in world.events(series) if event.listed <= app.floor.now()]
    return {market.ticker for event in events for market in world.markets(event)}


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_walking_both_tiers_meets_every_market_once(app: SandboxApp, size: int) -> None:
    series = "KXU3"
    found = [
        market["ticker"]
        for path in ("/markets", "/historical/markets")
        for page in walk(app, path, "markets", series_ticker=series, limit=size)
        for market in page
    ]
    assert Counter(found) == Counter(listed_tickers(app, series))


def test_walking_events_meets_every_one_once_and_pages_are_full_until_the_last(app: SandboxApp) -> None:
    pages = walk(app, "/events", "events", series_ticker="KXCPI", limit=25)
    found = [event["event_ticker"] for page in pages for event in page]
    expected = [event.ticker for event in app.floor.world.events("KXCPI") if event.listed <= NOW]
    assert sorted(found) == sorted(expected)
    assert {len(page) for page in pages[:-1]} == {25}


def test_a_page_that_ends_the_listing_has_an_empty_cursor_even_when_full(app: SandboxApp) -> None:
    expected = len([event for event in app.floor.world.events("KXFED") if event.listed <= NOW])
    assert ask(app, "/events", series_ticker="KXFED", limit=min(expected, 200))["cursor"] == ""


def test_a_walk_never_repeats_a_row_when_markets_appear_between_pages() -> None:
    app = build_app(SimulatedWorld(11), now=datetime(2026, 11, 18, 14, 0, tzinfo=UTC))
    first = ask(app, "/markets", series_ticker="KXHIGHCHI", limit=5)
    move(app, "2026-11-18T15:00:00Z")
    rest = walk(app, "/markets", "markets", series_ticker="KXHIGHCHI", limit=50)
    later = ask(app, "/markets", series_ticker="KXHIGHCHI", limit=1000, cursor=first["cursor"])["markets"]
    assert {market["ticker"] for market in first["markets"]}.isdisjoint(market["ticker"] for market in later)
    assert sum(map(len, rest)) == len(first["markets"]) + len(later) + 6, "one new event of six markets was listed"


def test_an_unreadable_cursor_begins_again(app: SandboxApp) -> None:
    plain = ask(app, "/markets", series_ticker="KXCPI", limit=3)
    assert ask(app, "/markets", series_ticker="KXCPI", limit=3, cursor="no-cursor") == plain


@pytest.mark.parametrize("status", ["unopened", "open", "closed", "settled"])
def test_a_status_filter_selects_its_statuses(app: SandboxApp, status: str) -> None:
    words = {"unopened": "initialized", "open": "active", "closed": "closed", "settled": "finalized"}
    every = [m for page in walk(app, "/markets", "markets", series_ticker="KXHIGHLAX", limit=500) for m in page]
    chosen = walk(app, "/markets", "markets", series_ticker="KXHIGHLAX", limit=500, status=status)
    assert [m["ticker"] for page in chosen for m in page] == [
        m["ticker"] for m in every if m["status"] == words[status]
    ]
    events = ask(app, "/events", series_ticker="KXHIGHLAX", status=status, limit=200)["events"]
    live = {m["event_ticker"] for m in every if m["status"] == words[status]}
    assert live <= {event["event_ticker"] for event in events}


def test_time_windows_include_both_ends(app: SandboxApp) -> None:
    every = [m for page in walk(app, "/markets", "markets", series_ticker="KXHIGHLAX", limit=500) for m in page]
    for name, field, status in (("close", "close_time", None), ("settled", "settlement_ts", "settled")):
        moments = sorted({seconds(m[field]) for m in every if field in m})
        low, high = moments[len(moments) // 3], moments[2 * len(moments) // 3]
        query: dict[str, Any] = {f"min_{name}_ts": low, f"max_{name}_ts": high, "series_ticker": "KXHIGHLAX"}
        if status:
            query["status"] = status
        found = {m["ticker"] for page in walk(app, "/markets", "markets", limit=500, **query) for m in page}
        assert found == {m["ticker"] for m in every if field in m and low <= seconds(m[field]) <= high}


def test_markets_can_be_named(app: SandboxApp) -> None:
    some = [m["ticker"] for m in ask(app, "/markets", series_ticker="KXCPI", limit=3)["markets"]]
    found = ask(app, "/markets", tickers=",".join(some))["markets"]
    assert sorted(m["ticker"] for m in found) == sorted(some)
    event = some[0].rpartition("-T")[0]
    assert {m["event_ticker"] for m in ask(app, "/markets", event_ticker=event)["markets"]} == {event}


def test_archived_markets_are_in_one_tier_only(app: SandboxApp) -> None:
    cutoff = seconds(ask(app, "/historical/cutoff")["market_settled_ts"])
    assert cutoff % 86_400 == 0 and NOW - timedelta(days=61) < datetime.fromtimestamp(cutoff, UTC)
    archived = ask(app, "/historical/markets", series_ticker="KXCPI", limit=1)["markets"][0]["ticker"]
    live = ask(app, "/markets", series_ticker="KXCPI", limit=1)["markets"][0]["ticker"]
    assert respond(app, f"/markets/{archived}").status_code == 404
    missing = respond(app, f"/historical/markets/{live}")
    assert missing.status_code == 404 and missing.json()["error"]["code"].startswith("failed_to_get")
    window = {"start_ts": cutoff, "end_ts": cutoff + 3600, "period_interval": 60}
    assert respond(app, f"/series/KXCPI/markets/{archived}/candlesticks", **window).status_code == 404
    assert respond(app, f"/historical/markets/{live}/candlesticks", **window).status_code == 404
    assert ask(app, "/markets/candlesticks", market_tickers=archived, **window) == {"markets": []}
    event = archived.rpartition("-T")[0]
    body = ask(app, f"/events/{event}", with_nested_markets="true")
    assert "markets" not in body["event"] and body["markets"] == []


def test_nested_markets_move_into_the_event(app: SandboxApp) -> None:
    event = ask(app, "/markets", series_ticker="KXCPI", limit=1)["markets"][0]["event_ticker"]
    flat, nested = ask(app, f"/events/{event}"), ask(app, f"/events/{event}", with_nested_markets="true")
    assert "markets" not in flat["event"] and nested["markets"] == []
    assert flat["markets"] == nested["event"]["markets"]


def test_a_book_agrees_with_the_top_of_the_market_and_keeps_the_best_levels(app: SandboxApp) -> None:
    markets = ask(app, "/markets", series_ticker="KXHIGHMIA", status="open", limit=100)["markets"]
    assert markets
    for market in markets:
        book = ask(app, f"/markets/{market['ticker']}/orderbook")["orderbook_fp"]
        shallow = ask(app, f"/markets/{market['ticker']}/orderbook", depth=2)["orderbook_fp"]
        for side in ("yes_dollars", "no_dollars"):
            assert book[side] == sorted(book[side]) and shallow[side] == book[side][-2:]
        yes, no = book["yes_dollars"], book["no_dollars"]
        bid, size = yes[-1] if yes else ("0.0000", "0.00")
        assert (market["yes_bid_dollars"], market["yes_bid_size_fp"]) == (bid, size)
        no_bid, ask_size = no[-1] if no else ("0.0000", "0.00")
        assert (market["no_bid_dollars"], market["yes_ask_size_fp"]) == (no_bid, ask_size)
        assert float(market["yes_ask_dollars"]) == pytest.approx(1 - float(no_bid))


BAD_QUERIES = [
    ("/markets", {"limit": 1001}, "limit"),
    ("/markets", {"limit": -1}, "limit"),
    ("/markets", {"limit": "ten"}, "limit"),
    ("/events", {"limit": 201}, "limit"),
    ("/events", {"status": "all"}, None),
    ("/markets", {"status": "all"}, "invalid status filter"),
    ("/markets", {"status": "finalized"}, "invalid status filter"),
    ("/markets", {"status": "open,closed"}, "only one status filter may be supplied"),
    ("/markets", {"status": "open", "min_close_ts": 1}, "not compatible"),
    ("/markets", {"min_close_ts": 1, "min_created_ts": 1}, "mutually exclusive"),
    ("/markets", {"min_updated_ts": 1}, "mve_filter"),
    ("/historical/markets", {"series_ticker": "KXCPI", "tickers": "A"}, "only one of"),
    ("/markets/orderbooks", {}, "tickers"),
    ("/markets/trades", {"limit": 5000}, "limit"),
]


@pytest.mark.parametrize(("path", "query", "details"), BAD_QUERIES)
def test_a_bad_query_is_refused_with_a_nested_error(
    app: SandboxApp, path: str, query: Any, details: str | None
) -> None:
    answer = respond(app, path, **query)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "bad_request")
    assert details in error["details"] if details else "details" not in error


@pytest.mark.parametrize(
    "path", ["/series/NONE", "/events/NONE-1", "/markets/NONE-1-T1", "/historical/markets/NONE-1-T1"]
)
def test_what_does_not_exist_is_not_found(app: SandboxApp, path: str) -> None:
    answer = respond(app, path)
    assert answer.status_code == 404 and {"code", "message"} <= set(answer.json()["error"])


def test_the_weekly_pause_shows_in_status_and_schedule() -> None:
    app = build_app(SimulatedWorld(11), now=datetime(2026, 11, 19, 9, 15, tzinfo=UTC))
    status = ask(app, "/exchange/status")
    assert (status["exchange_active"], status["trading_active"]) == (True, False)
    assert status["exchange_estimated_resume_time"] == "2026-11-19T10:00:00Z"
    move(app, "2026-11-19T10:00:00Z")
    assert ask(app, "/exchange/status")["trading_active"] is True
    week = ask(app, "/exchange/schedule")["schedule"]["standard_hours"][0]
    assert [hours["close_time"] for hours in week["thursday"]] == ["03:00", "00:00"]
