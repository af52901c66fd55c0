"""Candle requests: windows, caps and continuations are those of the exchange."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from tests.unit.sandbox_asking import ask, move, respond

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 19, 16, 30, 20, tzinfo=UTC)
SERIES, EVENT = "KXHIGHCHI", "KXHIGHCHI-26NOV19"


@pytest.fixture
def app() -> SandboxApp:
    return build_app(SimulatedWorld(11), now=NOW)


@pytest.fixture
def market(app: SandboxApp) -> dict[str, Any]:
    return max(ask(app, f"/events/{EVENT}")["markets"], key=lambda market: float(market["volume_fp"]))


def bars(app: SandboxApp, ticker: str, start: int, end: int, period: int = 1, **query: Any) -> list[dict[str, Any]]:
    path = f"/series/{SERIES}/markets/{ticker}/candlesticks"
    return list(ask(app, path, start_ts=start, end_ts=end, period_interval=period, **query)["candlesticks"])


def test_a_window_includes_both_ends(app: SandboxApp, market: dict[str, Any]) -> None:
    now = int(NOW.timestamp())
    every = bars(app, market["ticker"], now - 7200, now)
    first, last = every[3]["end_period_ts"], every[-4]["end_period_ts"]
    assert bars(app, market["ticker"], first, last) == every[3:-3]
    assert bars(app, market["ticker"], first, first) == [every[3]]


def test_a_bar_is_served_once_it_has_ended(app: SandboxApp, market: dict[str, Any]) -> None:
    now = int(NOW.timestamp())
    for period in (1, 60, 1440):
        served = bars(app, market["ticker"], now - 86_400, now + 86_400, period)
        assert served and all(bar["end_period_ts"] <= now for bar in served)
    ends = {bar["end_period_ts"] for bar in bars(app, market["ticker"], now - 86_400, now + 86_400, 60)}
    move(app, "2026-11-19T17:00:00Z")
    later = {bar["end_period_ts"] for bar in bars(app, market["ticker"], now - 86_400, now + 86_400, 60)}
    assert later - ends == {int(datetime(2026, 11, 19, 17, tzinfo=UTC).timestamp())}


def test_five_thousand_periods_is_the_most(app: SandboxApp, market: dict[str, Any]) -> None:
    end = int(NOW.timestamp()) // 60 * 60
    bars(app, market["ticker"], end - 5_000 * 60, end)
    path = f"/series/{SERIES}/markets/{market['ticker']}/candlesticks"
    answer = respond(app, path, start_ts=end - 5_001 * 60, end_ts=end, period_interval=1)
    assert answer.status_code == 400
    assert "requested time range with candlesticks: 5001, max candlesticks: 5000" in answer.json()["error"]["details"]


def test_a_batch_holds_ten_thousand_candles_and_a_hundred_markets(app: SandboxApp) -> None:
    end = int(NOW.timestamp()) // 60 * 60
    tickers = [market["ticker"] for market in ask(app, f"/events/{EVENT}")["markets"]]
    window = {"end_ts": end, "period_interval": 1, "market_tickers": ",".join(tickers[:4])}
    body = ask(app, "/markets/candlesticks", start_ts=end - 2_500 * 60, **window)
    assert [entry["market_ticker"] for entry in body["markets"]] == tickers[:4]
    assert respond(app, "/markets/candlesticks", start_ts=end - 2_501 * 60, **window).status_code == 400
    many = ",".join(f"X-{n}-T1" for n in range(101))
    refused = respond(
        app, "/markets/candlesticks", start_ts=end - 60, end_ts=end, period_interval=1, market_tickers=many
    )
    assert refused.status_code == 400


def test_an_event_answer_continues_from_its_adjusted_end(app: SandboxApp) -> None:
    move(app, "2026-11-20T08:00:00Z")
    path = f"/series/{SERIES}/events/{EVENT}/candlesticks"
    opens = int(datetime(2026, 11, 18, 15, tzinfo=UTC).timestamp())
    closes = int(datetime(2026, 11, 20, 5, 59, tzinfo=UTC).timestamp())
    start, requests = opens, 0
    found: dict[str, dict[int, Any]] = {}
    while True:
        body = ask(app, path, start_ts=start, end_ts=closes, period_interval=1)
        requests += 1
        asked = (body["adjusted_end_ts"] - start) / 60 * len(body["market_tickers"])
        assert asked <= 5_000
        assert body["adjusted_end_ts"] == closes or asked + len(body["market_tickers"]) > 5_000
        for ticker, candles in zip(body["market_tickers"], body["market_candlesticks"], strict=True):
            found.setdefault(ticker, {}).update({bar["end_period_ts"]: bar for bar in candles})
        if body["adjusted_end_ts"] == closes:
            break
        assert start < body["adjusted_end_ts"] < closes
        start = body["adjusted_end_ts"]
    assert requests == 3
    for ticker, candles in found.items():
        assert list(candles.values()) == bars(app, ticker, opens, closes)


def test_the_synthetic_bar_carries_the_last_quote_to_the_first_boundary(
    app: SandboxApp, market: dict[str, Any]
) -> None:
    now = int(NOW.timestamp())
    every = bars(app, market["ticker"], now - 86_400, now)
    gap = next(n for n in range(1, len(every)) if every[n]["end_period_ts"] - every[n - 1]["end_period_ts"] > 60)
    before, after = every[gap - 1], every[gap]
    start = before["end_period_ts"] + 30
    synthetic, real = bars(app, market["ticker"], start, after["end_period_ts"], include_latest_before_start="true")
    assert real == after
    assert synthetic["end_period_ts"] == before["end_period_ts"] + 60
    assert synthetic["yes_bid"]["open_dollars"] == before["yes_bid"]["close_dollars"]
    assert synthetic["volume_fp"] == "0.00" and set(synthetic["price"]) <= {"previous_dollars"}
    plain = bars(app, market["ticker"], after["end_period_ts"], now, include_latest_before_start="true")
    assert plain == every[gap:], "no synthetic bar where a real one ends at the first boundary"


BAD_WINDOWS = [
    ({"end_ts": 5, "period_interval": 1}, "Query argument start_ts is required"),
    ({"start_ts": 5, "period_interval": 1}, "Query argument end_ts is required"),
    ({"start_ts": 1, "end_ts": 2, "period_interval": 5}, "PeriodInterval"),
    ({"start_ts": 3, "end_ts": 2, "period_interval": 1}, "must not be before"),
    ({"start_ts": "x", "end_ts": 2, "period_interval": 1}, "start_ts"),
]


@pytest.mark.parametrize(("query", "details"), BAD_WINDOWS)
def test_a_bad_window_is_refused(app: SandboxApp, market: dict[str, Any], query: dict[str, Any], details: str) -> None:
    answer = respond(app, f"/series/{SERIES}/markets/{market['ticker']}/candlesticks", **query)
    assert answer.status_code == 400 and details in answer.json()["error"]["details"]


def test_the_series_of_the_path_must_be_the_markets(app: SandboxApp, market: dict[str, Any]) -> None:
    window = {"start_ts": 1, "end_ts": 2, "period_interval": 1}
    assert respond(app, f"/series/KXCPI/markets/{market['ticker']}/candlesticks", **window).status_code == 404
    assert respond(app, f"/series/KXCPI/events/{EVENT}/candlesticks", **window).status_code == 404


def test_the_dialects_differ_in_keys_only() -> None:
    app = build_app(SimulatedWorld(11), now=datetime(2026, 9, 1, tzinfo=UTC))
    ticker = ask(app, "/events/KXCPI-26JUL")["markets"][4]["ticker"]
    window = {"start_ts": 1783000000, "end_ts": 1788000000, "period_interval": 60}
    live = ask(app, f"/series/KXCPI/markets/{ticker}/candlesticks", **window)["candlesticks"]
    move(app, "2026-12-01T00:00:00Z")
    archived = ask(app, f"/historical/markets/{ticker}/candlesticks", **window)["candlesticks"]
    assert len(live) == len(archived) > 100
    for new, old in zip(live, archived, strict=True):
        assert new["yes_bid"] == {f"{name}_dollars": text for name, text in old["yes_bid"].items()}
        assert new["price"] == {f"{name}_dollars": text for name, text in old["price"].items() if text is not None}
        assert (new["volume_fp"], new["open_interest_fp"]) == (old["volume"], old["open_interest"])
        assert set(old["price"]) == {"open", "high", "low", "close", "mean", "previous"}
