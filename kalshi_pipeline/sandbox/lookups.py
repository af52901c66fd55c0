"""Single things by name, and the small lists that take no filter: one function per path.

Each takes the floor and the request and gives the body, or refuses. Not here: listings (``listing``), candles
(``candlesticks``), trades (``tape``).
"""

from __future__ import annotations

from starlette.requests import Request

from kalshi_pipeline.sandbox import listing
from kalshi_pipeline.sandbox.errors import bad_request, not_found
from kalshi_pipeline.sandbox.faults import DEFAULT_COST
from kalshi_pipeline.sandbox.query import flag, limit, whole
from kalshi_pipeline.sandbox.visibility import Floor, Tier
from kalshi_pipeline.sandbox.wire import (
    Json,
    book_object,
    event_object,
    fee_change_object,
    series_object,
    timestamp,
)
from kalshi_pipeline.sandbox.world import Event, Market, Series

MOST_BOOKS = 100


def one_series(floor: Floor, request: Request) -> Json:
    """``GET /series/{series}``."""
    series = _series(floor, request.path_params["series"])
    with_volume = flag(request.query_params, "include_volume")
    return {"series": series_object(series, listing.series_volume(floor, series) if with_volume else None)}


def one_event(floor: Floor, request: Request) -> Json:
    """``GET /events/{event}``: markets beside the event, or nested in it; archived ones in neither place."""
    event = _event(floor, request)
    series = _series(floor, event.series_ticker)
    markets = listing.live_markets(floor, event)
    if flag(request.query_params, "with_nested_markets"):
        return {"event": event_object(event, series, markets), "markets": []}
    return {"event": event_object(event, series), "markets": markets or []}


def event_metadata(floor: Floor, request: Request) -> Json:
    """``GET /events/{event}/metadata``: the worlds hold no pictures, so this names the markets only."""
    tickers = [market.ticker for market in floor.world.markets(_event(floor, request))]
    details = [{"market_ticker": ticker, "image_url": "", "color_code": ""} for ticker in tickers]
    return {"image_url": "", "settlement_sources": [], "market_details": details}


def one_market(floor: Floor, request: Request) -> Json:
    """``GET /markets/{ticker}``."""
    return {"market": listing.described(floor, _market(floor, request, "live"))}


def one_archived_market(floor: Floor, request: Request) -> Json:
    """``GET /historical/markets/{ticker}``."""
    return {"market": listing.described(floor, _market(floor, request, "historical"))}


def book(floor: Floor, request: Request) -> Json:
    """``GET /markets/{ticker}/orderbook``."""
    depth = whole(request.query_params, "depth") or 0
    if not 0 <= depth <= 100:
        raise bad_request("depth must be between 0 and 100")
    return {"orderbook_fp": book_object(floor.book(_market(floor, request, "live")), depth)}


def books(floor: Floor, request: Request) -> Json:
    """``GET /markets/orderbooks``: up to 100 markets, by a repeated key; what is not live is left out."""
    tickers = request.query_params.getlist("tickers")
    if not 1 <= len(tickers) <= MOST_BOOKS:
        raise bad_request(f"tickers must hold between 1 and {MOST_BOOKS} tickers")
    found = [market for ticker in tickers if (market := floor.market(ticker, "live")) is not None]
    return {"orderbooks": [{"ticker": m.ticker, "orderbook_fp": book_object(floor.book(m))} for m in found]}


def cutoff(floor: Floor, request: Request) -> Json:
    """``GET /historical/cutoff``."""
    markets, trades = timestamp(floor.cutoff()), timestamp(floor.trade_cutoff())
    return {"market_settled_ts": markets, "trades_created_ts": trades, "orders_updated_ts": trades}


def series_fee_changes(floor: Floor, request: Request) -> Json:
    """``GET /series/fee_changes``: those to come; the past ones too where asked for."""
    ticker = request.query_params.get("series_ticker")
    past = flag(request.query_params, "show_historical")
    changes = [
        change
        for change in floor.world.fee_changes()
        if ticker in (None, "", change.series_ticker) and (past or change.scheduled > floor.now())
    ]
    return {"series_fee_change_arr": [fee_change_object(change) for change in changes]}


def event_fee_changes(floor: Floor, request: Request) -> Json:
    """``GET /events/fee_changes``: no world overrides the fee of an event."""
    limit(request.query_params, 100, 1000)
    return {"event_fee_changes": [], "cursor": ""}


def endpoint_costs(floor: Floor, request: Request) -> Json:
    """``GET /account/endpoint_costs``: every request costs the same unless the faults say otherwise."""
    costs = [{"method": "GET", "path": path, "cost": cost} for path, cost in floor.faults.costs.items()]
    return {"default_cost": DEFAULT_COST, "endpoint_costs": costs}


def _series(floor: Floor, ticker: str) -> Series:
    for series in floor.world.series():
        if series.ticker == ticker:
            return series
    raise not_found("series not found")


def _event(floor: Floor, request: Request) -> Event:
    event = floor.event(request.path_params["event"])
    if event is None:
        raise not_found("event not found")
    return event


def _market(floor: Floor, request: Request, tier: Tier) -> Market:
    market = floor.market(request.path_params["ticker"], tier)
    if market is None:
        code = "failed_to_get_historical_market" if tier == "historical" else "not_found"
        raise not_found("market not found", code)
    return market
