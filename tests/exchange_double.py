"""A small exchange in memory for tests of the landing: two tiers, candles, trades, quotes, and faults at will.

It answers an httpx transport directly, refuses what the real exchange refuses, and counts what it was asked. The
sandbox is the full exchange; this double is for tests that must know every row and break things precisely.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.retrying import RetryPolicy
from kalshi_pipeline.landing.units import MarketWindow

ROOT = "/trade-api/v2"


def at(text: str) -> datetime:
    """An instant, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seconds(moment: datetime) -> int:
    """Unix seconds."""
    return int(moment.timestamp())


@dataclass
class Exchange:
    """The exchange.

    Attributes:
        markets: what it lists, by ticker.
        cutoff: what settled, and was traded, before it is in the historical tier.
        now: its clock.
        silent: tickers that never have a bar.
        broken: words; a request whose address holds one of them fails with 500.
        requests: paths it was asked for, with their query, in order.
        on_request: called with every address before it is answered.
    """

    markets: dict[str, MarketWindow] = field(default_factory=dict)
    cutoff: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    silent: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    on_request: Callable[[str], None] = lambda _: None
    page_size: int = 1_000
    trade_minutes: int = 30

    def list(
        self, ticker: str, opens: str, closes: str, settled: str | None = None, series: str = "KXA"
    ) -> MarketWindow:
        """List a market; its event is its ticker up to the last dash."""
        market = MarketWindow(
            ticker, ticker.rpartition("-")[0], series, at(opens), at(closes), at(settled) if settled else None
        )
        self.markets[ticker] = market
        return market

    def client(self, concurrency: int = 4, **options: Any) -> KalshiClient:
        """A client of this exchange that neither waits nor sleeps."""
        return KalshiClient(
            f"https://exchange.test{ROOT}",
            pace=Pace(1_000_000),
            concurrency=concurrency,
            clock=lambda: self.now,
            http=httpx.MockTransport(self),
            policy=RetryPolicy(attempts=2),
            sleep=lambda _: None,
            **options,
        )

    def asked(self, word: str) -> list[str]:
        """The requests whose address holds a word."""
        return [request for request in self.requests if word in request]

    def bars(self, ticker: str, period: int) -> list[int]:
        """Ends of all the bars of a market."""
        market, length = self.markets[ticker], period * 60
        if ticker in self.silent:
            return []
        first = seconds(market.open_time) // length + 1
        last = -(-seconds(market.close_time) // length)
        return [n * length for n in range(first, last + 1)]

    def trades(self, ticker: str) -> list[dict[str, Any]]:
        """All trades of a market, newest first: one every so many minutes."""
        market = self.markets[ticker]
        times = range(seconds(market.open_time), seconds(market.close_time), self.trade_minutes * 60)
        return [{"trade_id": f"{ticker}-{ts}", "ticker": ticker, "created_time": _iso(ts)} for ts in reversed(times)]

    def is_archived(self, ticker: str) -> bool:
        """Whether a market is in the historical tier."""
        settled = self.markets[ticker].settlement_ts
        return settled is not None and settled < self.cutoff

    # Answers ----------------------------------------------------------------------------------------------------------

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.path.removeprefix(ROOT)
        address = f"{path}?{request.url.query.decode()}"
        self.requests.append(address)
        self.on_request(address)
        if any(word in address for word in self.broken):
            return httpx.Response(500, json={"error": {"code": "internal", "message": "broken"}})
        query = dict(request.url.params)
        match path.strip("/").split("/"):
            case ["historical", "cutoff"]:
                stamp = self.cutoff.isoformat()
                return _ok({"market_settled_ts": stamp, "trades_created_ts": stamp})
            case ["markets", "candlesticks"]:
                return self._batch(query)
            case ["historical", "markets", ticker, "candlesticks"]:
                return self._historical(ticker, query)
            case ["markets", "trades"]:
                return self._tape(query, historical=False)
            case ["historical", "trades"]:
                return self._tape(query, historical=True)
            case ["markets"]:
                return self._listed(query, historical=False)
            case ["historical", "markets"]:
                return self._listed(query, historical=True)
            case ["events"]:
                events = {m.event_ticker for m in self.markets.values() if m.series_ticker == query["series_ticker"]}
                rows = [{"event_ticker": event, "series_ticker": query["series_ticker"]} for event in sorted(events)]
                return self._page(rows, "events", query)
            case ["series", ticker]:
                if ticker in {market.series_ticker for market in self.markets.values()}:
                    return _ok({"series": {"ticker": ticker}})
        return httpx.Response(404, json={"error": {"code": "not_found", "message": "not found"}})

    def _batch(self, query: dict[str, str]) -> httpx.Response:
        tickers = query["market_tickers"].split(",")
        start, end, period = _window(query)
        if len(tickers) > 100 or len(tickers) * ((end - start) // (period * 60) + 1) > 10_000:
            return _bad("too many candlesticks")
        live = [ticker for ticker in tickers if ticker in self.markets and not self.is_archived(ticker)]
        return _ok({"markets": [{"market_ticker": t, "candlesticks": self._bars(t, start, end, period)} for t in live]})

    def _historical(self, ticker: str, query: dict[str, str]) -> httpx.Response:
        start, end, period = _window(query)
        if (end - start) // (period * 60) > 5_000:
            return _bad("too many candlesticks")
        if ticker not in self.markets or not self.is_archived(ticker):
            return httpx.Response(404, json={"error": {"code": "failed_to_get", "message": "not found"}})
        return _ok({"ticker": ticker, "candlesticks": self._bars(ticker, start, end, period) or None})

    def _bars(self, ticker: str, start: int, end: int, period: int) -> list[dict[str, int]]:
        # The running bar is served too: it is for the client not to ask for it.
        return [{"end_period_ts": ts} for ts in self.bars(ticker, period) if start <= ts <= end]

    def _tape(self, query: dict[str, str], *, historical: bool) -> httpx.Response:
        low, high = int(query["min_ts"]), int(query["max_ts"])
        rows = [
            row
            for row in self.trades(query["ticker"])
            if low <= seconds(at(row["created_time"])) <= high
            and (at(row["created_time"]) < self.cutoff) == historical
            and at(row["created_time"]) <= self.now
        ]
        return self._page(rows, "trades", query)

    def _listed(self, query: dict[str, str], *, historical: bool) -> httpx.Response:
        rows = [
            {"ticker": market.ticker, "event_ticker": market.event_ticker, "yes_bid_dollars": "0.4000"}
            for market in self.markets.values()
            if market.series_ticker == query["series_ticker"]
            and self.is_archived(market.ticker) == historical
            and (query.get("status") != "open" or market.open_time <= self.now < market.close_time)
        ]
        return self._page(rows, "markets", query)

    def _page(self, rows: list[Any], key: str, query: dict[str, str]) -> httpx.Response:
        begin = int(query.get("cursor") or 0)
        end = begin + min(int(query["limit"]), self.page_size)
        return _ok({key: rows[begin:end] or None, "cursor": str(end) if end < len(rows) else ""})


def envelopes(path: Path) -> list[dict[str, Any]]:
    """The lines of a landed file, decoded."""
    with gzip.open(path) as lines:
        return [json.loads(line) for line in lines]


def _window(query: dict[str, str]) -> tuple[int, int, int]:
    return int(query["start_ts"]), int(query["end_ts"]), int(query["period_interval"])


def _iso(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).replace(tzinfo=None).isoformat()


def _ok(document: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json=document)


def _bad(message: str) -> httpx.Response:
    return httpx.Response(400, json={"error": {"code": "bad_request", "message": message}})
