"""Quotes, account and orders as the exchange tells them, read with the same GET-only client as the market data.

An answer that lacks something leaves it unknown, and one that cannot be read raises; either way no order is sent on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from kalshi_pipeline.exchange import wire
from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.exchange.records import Market
from kalshi_pipeline.exchange.wire import Row
from kalshi_pipeline.trading.orders.intents import Action, Side
from kalshi_pipeline.trading.orders.views import AccountView, MarketView, PlacedOrder

_PER_PAGE = 1_000


@dataclass(frozen=True)
class Trade:
    """A fill of one of our orders.

    Attributes:
        trade_id, order_id: the exchange's identifiers.
        ticker: market.
        side, action: as the order was placed; where the order is not ours, as bought on the side it positioned for.
        count: contracts.
        price: dollars per contract of ``side``.
        fee: dollars.
        is_taker: whether the order took liquidity.
        executed_at: when.
    """

    trade_id: str
    order_id: str
    ticker: str
    side: Side
    action: Action
    count: Decimal
    price: Decimal
    fee: Decimal
    is_taker: bool
    executed_at: datetime


@dataclass(frozen=True)
class Position:
    """What the account holds in one market.

    Attributes:
        ticker: market.
        side: side of the contracts held.
        count: contracts, above 0.
        exposure: dollars paid for them.
        realized_pnl, fees: dollars over the position's life.
    """

    ticker: str
    side: Side
    count: Decimal
    exposure: Decimal
    realized_pnl: Decimal
    fees: Decimal


class ExchangeAccount:
    """Reads quotes and account from an exchange.

    Args:
        client: a client that signs its requests; it can only GET.
    """

    def __init__(self, client: KalshiClient) -> None:
        self._client = client

    def market(self, ticker: str) -> MarketView:
        """The market's quote; a side without size, or at 0 or 1, is empty."""
        response = self._client.market(ticker)
        market = Market.from_wire(wire.part(response.document, "market"))
        return MarketView(
            ticker=market.ticker,
            status=market.status,
            yes_bid=_quoted(market.yes_bid, market.yes_bid_size),
            yes_ask=_quoted(market.yes_ask, market.yes_ask_size),
            observed_at=response.received_at,
        )

    def account(self, ticker: str) -> AccountView:
        """Balance, equity, position and resting orders in a market."""
        money = self._client.get("/portfolio/balance", holds="balance").document
        balance, value = wire.dollars(money, "balance"), wire.dollars(money, "portfolio_value")
        resting = list(self._orders(ticker, "resting"))
        return AccountView(
            balance=balance,
            equity=None if balance is None or value is None else balance + value,
            position=sum((_amount(row, "position") for row in self._positions(ticker)), Decimal(0)),
            resting_yes=_remaining(resting, "bid"),
            resting_no=_remaining(resting, "ask"),
        )

    def orders(self, ticker: str) -> list[PlacedOrder]:
        """All orders in a market."""
        return [
            PlacedOrder(
                order_id=wire.required(row, "order_id"),
                client_order_id=wire.text(row, "client_order_id") or "",
                status=wire.required(row, "status"),
                filled=_amount(row, "fill_count"),
                remaining=_amount(row, "remaining_count"),
            )
            for row in self._orders(ticker, None)
        ]

    def trades(self, since: datetime, placed: Mapping[str, tuple[Side, Action]]) -> list[Trade]:
        """Fills since an instant; ``placed`` says how orders were placed, by the exchange's identifier."""
        query = {"min_ts": int(since.timestamp()), "limit": _PER_PAGE}
        return [_trade(row, placed) for row in self._rows("/portfolio/fills", query, "fills")]

    def positions(self) -> list[Position]:
        """Everything held in markets that have not settled."""
        return [
            Position(
                ticker=wire.required(row, "ticker"),
                side="yes" if count > 0 else "no",
                count=abs(count),
                exposure=_money(row, "market_exposure"),
                realized_pnl=_money(row, "realized_pnl"),
                fees=_money(row, "fees_paid"),
            )
            for row in self._positions(None)
            if (count := _amount(row, "position"))
        ]

    def _positions(self, ticker: str | None) -> Iterator[Row]:
        return self._rows("/portfolio/positions", {"ticker": ticker, "limit": _PER_PAGE}, "market_positions")

    def _orders(self, ticker: str, status: str | None) -> Iterator[Row]:
        return self._rows("/portfolio/orders", {"ticker": ticker, "status": status, "limit": _PER_PAGE}, "orders")

    def _rows(self, path: str, query: dict[str, Any], key: str) -> Iterator[Row]:
        for page in self._client.pages(path, query, holds=key):
            rows = page.document[key]
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ContractError(f"{page.url} answered with {key!r} that is not a list of objects.")
            yield from rows


def _quoted(price: Decimal | None, size: Decimal | None) -> Decimal | None:
    return price if price is not None and size and 0 < price < 1 else None


def _amount(row: Row, name: str) -> Decimal:
    count = wire.contracts(row, name)
    if count is None:
        raise ContractError(f"A row lacks {name}: {dict(row)}")
    return count


def _money(row: Row, name: str) -> Decimal:
    amount = wire.dollars(row, name)
    if amount is None:
        raise ContractError(f"A row lacks {name}: {dict(row)}")
    return amount


def _remaining(orders: list[Row], book_side: str) -> Decimal:
    sides = {wire.required(row, "book_side") for row in orders}
    if not sides <= {"bid", "ask"}:
        raise ContractError(f"Orders have book sides {sorted(sides)}; bid and ask are known.")
    return sum((_amount(row, "remaining_count") for row in orders if row["book_side"] == book_side), Decimal(0))


def _trade(row: Row, placed: Mapping[str, tuple[Side, Action]]) -> Trade:
    outcome, order_id = wire.required(row, "outcome_side"), wire.required(row, "order_id")
    executed_at = wire.instant(row, "created_time")
    if outcome not in ("yes", "no") or executed_at is None:
        raise ContractError(f"A fill has no side or time: {dict(row)}")
    positioned: Side = "yes" if outcome == "yes" else "no"
    side, action = placed.get(order_id, (positioned, "buy"))
    return Trade(
        trade_id=wire.required(row, "fill_id"),
        order_id=order_id,
        ticker=wire.required(row, "ticker"),
        side=side,
        action=action,
        count=_amount(row, "count"),
        price=_money(row, f"{side}_price"),
        fee=_money(row, "fee_cost"),
        is_taker=bool(row.get("is_taker")),
        executed_at=executed_at,
    )
