"""The ASGI app: the paths of the Trade API and our own, each with the function that answers it.

Not here: any decision about what an answer holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kalshi_pipeline.sandbox import candlesticks, exchange_hours, listing, lookups, tape
from kalshi_pipeline.sandbox.clock import Clock, read_instant
from kalshi_pipeline.sandbox.errors import Refusal, bad_request
from kalshi_pipeline.sandbox.fault_line import FaultLine
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.observations import observations
from kalshi_pipeline.sandbox.orders import Desk
from kalshi_pipeline.sandbox.visibility import Floor
from kalshi_pipeline.sandbox.wire import Json, timestamp
from kalshi_pipeline.sandbox.world import World

API = "/trade-api/v2"
_Answer = Callable[[Floor, Request], Any]

_PATHS: dict[str, _Answer] = {
    "/series": lambda floor, request: listing.series_list(floor, request.query_params),
    "/series/fee_changes": lookups.series_fee_changes,
    "/series/{series}": lookups.one_series,
    "/events": lambda floor, request: listing.events_page(floor, request.query_params),
    "/events/fee_changes": lookups.event_fee_changes,
    "/events/{event}": lookups.one_event,
    "/events/{event}/metadata": lookups.event_metadata,
    "/markets": lambda floor, request: listing.markets_page(floor, request.query_params),
    "/markets/orderbooks": lookups.books,
    "/markets/trades": lambda floor, request: tape.trades_page(floor, request.query_params, "live"),
    "/markets/{ticker}": lookups.one_market,
    "/markets/{ticker}/orderbook": lookups.book,
    "/historical/cutoff": lookups.cutoff,
    "/historical/markets": lambda floor, request: listing.historical_markets_page(floor, request.query_params),
    "/historical/markets/{ticker}": lookups.one_archived_market,
    "/historical/trades": lambda floor, request: tape.trades_page(floor, request.query_params, "historical"),
    "/exchange/status": lambda floor, request: exchange_hours.status(floor),
    "/exchange/schedule": lambda floor, request: exchange_hours.schedule(),
    "/account/endpoint_costs": lookups.endpoint_costs,
}

_CANDLE_PATHS: dict[str, _Answer] = {
    "/markets/candlesticks": candlesticks.batch,
    "/series/{series}/markets/{ticker}/candlesticks": candlesticks.one_market,
    "/series/{series}/events/{event}/candlesticks": candlesticks.one_event,
    "/historical/markets/{ticker}/candlesticks": candlesticks.one_archived_market,
}


@dataclass(frozen=True)
class SandboxApp:
    """An exchange over a world, as an ASGI app, with what it knows, its faults and its account at hand."""

    floor: Floor
    faults: FaultLine
    desk: Desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
    line = FaultLine(faults)
    desk = Desk()

    def seen() -> Floor:
        """The exchange at one instant, which holds for a whole answer however long it takes."""
        return Floor(world, Clock(floor.now() + timedelta(seconds=line.faults.clock_skew_seconds)), line.faults)

    # A proxy is no quote, and nothing in the body of a bar can say so.
    kind = {"x-sandbox-quote-kind": "trade_proxy"} if world.info.quote_kind == "trade_proxy" else {}
    routes = [_answering(API + path, seen, answer, kind) for path, answer in _CANDLE_PATHS.items()]
    # Literal paths come before those with a placeholder in the same place.
    routes += [_answering(API + path, seen, answer) for path, answer in _PATHS.items()]
    routes += [
        *_account(seen, desk),
        _answering("/fred/series/observations", seen, lambda floor, request: observations(floor, request.query_params)),
        _answering("/sandbox/world", seen, _world),
        _post("/sandbox/clock", lambda body: _move_clock(floor, body)),
        _post("/sandbox/faults", lambda body: _set_faults(line, body)),
    ]
    line.app = Starlette(routes=routes)
    return SandboxApp(floor, line, desk)


def _answering(
    path: str,
    seen: Callable[[], Floor],
    answer: _Answer,
    headers: dict[str, str] | None = None,
    method: str = "GET",
) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            body = answer(seen(), request)
        except Refusal as refusal:
            return refusal.response()
        body = body if isinstance(body, bytes) else orjson.dumps(body)
        return Response(body, media_type="application/json", headers=headers)

    return Route(path, endpoint, methods=[method])


def _account(seen: Callable[[], Floor], desk: Desk) -> list[Route]:
    async def place(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise bad_request("the body must be a JSON object")
            answer = desk.place(seen(), request, body)
        except Refusal as refusal:
            return refusal.response()
        except ValueError as error:
            return bad_request(str(error)).response()
        return Response(orjson.dumps(answer), 201, media_type="application/json")

    return [
        Route(f"{API}/portfolio/events/orders", place, methods=["POST"]),
        _answering(f"{API}/portfolio/events/orders/{{order_id}}", seen, desk.cancel, method="DELETE"),
        _answering(f"{API}/portfolio/orders", seen, desk.listed),
        _answering(f"{API}/portfolio/orders/{{order_id}}", seen, desk.one),
        _answering(f"{API}/portfolio/fills", seen, desk.filled),
        _answering(f"{API}/portfolio/positions", seen, desk.held),
        _answering(f"{API}/portfolio/balance", seen, desk.balance),
    ]


def _post(path: str, apply: Callable[[Json], Json]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            return Response(orjson.dumps(apply(body)), media_type="application/json")
        except (ValueError, TypeError, AttributeError) as error:
            return bad_request(str(error)).response()

    return Route(path, endpoint, methods=["POST"])


def _world(floor: Floor, request: Request) -> Json:
    """What the exchange is made of, for whoever starts it."""
    info = floor.world.info
    return {
        "name": info.name,
        "kind": info.kind,
        "universe": list(info.universe),
        "first_day": info.first_day.isoformat(),
        "last_day": (info.last_day or floor.now().date()).isoformat(),
        "candle_minutes": list(info.candle_minutes),
        "quote_kind": info.quote_kind,
        "now": timestamp(floor.now()),
        "notes": info.notes,
        "counts": dict(info.counts),
    }


def _move_clock(floor: Floor, body: Json) -> Json:
    to = body.get("now")
    return {"now": timestamp(floor.clock.move(read_instant(to) if to is not None else None))}


def _set_faults(line: FaultLine, body: Json) -> Json:
    """Replace the faults; answers what the ones before did."""
    done = {"served": line.served, "throttled": line.throttled, "broken": line.broken}
    line.set(Faults.read(body))
    return done
