"""An account at the sandbox exchange: orders, cancels, fills, positions and balance in the words of the Trade API.

An order executes against the book of the moment, which the account's own orders do not change; what rests stays
until it is cancelled. Requests have to carry the three headers of a signature, whose content is not verified. Not
here: the books themselves (``visibility``), and how orders look on the wire (``wire_orders``).
"""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal, InvalidOperation

from starlette.requests import Request

from kalshi_pipeline.sandbox.errors import Refusal, bad_request, not_found
from kalshi_pipeline.sandbox.visibility import Floor
from kalshi_pipeline.sandbox.wire import Json
from kalshi_pipeline.sandbox.wire_orders import (
    ONE,
    Holding,
    Order,
    fill_object,
    order_object,
    placed_object,
    position_object,
)
from kalshi_pipeline.sandbox.world import DOLLAR, Market

CENT = Decimal("0.01")
_SIGNED_BY = ("kalshi-access-key", "kalshi-access-timestamp", "kalshi-access-signature")
_TIMES_IN_FORCE = ("fill_or_kill", "immediate_or_cancel", "good_till_canceled")
_IDENTIFIER = re.compile(r"[\w:+=/-]{1,64}")


@dataclass
class Desk:
    """The account.

    Attributes:
        cash: free dollars.
        orders: all orders, by identifier, oldest first.
        holdings: what it holds, by market.
        fills: its fills, oldest first, as they go on the wire.
    """

    cash: Decimal = Decimal(1000)
    orders: dict[str, Order] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    fills: list[Json] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def place(self, floor: Floor, request: Request, body: Json) -> Json:
        """``POST /portfolio/events/orders``."""
        _signed(request)
        with self._lock:
            order, kind, market = self._read(floor, body)
            executions = _crossing(floor, market, order)
            possible = sum((count for _, count in executions), Decimal(0))
            if kind == "fill_or_kill" and possible < order.count:
                executions = []
            needed = order.count * (order.price if order.book_side == "bid" else ONE - order.price)
            if self._opening(order) and needed > self.cash:
                raise Refusal(400, "insufficient_balance", "insufficient balance")
            self.orders[order.order_id] = order
            for price, count in executions:
                self._execute(floor, order, price, count)
            order.remaining = order.count - order.filled
            if order.remaining and kind != "good_till_canceled":
                order.remaining, order.status = Decimal(0), "canceled"
            elif not order.remaining:
                order.status = "executed"
            return placed_object(order, floor.now())

    def cancel(self, floor: Floor, request: Request) -> Json:
        """``DELETE /portfolio/events/orders/{order_id}``."""
        _signed(request)
        with self._lock:
            order = self.orders.get(request.path_params["order_id"])
            if order is None or order.status != "resting":
                raise not_found("order not found")
            reduced, order.remaining, order.status = order.remaining, Decimal(0), "canceled"
            return {
                "order_id": order.order_id,
                "client_order_id": order.client_order_id,
                "reduced_by": f"{reduced:.2f}",
                "ts_ms": int(floor.now().timestamp() * 1000),
            }

    def listed(self, floor: Floor, request: Request) -> Json:
        """``GET /portfolio/orders``, newest first."""
        _signed(request)
        ticker, status = request.query_params.get("ticker"), request.query_params.get("status")
        found = [o for o in reversed(self.orders.values()) if ticker in (None, o.ticker) and status in (None, o.status)]
        return {"orders": [order_object(order) for order in found], "cursor": ""}

    def one(self, floor: Floor, request: Request) -> Json:
        """``GET /portfolio/orders/{order_id}``."""
        _signed(request)
        order = self.orders.get(request.path_params["order_id"])
        if order is None:
            raise not_found("order not found")
        return {"order": order_object(order)}

    def filled(self, floor: Floor, request: Request) -> Json:
        """``GET /portfolio/fills``, newest first."""
        _signed(request)
        return {"fills": self.fills[::-1], "cursor": ""}

    def held(self, floor: Floor, request: Request) -> Json:
        """``GET /portfolio/positions``."""
        _signed(request)
        ticker = request.query_params.get("ticker")
        held = {name: holding for name, holding in self.holdings.items() if ticker in (None, name)}
        return {
            "market_positions": [position_object(name, holding, floor.now()) for name, holding in held.items()],
            "event_positions": [],
            "cursor": "",
        }

    def balance(self, floor: Floor, request: Request) -> Json:
        """``GET /portfolio/balance``; positions are worth what they could be sold for."""
        _signed(request)
        value = sum((_worth(floor, ticker, held.count) for ticker, held in self.holdings.items()), Decimal(0))
        return {
            "balance": int(self.cash * 100),
            "balance_dollars": f"{self.cash:.4f}",
            "portfolio_value": int(value * 100),
            "updated_ts": int(floor.now().timestamp()),
        }

    def _read(self, floor: Floor, body: Json) -> tuple[Order, str, Market]:
        client_order_id = body.get("client_order_id") or uuid.uuid4().hex
        if not isinstance(client_order_id, str) or not _IDENTIFIER.fullmatch(client_order_id):
            raise bad_request("client_order_id is no identifier")
        if any(order.client_order_id == client_order_id for order in self.orders.values()):
            raise Refusal(409, "order_already_exists", "order already exists")
        price, count = _number(body, "price"), _number(body, "count")
        if not 0 < price < ONE or price % CENT:
            raise bad_request("invalid price")
        if count <= 0 or count % CENT:
            raise bad_request("invalid count")
        side, kind = body.get("side"), body.get("time_in_force")
        if side not in ("bid", "ask") or kind not in _TIMES_IN_FORCE or "self_trade_prevention_type" not in body:
            raise bad_request("side, time_in_force and self_trade_prevention_type are required")
        market = floor.market(str(body.get("ticker")), "live")
        if market is None:
            raise not_found("market not found")
        if floor.status(market) != "active":
            raise Refusal(409, "market_not_active", "market is not active")
        order = Order(str(uuid.uuid4()), client_order_id, market.ticker, side, price, count, floor.now())
        order.remaining = count
        return order, str(kind), market

    def _opening(self, order: Order) -> bool:
        held = self.holdings.get(order.ticker, Holding()).count
        return held * (1 if order.book_side == "bid" else -1) >= 0

    def _execute(self, floor: Floor, order: Order, price: Decimal, count: Decimal) -> None:
        """Move money and contracts: what meets contracts of the other side closes them at a dollar a pair."""
        holding = self.holdings.setdefault(order.ticker, Holding())
        own = price if order.book_side == "bid" else ONE - price
        towards = 1 if order.book_side == "bid" else -1
        closing = min(count, max(Decimal(0), -holding.count * towards))
        returned = holding.paid / abs(holding.count) * closing if closing else Decimal(0)
        fee = (Decimal("0.07") * count * price * (ONE - price)).quantize(CENT, rounding=ROUND_CEILING)
        self.cash += closing - own * count - fee
        holding.realized += closing * (ONE - own) - returned
        holding.paid += own * (count - closing) - returned
        holding.count += count * towards
        holding.fees += fee
        holding.traded += own * count
        order.filled += count
        order.cost += price * count
        order.fees += fee
        self.fills.append(fill_object(order, price, count, fee, floor.now()))


