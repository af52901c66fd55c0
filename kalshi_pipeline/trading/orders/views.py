"""What an order is judged by: the market's quote and the account, with everything unknown as ``None``.

The protocols say who provides them; ``account`` reads them from the exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from kalshi_pipeline.trading.orders.intents import ONE, Side


@dataclass(frozen=True)
class MarketView:
    """A market as it is quoted.

    Attributes:
        ticker: market.
        status: life-cycle status in the exchange's words; orders go to ``active`` markets only.
        yes_bid, yes_ask: best prices in dollars; ``None`` where a side is empty or unknown.
        observed_at: when the quote was received.
    """

    ticker: str
    status: str | None
    yes_bid: Decimal | None
    yes_ask: Decimal | None
    observed_at: datetime | None

    def bid(self, side: Side) -> Decimal | None:
        """Best bid for contracts of a side."""
        return self.yes_bid if side == "yes" else _opposite(self.yes_ask)

    def ask(self, side: Side) -> Decimal | None:
        """Best ask for contracts of a side."""
        return self.yes_ask if side == "yes" else _opposite(self.yes_bid)


@dataclass(frozen=True)
class AccountView:
    """An account as far as an order in one market needs it. ``None`` is unknown, never zero.

    Attributes:
        balance: dollars free for orders.
        equity: balance and the value of all positions, dollars; the day's loss is measured on it.
        position: contracts held in the market, YES above zero and NO below.
        resting_yes, resting_no: contracts of resting orders that would move the position up, and down.
    """

    balance: Decimal | None
    equity: Decimal | None
    position: Decimal | None
    resting_yes: Decimal | None
    resting_no: Decimal | None


@dataclass(frozen=True)
class PlacedOrder:
    """An order that the exchange has.

    Attributes:
        order_id: the exchange's identifier.
        client_order_id: ours.
        status: resting, canceled or executed.
        filled, remaining: contracts.
    """

    order_id: str
    client_order_id: str
    status: str
    filled: Decimal
    remaining: Decimal


class MarketReader(Protocol):
    """Provides quotes."""

    def market(self, ticker: str) -> MarketView:
        """The market as it is now."""
        ...


class AccountReader(Protocol):
    """Provides what the account holds and has ordered."""

    def account(self, ticker: str) -> AccountView:
        """The account as it is now."""
        ...

    def orders(self, ticker: str) -> Sequence[PlacedOrder]:
        """All orders of the account in a market."""
        ...


def _opposite(price: Decimal | None) -> Decimal | None:
    return None if price is None else ONE - price
