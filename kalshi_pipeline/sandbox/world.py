"""What stands behind the exchange: the words in which a world is told, and the protocol every world follows.

A world knows everything, the future and the outcomes included. What of it is visible at an instant is decided by
``visibility`` and ``candlesticks``, never by a world. Prices are whole ticks of $0.0001, counts are whole hundredths of
a contract, so nothing is rounded on its way to the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Ticks = NDArray[np.int16]

#: Ticks in one dollar.
DOLLAR = 10_000
#: Tick value of a price that does not exist (no trade in the bar, none before it).
NO_PRICE = -1

#: Resting bids of a side, best last: price in ticks, hundredths of a contract.
Levels = list[tuple[int, int]]
#: YES bids and NO bids.
Book = tuple[Levels, Levels]
QuoteKind = Literal["candle_close", "trade_proxy"]
#: Rows of ``Candles.bid`` and ``Candles.ask``, and the first four of ``Candles.price``.
OPEN, HIGH, LOW, CLOSE, MEAN, PREVIOUS = range(6)


class WorldError(ValueError):
    """A world cannot be loaded; the message names the folder, the file and what is wrong, in one sentence."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series as the exchange lists it."""

    ticker: str
    title: str
    category: str
    frequency: str
    fee_type: str = "quadratic"
    fee_multiplier: float = 1.0
    tags: tuple[str, ...] = ()
    settlement_source: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event: the set of markets on one release.

    Attributes:
        listed: when the event appears on the exchange.
        settled: when the last of its markets settled; ``None`` while one of them has no known settlement.
    """

    ticker: str
    series_ticker: str
    title: str
    sub_title: str
    mutually_exclusive: bool
    listed: datetime
    open_time: datetime
    close_time: datetime
    settled: datetime | None
    strike_date: datetime | None = None
    strike_period: str | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """A market with its outcome.

    Attributes:
        listed: when it appears on the exchange, with its event.
        created: the creation time the exchange gives; ``None`` where nobody recorded it.
    """

    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    yes_sub_title: str
    strike_type: str | None
    floor_strike: float | None
    cap_strike: float | None
    listed: datetime
    created: datetime | None
    open_time: datetime
    close_time: datetime
    expected_expiration: datetime
    occurrence: datetime | None
    settlement_ts: datetime | None
    result: str
    expiration_value: str
    rules: str = ""
    settlement_timer_seconds: int = 3600


@dataclass(frozen=True, slots=True)
class Candles:
    """Bars of one market, by end.

    Attributes:
        end: unix seconds at which the bar ends, ascending, shape (n,).
        bid: open, high, low, close of the YES bid in ticks, shape (4, n); 0 is an empty side.
        ask: the same of the YES ask; 10,000 is an empty side.
        price: open, high, low, close, mean, previous of the trades in ticks, shape (6, n); -1 is no price.
        volume: hundredths of a contract traded in the bar.
        open_interest: hundredths of a contract outstanding at its end.
    """

    end: Ints
    bid: Ticks
    ask: Ticks
    price: Ticks
    volume: Ints
    open_interest: Ints

    def __len__(self) -> int:
        return len(self.end)

    def rows(self, first: int, last: int) -> Candles:
        """The bars ``[first, last)``, as views."""
        part = slice(first, last)
        return Candles(
            self.end[part],
            self.bid[:, part],
            self.ask[:, part],
            self.price[:, part],
            self.volume[part],
            self.open_interest[part],
        )

    def window(self, start: float, end: float) -> Candles:
        """The bars that end within ``[start, end]`` (unix seconds, both ends included)."""
        first = int(np.searchsorted(self.end, start, side="left"))
        return self.rows(first, max(first, int(np.searchsorted(self.end, end, side="right"))))

    @classmethod
    def none(cls) -> Candles:
        """No bars."""
        empty, side = np.empty(0, np.int64), np.empty((4, 0), np.int16)
        return cls(empty, side, side, np.empty((6, 0), np.int16), empty, empty)


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of one market, oldest first.

    Attributes:
        time: microseconds since the epoch, ascending.
        price: YES price in ticks.
        count: hundredths of a contract.
        taker_yes: whether the taker bought YES.
        ids: identifiers as recorded; empty where they are made from ticker and position.
    """

    time: Ints
    price: Ticks
    count: Ints
    taker_yes: NDArray[np.bool_]
    ids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def none(cls) -> Trades:
        """No trades."""
        empty = np.empty(0, np.int64)
        return cls(empty, np.empty(0, np.int16), empty, np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True)
class Vintage:
    """One published value of a statistic: what was said on ``published`` about ``period``."""

    period: date
    published: datetime
    value: float


@dataclass(frozen=True, slots=True)
class FeeChange:
    """A scheduled change of a series' fee."""

    series_ticker: str
    fee_type: str
    fee_multiplier: float
    scheduled: datetime


@dataclass(frozen=True, slots=True)
class WorldInfo:
    """What a world says of itself.

    Attributes:
        universe: the series a pipeline takes in when the user names none.
        first_day: first UTC day with anything to fetch.
        last_day: last such day; ``None`` follows the clock.
        candle_minutes: bar lengths that are native to the world; the shortest feeds quotes and books.
        pinned: where the clock stands unless told otherwise; ``None`` follows the wall clock.
    """

    name: str
    kind: Literal["simulated", "recorded"]
    universe: tuple[str, ...]
    first_day: date
    last_day: date | None
    candle_minutes: tuple[int, ...]
    quote_kind: QuoteKind
    pinned: datetime | None
    notes: str
    counts: Mapping[str, int] = field(default_factory=dict)


class World(Protocol):
    """Everything that happens on an exchange."""

    @property
    def info(self) -> WorldInfo:
        """What the world says of itself."""
        ...

    def cutoff(self, now: datetime) -> datetime:
        """Markets settled, and trades made, before this instant are in the historical tier."""
        ...

    def series(self) -> Sequence[Series]:
        """All series."""
        ...

    def events(self, series_ticker: str | None = None) -> Sequence[Event]:
        """Events of a series, or of all, last listed first (ties by ticker, descending)."""
        ...

    def event(self, ticker: str) -> Event | None:
        """One event."""
        ...

    def markets(self, event: Event) -> Sequence[Market]:
        """Markets of an event, by ticker descending."""
        ...

    def market(self, ticker: str) -> Market | None:
        """One market."""
        ...

    def candles(self, market: Market, period_minutes: int) -> Candles:
        """All bars of a market's life."""
        ...

    def trades(self, market: Market) -> Trades:
        """All trades of a market's life."""
        ...

    def depth(self, market: Market, bid: int, ask: int, at: int) -> Book:
        """The book behind a top of book (ticks) that was quoted at ``at`` (unix seconds)."""
        ...

    def fee_changes(self) -> Sequence[FeeChange]:
        """Scheduled fee changes of series."""
        ...

    def outcome_vintages(self, series_ticker: str) -> Sequence[Vintage]:
        """Every published value of the statistic a series settles on, revisions included."""
        ...
