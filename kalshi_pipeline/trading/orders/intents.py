"""What somebody wants to trade, before anything has judged it: one frozen, exact, validated order intent.

Not here: whether it may be sent (``limits``, ``gate``), and how it is sent (``sending``).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

Side = Literal["yes", "no"]
Action = Literal["buy", "sell"]
TimeInForce = Literal["fill_or_kill", "immediate_or_cancel", "good_till_canceled"]

ONE = Decimal(1)
#: The finest price and the finest number of contracts that the exchange takes in an order.
PRICE_STEP, COUNT_STEP = Decimal("0.0001"), Decimal("0.01")
_TICKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DECISION = re.compile(r"[\w:./+=-]{1,200}")
_NAMESPACE = uuid.UUID("8f2a6a0e-5f57-5a57-9d6a-6b1c8b6f4f11")


class InvalidIntent(ValueError):
    """The intent is not an order; the message names the field and what it takes."""


@dataclass(frozen=True)
class OrderIntent:
    """One order that somebody wants to place.

    Attributes:
        decision_id: names the decision behind it. A decision is sent at most once, whatever happens in between.
        ticker: market.
        side: the contracts traded.
        action: whether they are bought or sold.
        count: contracts, more than 0, in steps of 0.01.
        limit_price: worst price, dollars per contract of ``side``, between 0 and 1 exclusive, in steps of 0.0001.
        time_in_force: what becomes of the part that does not execute at once; by default it is dropped.

    Raises:
        InvalidIntent: a field is not what it has to be. Floats are refused: a price is exact or it is no price.
    """

    decision_id: str
    ticker: str
    side: Side
    action: Action
    count: Decimal
    limit_price: Decimal
    time_in_force: TimeInForce = "immediate_or_cancel"

    def __post_init__(self) -> None:
        _matching("decision_id", self.decision_id, _DECISION, "1 to 200 letters, digits or any of _ : . / + = -")
        _matching("ticker", self.ticker, _TICKER, "a market ticker")
        _one_of("side", self.side, get_args(Side))
        _one_of("action", self.action, get_args(Action))
        _one_of("time_in_force", self.time_in_force, get_args(TimeInForce))
        _exact("count", self.count, COUNT_STEP)
        _exact("limit_price", self.limit_price, PRICE_STEP)
        if self.limit_price >= ONE:
            raise InvalidIntent(f"limit_price is {self.limit_price}; it takes dollars below 1.")

    def client_order_id(self, environment: str) -> str:
        """Identifier that the exchange knows the order by: always the same for a decision in an environment."""
        return str(uuid.uuid5(_NAMESPACE, f"{environment}/{self.decision_id}"))

    @property
    def notional(self) -> Decimal:
        """Dollars that change hands at the limit price, fees left out."""
        return self.count * self.limit_price

    @property
    def yes_change(self) -> Decimal:
        """Contracts by which the position moves if it executes whole: YES counts up, NO counts down."""
        return self.count if (self.side == "yes") == (self.action == "buy") else -self.count

    def body(self, client_order_id: str) -> dict[str, Any]:
        """The order on the wire. The exchange has one book per market and prices it from the YES side."""
        yes_price = self.limit_price if self.side == "yes" else ONE - self.limit_price
        return {
            "ticker": self.ticker,
            "client_order_id": client_order_id,
            "side": "bid" if self.yes_change > 0 else "ask",
            "count": f"{self.count:.2f}",
            "price": f"{yes_price:.4f}",
            "time_in_force": self.time_in_force,
            "self_trade_prevention_type": "taker_at_cross",
            "cancel_order_on_pause": True,
        }


def _matching(name: str, value: Any, pattern: re.Pattern[str], takes: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidIntent(f"{name} is {value!r}; it takes {takes}.")


def _one_of(name: str, value: Any, words: tuple[str, ...]) -> None:
    if value not in words:
        raise InvalidIntent(f"{name} is {value!r}; it takes {' or '.join(words)}.")


def _exact(name: str, value: Any, step: Decimal) -> None:
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0 or value % step:
        raise InvalidIntent(f"{name} is {value!r}; it takes a Decimal above 0 in steps of {step}.")
