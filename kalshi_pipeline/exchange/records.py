"""The things the exchange speaks of, as frozen typed rows with exact decimals.

Every class reads itself off the wire in all the forms of :mod:`~kalshi_pipeline.exchange.wire`, keeps words it does
not know (statuses, results) and passes over fields it does not know. Candles and order books are in ``market_data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from kalshi_pipeline.exchange import wire
from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.exchange.pagination import distinct
from kalshi_pipeline.exchange.transport import Response
from kalshi_pipeline.exchange.wire import Row

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Series:
    """A series: the template that its events follow."""

    ticker: str
    title: str | None
    category: str | None
    frequency: str | None
    tags: tuple[str, ...]
    settlement_sources: tuple[Mapping[str, Any], ...]
    fee_type: str | None
    fee_multiplier: Decimal | None
    last_updated_ts: datetime | None

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read one ``Series``."""
        return cls(
            ticker=wire.required(row, "ticker"),
            title=wire.text(row, "title"),
            category=wire.text(row, "category"),
            frequency=wire.text(row, "frequency"),
            tags=tuple(wire.rows(row, "tags")),
            settlement_sources=tuple(wire.rows(row, "settlement_sources")),
            fee_type=wire.text(row, "fee_type"),
            fee_multiplier=wire.number(row, "fee_multiplier"),
            last_updated_ts=wire.instant(row, "last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """An event: the markets on one occasion. Its markets are read apart, with :func:`markets_of_event`."""

    event_ticker: str
    series_ticker: str | None
    title: str | None
    sub_title: str | None
    category: str | None
    mutually_exclusive: bool
    collateral_return_type: str | None
    strike_date: datetime | None
    strike_period: str | None
    last_updated_ts: datetime | None

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read one ``EventData``."""
        return cls(
            event_ticker=wire.required(row, "event_ticker"),
            series_ticker=wire.text(row, "series_ticker"),
            title=wire.text(row, "title"),
            sub_title=wire.text(row, "sub_title"),
            category=wire.text(row, "category"),
            mutually_exclusive=bool(row.get("mutually_exclusive")),
            collateral_return_type=wire.text(row, "collateral_return_type"),
            strike_date=wire.instant(row, "strike_date"),
            strike_period=wire.text(row, "strike_period"),
            last_updated_ts=wire.instant(row, "last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Market:
    """A market: one strike with one quote. Prices are dollars per contract, sizes and volumes contracts.

    A bid of 0 and an ask of 0 or 1 are empty sides as the exchange writes them; they are kept as sent.
    """

    ticker: str
    event_ticker: str
    market_type: str | None
    title: str | None
    yes_sub_title: str | None
    no_sub_title: str | None
    status: str | None
    created_time: datetime | None
    updated_time: datetime | None
    open_time: datetime | None
    close_time: datetime | None
    expected_expiration_time: datetime | None
    latest_expiration_time: datetime | None
    occurrence_datetime: datetime | None
    strike_type: str | None
    floor_strike: Decimal | None
    cap_strike: Decimal | None
    functional_strike: str | None
    custom_strike: Mapping[str, Any] | None
    rules_primary: str | None
    price_level_structure: str | None
    notional_value: Decimal | None
    yes_bid: Decimal | None
    yes_ask: Decimal | None
    yes_bid_size: Decimal | None
    yes_ask_size: Decimal | None
    last_price: Decimal | None
    volume: Decimal | None
    volume_24h: Decimal | None
    open_interest: Decimal | None
    result: str | None
    settlement_value: Decimal | None
    settlement_ts: datetime | None
    expiration_value: str | None

    @property
    def no_bid(self) -> Decimal | None:
        """Best bid of the NO side: what an ask of YES is from the other side."""
        return None if self.yes_ask is None else ONE - self.yes_ask

    @property
    def no_ask(self) -> Decimal | None:
        """Best ask of the NO side."""
        return None if self.yes_bid is None else ONE - self.yes_bid

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read one ``Market`` of any year."""
        return cls(
            ticker=wire.required(row, "ticker"),
            event_ticker=wire.required(row, "event_ticker"),
            market_type=wire.text(row, "market_type"),
            title=wire.text(row, "title"),
            yes_sub_title=wire.text(row, "yes_sub_title"),
            no_sub_title=wire.text(row, "no_sub_title"),
            status=wire.text(row, "status"),
            created_time=wire.instant(row, "created_time"),
            updated_time=wire.instant(row, "updated_time"),
            open_time=wire.instant(row, "open_time"),
            close_time=wire.instant(row, "close_time"),
            expected_expiration_time=wire.instant(row, "expected_expiration_time"),
            latest_expiration_time=wire.instant(row, "latest_expiration_time"),
            occurrence_datetime=wire.instant(row, "occurrence_datetime"),
            strike_type=wire.text(row, "strike_type"),
            floor_strike=wire.number(row, "floor_strike"),
            cap_strike=wire.number(row, "cap_strike"),
            functional_strike=wire.text(row, "functional_strike"),
            custom_strike=wire.part(row, "custom_strike") or None,
            rules_primary=wire.text(row, "rules_primary"),
            price_level_structure=wire.text(row, "price_level_structure"),
            notional_value=wire.dollars(row, "notional_value"),
            yes_bid=wire.dollars(row, "yes_bid"),
            yes_ask=wire.dollars(row, "yes_ask"),
            yes_bid_size=wire.contracts(row, "yes_bid_size"),
            yes_ask_size=wire.contracts(row, "yes_ask_size"),
            last_price=wire.dollars(row, "last_price"),
            volume=wire.contracts(row, "volume"),
            volume_24h=wire.contracts(row, "volume_24h"),
            open_interest=wire.contracts(row, "open_interest"),
            result=wire.text(row, "result"),
            settlement_value=wire.dollars(row, "settlement_value"),
            settlement_ts=wire.instant(row, "settlement_ts"),
            expiration_value=wire.text(row, "expiration_value"),
        )


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The instants before which the historical tier has what the live tier forgets."""

    market_settled_ts: datetime
    trades_created_ts: datetime

    @classmethod
    def from_wire(cls, row: Row) -> Self:
        """Read the answer of ``/historical/cutoff``.

        Raises:
            ContractError: one of the instants is missing.
        """
        settled, trades = wire.instant(row, "market_settled_ts"), wire.instant(row, "trades_created_ts")
        if settled is None or trades is None:
            raise ContractError(f"The historical cutoff lacks an instant; it holds {dict(row)}.")
        return cls(settled, trades)


def markets_of_event(document: Row) -> list[Market]:
    """The markets of an answer of ``/events/{event_ticker}``, whether they are nested in the event or beside it."""
    listed = wire.rows(document, "markets") or wire.rows(wire.part(document, "event"), "markets")
    return [Market.from_wire(row) for row in listed]


def markets_of(pages: Iterable[Response]) -> Iterator[Market]:
    """The markets of a walk over pages, each once."""
    rows = (Market.from_wire(row) for page in pages for row in wire.rows(page.document, "markets"))
    return distinct(rows, key=lambda market: market.ticker)
