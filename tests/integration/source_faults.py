"""An exchange that answers wrongly: a layer between the sandbox and its client that alters what is sent.

Not here: what is altered (``source_losses``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from kalshi_pipeline.defs.resources import Exchange, World
from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.sandbox.altering import altered
from kalshi_pipeline.sandbox.app import API, build_app
from kalshi_pipeline.sandbox.server import serve_in_thread
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.settings import Settings

Row = dict[str, Any]
Rows = list[Row]


@dataclass
class Faults:
    """What is altered, by ticker.

    Attributes:
        events, markets: of an event or market, what the lists show instead of its object; nothing where it is left out.
        quotes: of a market, what the list of open markets shows instead.
        bars, trades: of a market, what is served instead of a list of its bars or trades.
        books: of a market, what is served instead of its book.
    """

    events: dict[str, Callable[[Row], Rows]] = field(default_factory=dict)
    markets: dict[str, Callable[[Row], Rows]] = field(default_factory=dict)
    quotes: dict[str, Callable[[Row], Rows]] = field(default_factory=dict)
    bars: dict[str, Callable[[Rows], Rows]] = field(default_factory=dict)
    trades: dict[str, Callable[[Rows], Rows]] = field(default_factory=dict)
    books: dict[str, Callable[[Row], Rows]] = field(default_factory=dict)

    def of(self, path: str, query: str, body: Row) -> Row:
        """The body of an answer, altered."""
        if "market_candlesticks" in body:
            pairs = zip(body["market_tickers"], body["market_candlesticks"], strict=True)
            body["market_candlesticks"] = [self.bars.get(ticker, _same)(bars) for ticker, bars in pairs]
        if path.endswith("/markets/candlesticks"):
            for market in body["markets"]:
                market["candlesticks"] = self.bars.get(market["market_ticker"], _same)(market["candlesticks"])
        if path.endswith("/trades") and "trades" in body:
            body["trades"] = self._trades(body["trades"])
        for name, change in (("events", self.events), ("markets", self.markets)):
            if path.endswith(f"/{name}") and name in body:
                key = "event_ticker" if name == "events" else "ticker"
                body[name] = [new for row in body[name] for new in change.get(row[key], _one)(row)]
        if path.endswith("/markets") and "status=open" in query:
            body["markets"] = [new for row in body["markets"] for new in self.quotes.get(row["ticker"], _one)(row)]
        if "orderbooks" in body:
            body["orderbooks"] = [new for row in body["orderbooks"] for new in self.books.get(row["ticker"], _one)(row)]
        return body

    def _trades(self, trades: Rows) -> Rows:
        by_ticker: dict[str, Rows] = {}
        for trade in trades:
            by_ticker.setdefault(trade["ticker"], []).append(trade)
        return [new for ticker, rows in by_ticker.items() for new in self.trades.get(ticker, _same)(rows)]


@dataclass(frozen=True)
class Altered:
    """The exchange with its answers altered on their way out."""

    app: ASGIApp
    faults: Faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def change(status: int, body: bytes) -> bytes:
            if status != 200 or not scope["path"].startswith(API):
                return body
            return orjson.dumps(self.faults.of(scope["path"], scope["query_string"].decode(), orjson.loads(body)))

        await self.app(scope, receive, altered(send, change))


@contextmanager
def exchange_with(faults: Faults, settings: Settings) -> Iterator[Exchange]:
    """The simulated exchange of the settings, seen through faults."""
    now = settings.sandbox_now
    assert now is not None
    app = Altered(build_app(SimulatedWorld(settings.sandbox_seed), now=now), faults)
    with (
        serve_in_thread(app) as url,
        KalshiClient(url + API, pace=Pace(1e6), clock=lambda: now) as client,
        KalshiClient(url + "/fred", pace=Pace(1e6), clock=lambda: now) as archive,
    ):
        world = World(universe=settings.universe, candle_minutes=(1, 60, 1440), now=now)
        yield Exchange(client, world, settings, archive)


def _one(row: Row) -> Rows:
    return [row]


def _same(rows: Rows) -> Rows:
    return rows
