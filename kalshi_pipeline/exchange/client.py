"""The client: one method per endpoint we read, each giving responses as they came.

A list gives its pages one by one; ``records`` turns their documents into typed rows. Not here: transport, pacing and
retries (``transport``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from kalshi_pipeline.exchange.costs import EndpointCosts
from kalshi_pipeline.exchange.endpoints import (
    API_ROOT,
    EVENTS_PER_PAGE,
    FEE_CHANGES_PER_PAGE,
    MARKETS_PER_PAGE,
    TRADES_PER_PAGE,
)
from kalshi_pipeline.exchange.errors import AuthenticationFailed, BadRequest, ContractError, NotFound
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.pagination import pages
from kalshi_pipeline.exchange.statistics import Statistics
from kalshi_pipeline.exchange.transport import Query, Response, Transport, utc_now

log = logging.getLogger(__name__)

#: Statuses that ``GET /markets`` filters by; responses use other words.
MarketFilter = Literal["unopened", "open", "paused", "closed", "settled"]

#: Markets settled before the cutoff have moved to the historical tier; both speak of the same markets.
Tier = Literal["live", "historical"]


class KalshiClient:
    """Reads the market data of one exchange. Safe to share between threads; use as a context manager.

    Args:
        base_url: root of the API, ``/trade-api/v2`` included.
        pace: how fast requests may leave.
        concurrency: threads that will ask at once.
        auth: signs requests, where the caller has a key; market data needs none.
        clock: what the exchange takes for now: the wall clock, or the clock of an embedded world.
        http: an httpx transport to use in place of a real socket.
        transport: further arguments of :class:`~kalshi_pipeline.exchange.transport.Transport`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        pace: Pace,
        concurrency: int = 8,
        auth: httpx.Auth | None = None,
        clock: Any = utc_now,
        http: httpx.BaseTransport | None = None,
        **transport: Any,
    ) -> None:
        self.concurrency = concurrency
        self._clock = clock
        self._costs = EndpointCosts()
        self._transport = Transport(
            base_url, pace, concurrency=concurrency, auth=auth, clock=clock, http=http, **transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def now(self) -> datetime:
        """What the exchange takes for now."""
        moment: datetime = self._clock()
        return moment

    @property
    def statistics(self) -> Statistics:
        """What the client has done so far."""
        return self._transport.meter.read()

    def get(self, path: str, query: Query | None = None, *, holds: str) -> Response:
        """Ask for ``path``.

        Args:
            path: path below the base address.
            query: parameters; ``None`` values are left out.
            holds: key that the answer must have; its value may be null.

        Raises:
            KalshiError: what went wrong, one of its kinds; ContractError where the key is absent.
        """
        response = self._transport.get(path, query, cost=self._costs.of(path))
        if holds not in response.document:
            raise ContractError(f"GET {response.url} answered without {holds!r}; it holds {sorted(response.document)}.")
        return response

    def pages(self, path: str, query: Query, *, holds: str) -> Iterator[Response]:
        """Ask for every page of a list; see :meth:`get`."""
        return pages(lambda cursor: self.get(path, {**query, "cursor": cursor}, holds=holds))

    # Series and events ------------------------------------------------------------------------------------------------

    def series(self, series_ticker: str) -> Response:
        """One series. Raises NotFound where the exchange does not list it."""
        return self.get(f"/series/{series_ticker}", holds="series")

    def events(self, series_ticker: str) -> Iterator[Response]:
        """All events of a series; events never move to the historical tier."""
        return self.pages("/events", {"series_ticker": series_ticker, "limit": EVENTS_PER_PAGE}, holds="events")

    def event(self, event_ticker: str) -> Response:
        """One event with its markets."""
        return self.get(f"/events/{event_ticker}", holds="event")

    def series_fee_changes(self, series_ticker: str) -> Response:
        """The scheduled fee changes of a series, past ones too."""
        query: Query = {"series_ticker": series_ticker, "show_historical": "true"}
        return self.get("/series/fee_changes", query, holds="series_fee_change_arr")

    def event_fee_changes(self) -> Iterator[Response]:
        """The scheduled changes of all events' fee overrides."""
        return self.pages("/events/fee_changes", {"limit": FEE_CHANGES_PER_PAGE}, holds="event_fee_changes")

    # Markets ----------------------------------------------------------------------------------------------------------

    def markets(self, series_ticker: str, status: MarketFilter | None = None) -> Iterator[Response]:
        """The markets of a series that the live tier has, combos left out."""
        query: Query = {
            "series_ticker": series_ticker,
            "status": status,
            "mve_filter": "exclude",
            "limit": MARKETS_PER_PAGE,
        }
        return self.pages("/markets", query, holds="markets")

    def historical_markets(self, series_ticker: str) -> Iterator[Response]:
        """The markets of a series that the historical tier has, combos left out."""
        query: Query = {"series_ticker": series_ticker, "mve_filter": "exclude", "limit": MARKETS_PER_PAGE}
        return self.pages("/historical/markets", query, holds="markets")

    def market(self, ticker: str, tier: Tier = "live") -> Response:
        """One market. Raises NotFound on the wrong tier."""
        return self.get(f"{_root(tier)}/markets/{ticker}", holds="market")

    def orderbooks(self, tickers: Sequence[str]) -> Response:
        """The order books of at most 100 markets. They carry no time: stamp them with the time of receipt."""
        query = str(httpx.QueryParams([("tickers", ticker) for ticker in tickers]))
        return self.get(f"/markets/orderbooks?{query}", holds="orderbooks")

    # Candles and trades -----------------------------------------------------------------------------------------------

    def candles(self, tickers: Sequence[str], start_ts: int, end_ts: int, period_minutes: int) -> Response:
        """Bars of at most 100 markets of the live tier that end within ``[start_ts, end_ts]``, unix seconds."""
        query: Query = {"market_tickers": ",".join(tickers), **_window(start_ts, end_ts, period_minutes)}
        return self.get("/markets/candlesticks", query, holds="markets")

    def historical_candles(self, ticker: str, start_ts: int, end_ts: int, period_minutes: int) -> Response:
        """Bars of one market of the historical tier that end within ``[start_ts, end_ts]``, unix seconds."""
        path = f"/historical/markets/{ticker}/candlesticks"
        return self.get(path, _window(start_ts, end_ts, period_minutes), holds="candlesticks")

    def trades(self, ticker: str, min_ts: int, max_ts: int, tier: Tier = "live") -> Iterator[Response]:
        """The trades of one market within ``[min_ts, max_ts]``, unix seconds, newest first."""
        query: Query = {"ticker": ticker, "min_ts": min_ts, "max_ts": max_ts, "limit": TRADES_PER_PAGE}
        path = "/historical/trades" if tier == "historical" else "/markets/trades"
        return self.pages(path, query, holds="trades")

    # The exchange -----------------------------------------------------------------------------------------------------

    def learn_costs(self) -> EndpointCosts:
        """Ask what each endpoint costs and pace by it from now on; an exchange that does not say charges the default.

        Raises:
            KalshiError: the exchange does not answer at all.
        """
        try:
            said = self.get("/account/endpoint_costs", holds="default_cost")
            self._costs = EndpointCosts.from_wire(said.document, API_ROOT)
        except (NotFound, AuthenticationFailed, BadRequest, ContractError) as error:
            log.info("Every endpoint is taken to cost %s tokens: %s", self._costs.default, error)
        return self._costs

    def cutoff(self) -> Response:
        """The instants before which markets and trades are in the historical tier. They move: read them every run."""
        return self.get("/historical/cutoff", holds="market_settled_ts")

    def status(self) -> Response:
        """Whether the exchange and its trading are active."""
        return self.get("/exchange/status", holds="exchange_active")

    def schedule(self) -> Response:
        """Trading hours, US Eastern, and maintenance windows."""
        return self.get("/exchange/schedule", holds="schedule")


def _root(tier: Tier) -> str:
    return "/historical" if tier == "historical" else ""


def _window(start_ts: int, end_ts: int, period_minutes: int) -> dict[str, str | int | None]:
    return {"start_ts": start_ts, "end_ts": end_ts, "period_interval": period_minutes}
