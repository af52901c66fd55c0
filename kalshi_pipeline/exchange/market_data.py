"""Candles, trades and order books as frozen typed rows, in both candle dialects and every year's form.

Not here: series, events and markets (``records``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Self

from kalshi_pipeline.exchange import wire
from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.exchange.records import ONE
from kalshi_pipeline.exchange.wire import Row


@dataclass(frozen=True, slots=True)
class Ohlc:
    """Open, high, low and close of a bar in dollars; all ``None`` where there was nothing to quote or trade."""

    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read the four prices, under their live or historical names."""
        return cls(*(wire.dollars(row, name) for name in ("open", "high", "low", "close")))


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar of a market.

    Attributes:
        end: when the bar ended; it is known from then on. Daily bars end at midnight US Eastern.
        yes_bid, yes_ask: quotes of the YES side; the NO side is their mirror image and is not served.
        price: trades; all ``None`` in a bar without trades.
        price_mean: volume-weighted mean trade price.
        price_previous: last trade before the bar.
        volume: contracts traded in the bar.
        open_interest: contracts outstanding at its end.
    """

    end: datetime
    yes_bid: Ohlc
    yes_ask: Ohlc
    price: Ohlc
    price_mean: Decimal | None
    price_previous: Decimal | None
    volume: Decimal | None
    open_interest: Decimal | None

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read one candlestick.

        Raises:
            ContractError: it does not say when it ended.
        """
        end = row.get("end_period_ts")
        if not isinstance(end, int):
            raise ContractError(f"A candlestick has end_period_ts {end!r} instead of unix seconds.")
        price = wire.part(row, "price")
        return cls(
            end=datetime.fromtimestamp(end, UTC),
            yes_bid=Ohlc.from_wire(wire.part(row, "yes_bid")),
            yes_ask=Ohlc.from_wire(wire.part(row, "yes_ask")),
            price=Ohlc.from_wire(price),
            price_mean=wire.dollars(price, "mean"),
            price_previous=wire.dollars(price, "previous"),
            volume=wire.contracts(row, "volume"),
            open_interest=wire.contracts(row, "open_interest"),
        )


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade; prices in dollars, count in contracts."""

    trade_id: str
    ticker: str
    created_time: datetime | None
    count: Decimal | None
    yes_price: Decimal | None
    no_price: Decimal | None
    taker_outcome_side: str | None
    taker_book_side: str | None
    is_block_trade: bool | None

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read one trade of any year; older ones name the taker's outcome ``taker_side``."""
        block = row.get("is_block_trade")
        return cls(
            trade_id=wire.required(row, "trade_id"),
            ticker=wire.required(row, "ticker"),
            created_time=wire.instant(row, "created_time"),
            count=wire.contracts(row, "count"),
            yes_price=wire.dollars(row, "yes_price"),
            no_price=wire.dollars(row, "no_price"),
            taker_outcome_side=wire.text(row, "taker_outcome_side") or wire.text(row, "taker_side"),
            taker_book_side=wire.text(row, "taker_book_side"),
            is_block_trade=None if block is None else bool(block),
        )


@dataclass(frozen=True, slots=True)
class Level:
    """Contracts that rest at one price, in dollars."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True)
class Orderbook:
    """The resting bids of both sides, ascending by price: the best is the last. There are no asks on the wire."""

    ticker: str
    yes: tuple[Level, ...]
    no: tuple[Level, ...]

    @property
    def yes_bid(self) -> Decimal | None:
        """Best YES bid; ``None`` where nobody bids."""
        return self.yes[-1].price if self.yes else None

    @property
    def yes_ask(self) -> Decimal | None:
        """Best YES ask: what the best NO bid is from the other side."""
        return ONE - self.no[-1].price if self.no else None

    @classmethod
    def from_wire(cls, ticker: str, row: Row) -> Self:
        """Read one book: today's ``orderbook_fp`` or the older ``orderbook``; an empty side may be a list or null."""
        book = wire.part(row, "orderbook_fp") or wire.part(row, "orderbook")
        return cls(ticker, _levels(book, "yes"), _levels(book, "no"))


def candles_in(document: Row) -> Iterator[tuple[str, Candle]]:
    """The bars of any candlestick answer, each with the ticker of its market.

    One market's answer may lack its ticker (the older form): it comes out empty.
    """
    if "market_candlesticks" in document:
        tickers, lists = wire.rows(document, "market_tickers"), wire.rows(document, "market_candlesticks")
        groups = list(zip(tickers, lists, strict=True))
    elif "markets" in document:
        groups = [(m["market_ticker"], m.get("candlesticks")) for m in wire.rows(document, "markets")]
    else:
        groups = [(str(document.get("ticker") or ""), wire.rows(document, "candlesticks"))]
    return ((ticker, Candle.from_wire(row)) for ticker, bars in groups for row in bars or ())


def _levels(book: Row, side: str) -> tuple[Level, ...]:
    in_dollars = wire.rows(book, f"{side}_dollars")
    listed = in_dollars or wire.rows(book, side)
    key = "p_dollars" if in_dollars else "p"
    levels = (_level({key: price, "n": size}) for price, size in listed)
    return tuple(sorted(levels, key=lambda level: level.price))


def _level(row: Row) -> Level:
    price, size = wire.dollars(row, "p"), wire.contracts(row, "n")
    if price is None or size is None:
        raise ContractError(f"An order book holds a level without price or size: {dict(row)}.")
    return Level(price, size)
