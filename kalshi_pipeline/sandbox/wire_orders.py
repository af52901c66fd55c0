"""Orders, fills and positions of the sandbox account, and how they look in the words of the Trade API.

Not here: what happens to them (``orders``).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from kalshi_pipeline.sandbox.wire import Json, timestamp

ONE = Decimal(1)


@dataclass
class Order:
    """An order: YES contracts bid for or offered, at a YES price."""

    order_id: str
    client_order_id: str
    ticker: str
    book_side: Literal["bid", "ask"]
    price: Decimal
    count: Decimal
    created: datetime
    status: Literal["resting", "canceled", "executed"] = "resting"
    filled: Decimal = Decimal(0)
    remaining: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)


@dataclass
class Holding:
    """What the account holds in a market: YES above zero, NO below; dollars paid for it, won and charged."""

    count: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    traded: Decimal = Decimal(0)


def placed_object(order: Order, now: datetime) -> Json:
    """The answer to an order that was taken."""
    body: Json = {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "fill_count": f"{order.filled:.2f}",
        "remaining_count": f"{order.remaining:.2f}",
        "ts_ms": int(now.timestamp() * 1000),
    }
    if order.filled:
        body["average_fill_price"] = f"{order.cost / order.filled:.4f}"
        body["average_fee_paid"] = f"{order.fees / order.filled:.4f}"
    return body


def order_object(order: Order) -> Json:
    """An ``Order``."""
    return {
        "order_id": order.order_id,
        "user_id": "sandbox",
        "client_order_id": order.client_order_id,
        "ticker": order.ticker,
        **_direction(order),
        "type": "limit",
        "status": order.status,
        "yes_price_dollars": f"{order.price:.4f}",
        "no_price_dollars": f"{ONE - order.price:.4f}",
        "fill_count_fp": f"{order.filled:.2f}",
        "remaining_count_fp": f"{order.remaining:.2f}",
        "initial_count_fp": f"{order.count:.2f}",
        "taker_fill_cost_dollars": f"{order.cost:.4f}",
        "maker_fill_cost_dollars": "0.0000",
        "taker_fees_dollars": f"{order.fees:.4f}",
        "maker_fees_dollars": "0.0000",
        "created_time": timestamp(order.created),
    }


def fill_object(order: Order, price: Decimal, count: Decimal, fee: Decimal, now: datetime) -> Json:
    """A ``Fill``."""
    identifier = str(uuid.uuid4())
    return {
        "fill_id": identifier,
        "trade_id": identifier,
        "exchange_index": 0,
        "order_id": order.order_id,
        "ticker": order.ticker,
        "market_ticker": order.ticker,
        **_direction(order),
        "count_fp": f"{count:.2f}",
        "yes_price_dollars": f"{price:.4f}",
        "no_price_dollars": f"{ONE - price:.4f}",
        "is_taker": True,
        "fee_cost": f"{fee:.4f}",
        "created_time": timestamp(now),
    }


def position_object(ticker: str, holding: Holding, now: datetime) -> Json:
    """A ``MarketPosition``."""
    return {
        "ticker": ticker,
        "exchange_index": 0,
        "total_traded_dollars": f"{holding.traded:.4f}",
        "position_fp": f"{holding.count:.2f}",
        "market_exposure_dollars": f"{holding.paid:.4f}",
        "realized_pnl_dollars": f"{holding.realized:.4f}",
        "fees_paid_dollars": f"{holding.fees:.4f}",
        "last_updated_ts": timestamp(now),
    }


def _direction(order: Order) -> dict[str, Any]:
    return {"outcome_side": "yes" if order.book_side == "bid" else "no", "book_side": order.book_side}
