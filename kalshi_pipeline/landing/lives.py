"""The lives of events and markets: when a fact can have rows, and which events that makes of a day.

Not here: what is fetched for them (``facts``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from kalshi_pipeline.landing.days import DayRun, midnight, stamp, unstamp
from kalshi_pipeline.landing.units import MarketWindow

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """The moments ``after_ts < t <= end_ts``, unix seconds."""

    after_ts: int
    end_ts: int

    def __bool__(self) -> bool:
        return self.after_ts < self.end_ts

    def __and__(self, other: Window) -> Window:
        return Window(max(self.after_ts, other.after_ts), min(self.end_ts, other.end_ts))

    @classmethod
    def of_day(cls, day: date) -> Window:
        """A UTC day."""
        start = int(midnight(day).timestamp())
        return cls(start, start + _DAY)

    @classmethod
    def of_run(cls, run: DayRun) -> Window:
        """A run of days, as far as it can be fetched."""
        return cls(run.start_ts, run.end_ts)

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read the text of a window.

        Raises:
            ValueError: the text is no window.
        """
        after, _, end = text.partition("_")
        return cls(unstamp(after), unstamp(end))

    def __str__(self) -> str:
        return f"{stamp(self.after_ts)}_{stamp(self.end_ts)}"


@dataclass(frozen=True)
class Event:
    """An event with its markets and their lives under one fact."""

    ticker: str
    series_ticker: str
    lives: tuple[tuple[MarketWindow, Window], ...]
    life: Window

    def alive(self, window: Window) -> list[MarketWindow]:
        """The markets that can have rows within ``window``."""
        return [market for market, life in self.lives if life & window]


def events_of(markets: Iterable[MarketWindow], life_of: Callable[[MarketWindow], Window]) -> list[Event]:
    """The events of the markets, by ticker, under one fact's idea of a market's life."""
    grouped: dict[str, list[tuple[MarketWindow, Window]]] = defaultdict(list)
    for market in markets:
        if life := life_of(market):
            grouped[market.event_ticker].append((market, life))
    return [
        Event(
            ticker=ticker,
            series_ticker=lives[0][0].series_ticker,
            lives=tuple(sorted(lives, key=lambda pair: pair[0].ticker)),
            life=Window(min(life.after_ts for _, life in lives), max(life.end_ts for _, life in lives)),
        )
        for ticker, lives in sorted(grouped.items())
    ]


def events_by_day(events: Iterable[Event], days: Sequence[date]) -> dict[date, list[Event]]:
    """The events that can have rows on each day."""
    alive: dict[date, list[Event]] = {day: [] for day in days}
    for event in events:
        first = datetime.fromtimestamp(event.life.after_ts, UTC).date()
        last = datetime.fromtimestamp(event.life.end_ts - 1, UTC).date()
        for day in days[bisect_left(days, first) : bisect_right(days, last)]:
            alive[day].append(event)
    return alive


def events_in(run: DayRun, alive: Mapping[date, Sequence[Event]]) -> list[Event]:
    """The events of a run of days, each once."""
    return list({event.ticker: event for day in run for event in alive[day]}.values())
