"""Probes of the contract: what the pipeline relies on, asked of an exchange with a few requests.

Each probe is a question whose answer has one right shape. Not here: when they are asked (``defs.canary``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.endpoints import MARKETS_PER_PAGE, PERIODS_PER_REQUEST
from kalshi_pipeline.exchange.errors import BadRequest, ContractError, KalshiError, NotFound
from kalshi_pipeline.exchange.market_data import Candle, Orderbook, Trade, candles_in
from kalshi_pipeline.exchange.records import ONE, Cutoff, Event, Market, Series, markets_of
from kalshi_pipeline.exchange.transport import Query, Response
from kalshi_pipeline.exchange.wire import dollars, part, required, rows

STATUSES = frozenset({"initialized", "inactive", "active", "closed", "determined", "disputed", "amended", "finalized"})
_HOUR = 3600
#: Hours of bars that a probe asks for.
_HOURS = 48


@dataclass(frozen=True)
class Finding:
    """What came of one probe.

    Attributes:
        name: what was asked.
        fault: what is not as agreed; ``None`` where all is.
    """

    name: str
    fault: str | None = None


def probe(client: KalshiClient, series_ticker: str) -> list[Finding]:
    """Ask all the questions about one series; fewer than twenty requests.

    Args:
        client: the exchange.
        series_ticker: a series that it lists, with open and with settled markets.
    """
    listings = _Listings(client, series_ticker)
    questions: dict[str, Callable[[], None]] = {
        "cutoff": lambda: _cutoff(client),
        "status and schedule": lambda: _hours(client),
        "endpoint costs": lambda: _costs(client),
        "series": lambda: _series(client, series_ticker),
        "events": lambda: _events(client, series_ticker),
        "live markets": lambda: _markets(listings.live),
        "archived markets": lambda: _markets(listings.archived),
        "live candles": lambda: _live_candles(client, listings),
        "archived candles": lambda: _archived_candles(client, listings),
        "trades": lambda: _trades(client, listings),
        "order books": lambda: _books(client, listings),
        "refusals": lambda: _refusals(client, series_ticker, listings),
    }
    return [Finding(name, _fault(ask)) for name, ask in questions.items()]


@dataclass
class _Listings:
    """The first page of the markets of a series in each tier, asked for once."""

    client: KalshiClient
    series_ticker: str

    @cached_property
    def live(self) -> Response:
        return next(self.client.markets(self.series_ticker))

    @cached_property
    def archived(self) -> Response:
        return next(self.client.historical_markets(self.series_ticker))


def _fault(ask: Callable[[], None]) -> str | None:
    try:
        ask()
    except KalshiError as error:
        return str(error)
    return None


def _agreed(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ContractError(otherwise)


def _cutoff(client: KalshiClient) -> None:
    cutoff = Cutoff.from_wire(client.cutoff().document)
    _agreed(cutoff.market_settled_ts < client.now(), f"The historical tier ends in the future: {cutoff}.")


def _hours(client: KalshiClient) -> None:
    client.status()
    client.schedule()


def _costs(client: KalshiClient) -> None:
    client.get("/account/endpoint_costs", holds="default_cost")


def _series(client: KalshiClient, series_ticker: str) -> None:
    Series.from_wire(part(client.series(series_ticker).document, "series"))


def _events(client: KalshiClient, series_ticker: str) -> None:
    first = next(iter(client.events(series_ticker)))
    events = [Event.from_wire(row) for row in rows(first.document, "events")]
    _agreed(bool(events), f"{series_ticker} has no events.")
    _agreed(events[0].series_ticker == series_ticker, f"An event of {series_ticker} says {events[0].series_ticker}.")


def _listed(page: Response) -> list[Market]:
    listed = list(markets_of([page]))
    _agreed(bool(listed), "No market is listed.")
    return listed


def _markets(page: Response) -> None:
    listed = rows(page.document, "markets")
    unknown = {str(row.get("status")) for row in listed} - STATUSES
    _agreed(not unknown, f"Markets have unknown statuses: {sorted(unknown)}.")
    for row in listed:
        market, no_bid = Market.from_wire(row), dollars(row, "no_bid")
        # A fresh market may say an ask of 0 for an empty side; everywhere else the sides add up to a dollar.
        mirrored = no_bid is None or market.yes_ask in (None, 0) or no_bid == market.no_bid
        _agreed(mirrored, f"{market.ticker} bids {no_bid} for NO beside an ask of {market.yes_ask} for YES.")


def _live_candles(client: KalshiClient, listings: _Listings) -> None:
    tickers = [market.ticker for market in _listed(listings.live)][:10]
    start, end = _last_hours(client)
    found = list(candles_in(client.candles(tickers, start, end, 60).document))
    _agreed({ticker for ticker, _ in found} <= set(tickers), f"Bars of other markets than {tickers} came back.")
    _whole_bars([candle for _, candle in found], start, end)


def _archived_candles(client: KalshiClient, listings: _Listings) -> None:
    closed = ((m.ticker, m.close_time) for m in _listed(listings.archived) if m.close_time is not None and m.volume)
    traded = next(closed, None)
    if traded is None:
        raise ContractError(f"No archived market of {listings.series_ticker} has ever traded.")
    end = int(traded[1].timestamp()) // _HOUR * _HOUR
    start = end - _HOURS * _HOUR
    document = client.historical_candles(traded[0], start, end, 60).document
    _whole_bars([candle for _, candle in candles_in(document)], start, end)


def _whole_bars(candles: list[Candle], start: int, end: int) -> None:
    _agreed(bool(candles), "No bar came back.")
    for candle in candles:
        ended = int(candle.end.timestamp())
        _agreed(start <= ended <= end, f"A bar ends at {candle.end}, outside of the window that was asked for.")
        _agreed(ended % _HOUR == 0, f"An hourly bar ends at {candle.end}.")
        _agreed(candle.yes_bid.close is not None, f"The bar that ends at {candle.end} has no bid.")


def _trades(client: KalshiClient, listings: _Listings) -> None:
    market = _listed(listings.live)[0]
    now = int(client.now().timestamp())
    for page in islice(client.trades(market.ticker, now - 30 * 24 * _HOUR, now), 1):
        for row in rows(page.document, "trades"):
            trade = Trade.from_wire(row)
            _agreed(trade.ticker == market.ticker, f"A trade of {trade.ticker} came back for {market.ticker}.")
            sum_of_sides = (trade.yes_price or ONE) + (trade.no_price or ONE - (trade.yes_price or ONE))
            _agreed(sum_of_sides == ONE, f"The sides of trade {trade.trade_id} pay {sum_of_sides} together.")


def _books(client: KalshiClient, listings: _Listings) -> None:
    tickers = [market.ticker for market in _listed(listings.live)][:3]
    document = client.orderbooks(tickers).document
    books = [Orderbook.from_wire(required(row, "ticker"), row) for row in rows(document, "orderbooks")]
    _agreed({book.ticker for book in books} <= set(tickers), f"Books of other markets than {tickers} came back.")
    for book in books:
        crossed = book.yes_bid is not None and book.yes_ask is not None and book.yes_bid >= book.yes_ask
        _agreed(not crossed, f"The book of {book.ticker} is crossed: {book.yes_bid} bid, {book.yes_ask} asked.")


def _refusals(client: KalshiClient, series_ticker: str, listings: _Listings) -> None:
    start, end = _last_hours(client)
    window: Query = {"start_ts": end - 2 * PERIODS_PER_REQUEST * 60, "end_ts": end, "period_interval": 1}
    market = _listed(listings.live)[0]
    bars = f"/series/{series_ticker}/markets/{market.ticker}/candlesticks"
    _refused(client, BadRequest, bars, window, "candlesticks")
    _refused(client, BadRequest, bars, {"start_ts": start, "end_ts": end, "period_interval": 7}, "candlesticks")
    _refused(client, BadRequest, "/markets", {"limit": MARKETS_PER_PAGE + 1}, "markets")
    _refused(client, BadRequest, "/markets", {"status": "finalized"}, "markets")
    _refused(client, NotFound, "/markets/NO-SUCH-MARKET", {}, "market")


def _refused(client: KalshiClient, kind: type[KalshiError], path: str, query: Query, holds: str) -> None:
    try:
        client.get(path, query, holds=holds)
    except kind:
        return
    raise ContractError(f"GET {path} with {dict(query)} was answered where {kind.__name__} was expected.")


def _last_hours(client: KalshiClient) -> tuple[int, int]:
    end = int(client.now().timestamp()) // _HOUR * _HOUR
    return end - _HOURS * _HOUR, end