def _signed(request: Request) -> None:
    if not all(request.headers.get(name) for name in _SIGNED_BY):
        raise Refusal(401, "authentication_error", "authentication error", "NOT_FOUND")


def _number(body: Json, name: str) -> Decimal:
    value = body.get(name)
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise bad_request(f"{name} must be a number in a string")
    return number


def _crossing(floor: Floor, market: Market, order: Order) -> list[tuple[Decimal, Decimal]]:
    """Prices and counts at which the book meets the order, best first."""
    yes, no = floor.book(market)
    resting = [(DOLLAR - ticks, size) for ticks, size in no] if order.book_side == "bid" else yes
    met, left = [], order.count
    for ticks, size in sorted(resting, reverse=order.book_side == "ask"):
        price = Decimal(ticks) / DOLLAR
        if left <= 0 or (price > order.price if order.book_side == "bid" else price < order.price):
            break
        count = min(left, Decimal(size) / 100)
        met.append((price, count))
        left -= count
    return met


def _worth(floor: Floor, ticker: str, count: Decimal) -> Decimal:
    market = floor.market(ticker, "live")
    if market is None or not count:
        return Decimal(0)
    top = floor.top(market)
    return count * top.bid / DOLLAR if count > 0 else -count * (DOLLAR - top.ask) / DOLLAR
