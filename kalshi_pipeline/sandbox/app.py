"""The ASGI app: the paths of the Trade API and our own two, each a line that calls what answers it.

Not here: any decision about what an answer holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kalshi_pipeline.sandbox import candlesticks, exchange_hours, listing, tape
from kalshi_pipeline.sandbox.clock import Clock, read_instant
from kalshi_pipeline.sandbox.errors import Refusal, bad_request, not_found
from kalshi_pipeline.sandbox.faults import FaultLine, Faults
from kalshi_pipeline.sandbox.observations import observations
from kalshi_pipeline.sandbox.query import flag, limit, whole
from kalshi_pipeline.sandbox.visibility import Floor
from kalshi_pipeline.sandbox.wire import book_object, event_object, fee_change_object, series_object, timestamp
from kalshi_pipeline.sandbox.world import World

API = "/trade-api/v2"
_Answer = Callable[[Request], Any]


@dataclass(frozen=True)
class SandboxApp:
    """An exchange over a world, as an ASGI app, with its clock and its faults at hand."""

    floor: Floor
    faults: FaultLine

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        await self.faults(scope, receive, send)


def build_app(world: World, *, now: datetime | None = None, faults: Faults | None = None) -> SandboxApp:
    """The exchange over a world.

    Args:
        world: what happens on it.
        now: where its clock stands; ``None`` is the end of a recording, or the wall clock for a simulated world.
        faults: what goes wrong from the start.
    """
    floor = Floor(world, Clock(now if now is not None else world.info.pinned))
    routes = [Route(API + path, _endpoint(answer(floor)), methods=["GET"]) for path, answer in _PATHS.items()]
    kind: dict[str, str] = (
        {"x-sandbox-quote-kind": world.info.quote_kind} if world.info.quote_kind != "candle_close" else {}
    )
    routes += [Route(API + path, _endpoint(answer(floor), kind), methods=["GET"]) for path, answer in _CANDLES.items()]
    routes.append(Route("/fred/series/observations", _endpoint(lambda r: observations(floor, r.query_params))))
    line: list[FaultLine] = []
    routes += [
        Route("/sandbox/world", _endpoint(lambda r: _world(floor)), methods=["GET"]),
        Route("/sandbox/clock", _posted(lambda body: _move_clock(floor, body)), methods=["POST"]),
        Route("/sandbox/faults", _posted(lambda body: _set_faults(line[0], body)), methods=["POST"]),
    ]
    # Sorted so that a literal path wins over one with a placeholder in the same place.
    routes.sort(key=lambda route: route.path.replace("{", "~"))
    line.append(FaultLine(Starlette(routes=routes), faults))
    return SandboxApp(floor, line[0])


def _endpoint(answer: _Answer, headers: dict[str, str] | None = None) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            body = answer(request)
        except Refusal as refusal:
            return refusal.response()
        body = body if isinstance(body, bytes) else orjson.dumps(body)
        return Response(body, media_type="application/json", headers=headers)

    return endpoint


def _posted(apply: Callable[[dict[str, Any]], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            return Response(orjson.dumps(apply(body)), media_type="application/json")
        except (ValueError, TypeError) as error:
            return bad_request(str(error)).response()

    return endpoint


def _one_series(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        ticker = request.path_params["series"]
        found = next((series for series in floor.world.series() if series.ticker == ticker), None)
        if found is None:
            raise not_found("series not found")
        with_volume = flag(request.query_params, "include_volume")
        return {"series": series_object(found, listing.series_volume(floor, found) if with_volume else None)}

    return answer


def _one_event(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        event = floor.event(request.path_params["event"])
        if event is None:
            raise not_found("event not found")
        series = next(series for series in floor.world.series() if series.ticker == event.series_ticker)
        markets = listing.live_markets(floor, event)
        if flag(request.query_params, "with_nested_markets"):
            return {"event": event_object(event, series, markets), "markets": []}
        return {"event": event_object(event, series), "markets": markets or []}

    return answer


def _event_metadata(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        event = floor.event(request.path_params["event"])
        if event is None:
            raise not_found("event not found")
        tickers = [market.ticker for market in floor.world.markets(event)]
        details = [{"market_ticker": ticker, "image_url": "", "color_code": ""} for ticker in tickers]
        return {"image_url": "", "settlement_sources": [], "market_details": details}

    return answer


def _one_market(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        market = floor.market(request.path_params["ticker"], "live")
        if market is None:
            raise not_found("market not found")
        return {"market": listing.described(floor, market)}

    return answer


def _one_archived_market(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        market = floor.market(request.path_params["ticker"], "historical")
        if market is None:
            raise not_found("market not found", "failed_to_get_historical_market")
        return {"market": listing.described(floor, market)}

    return answer


def _book(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        market = floor.market(request.path_params["ticker"], "live")
        if market is None:
            raise not_found("market not found")
        depth = whole(request.query_params, "depth") or 0
        if not 0 <= depth <= 100:
            raise bad_request("depth must be between 0 and 100")
        return {"orderbook_fp": book_object(floor.book(market), depth)}

    return answer


def _books(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        tickers = request.query_params.getlist("tickers")
        if not 1 <= len(tickers) <= 100:
            raise bad_request("tickers must hold between 1 and 100 tickers")
        found = [market for ticker in tickers if (market := floor.market(ticker, "live")) is not None]
        return {"orderbooks": [{"ticker": m.ticker, "orderbook_fp": book_object(floor.book(m))} for m in found]}

    return answer


def _cutoff(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        stamp = timestamp(floor.cutoff())
        return {"market_settled_ts": stamp, "trades_created_ts": stamp, "orders_updated_ts": stamp}

    return answer


def _series_fee_changes(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        ticker = request.query_params.get("series_ticker")
        past = flag(request.query_params, "show_historical")
        changes = [
            change
            for change in floor.world.fee_changes()
            if ticker in (None, "", change.series_ticker) and (past or change.scheduled > floor.now())
        ]
        return {"series_fee_change_arr": [fee_change_object(change) for change in changes]}

    return answer


def _event_fee_changes(floor: Floor) -> _Answer:
    def answer(request: Request) -> Any:
        limit(request.query_params, 100, 1000)
        return {"event_fee_changes": [], "cursor": ""}

    return answer


#: Paths that serve no candles. Every request costs the default.
_PATHS: dict[str, Callable[[Floor], _Answer]] = {
    "/series": lambda floor: lambda r: listing.series_list(floor, r.query_params),
    "/series/fee_changes": _series_fee_changes,
    "/series/{series}": _one_series,
    "/events": lambda floor: lambda r: listing.events_page(floor, r.query_params),
    "/events/fee_changes": _event_fee_changes,
    "/events/{event}": _one_event,
    "/events/{event}/metadata": _event_metadata,
    "/markets": lambda floor: lambda r: listing.markets_page(floor, r.query_params),
    "/markets/trades": lambda floor: lambda r: tape.trades_page(floor, r.query_params, "live"),
    "/markets/orderbooks": _books,
    "/markets/{ticker}": _one_market,
    "/markets/{ticker}/orderbook": _book,
    "/historical/cutoff": _cutoff,
    "/historical/markets": lambda floor: lambda r: listing.historical_markets_page(floor, r.query_params),
    "/historical/trades": lambda floor: lambda r: tape.trades_page(floor, r.query_params, "historical"),
    "/historical/markets/{ticker}": _one_archived_market,
    "/exchange/status": lambda floor: lambda r: exchange_hours.status(floor),
    "/exchange/schedule": lambda floor: lambda r: exchange_hours.schedule(),
    "/account/endpoint_costs": lambda floor: lambda r: {"default_cost": 10, "endpoint_costs": []},
}

_CANDLES: dict[str, Callable[[Floor], _Answer]] = {
    "/markets/candlesticks": lambda floor: lambda r: candlesticks.batch_candles(floor, r.query_params),
    "/series/{series}/markets/{ticker}/candlesticks": lambda floor: (
        lambda r: candlesticks.market_candles(floor, r.path_params["series"], r.path_params["ticker"], r.query_params)
    ),
    "/series/{series}/events/{event}/candlesticks": lambda floor: (
        lambda r: candlesticks.event_candles(floor, r.path_params["series"], r.path_params["event"], r.query_params)
    ),
    "/historical/markets/{ticker}/candlesticks": lambda floor: (
        lambda r: candlesticks.historical_candles(floor, r.path_params["ticker"], r.query_params)
    ),
}


def _world(floor: Floor) -> dict[str, Any]:
    info = floor.world.info
    last = info.last_day or floor.now().date()
    return {
        "name": info.name,
        "kind": info.kind,
        "universe": list(info.universe),
        "first_day": info.first_day.isoformat(),
        "last_day": last.isoformat(),
        "candle_minutes": list(info.candle_minutes),
        "quote_kind": info.quote_kind,
        "now": timestamp(floor.now()),
        "notes": info.notes,
        "counts": dict(info.counts),
    }


def _move_clock(floor: Floor, body: dict[str, Any]) -> dict[str, Any]:
    to = body.get("now")
    return {"now": timestamp(floor.clock.move(read_instant(to) if to is not None else None))}


def _set_faults(line: FaultLine, body: dict[str, Any]) -> dict[str, Any]:
    counters = {"served": line.served, "throttled": line.throttled, "broken": line.broken}
    line.set(Faults.read(body))
    return counters
