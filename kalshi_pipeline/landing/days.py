"""Days and instants: the UTC days of partitions, and windows of unix seconds over runs of days.

A day's facts are those with ``day 00:00 < t <= next day 00:00`` for bars (a bar belongs to the day in which it ended)
and ``day 00:00 <= t < next day 00:00`` for trades and quotes; the loader keeps to that, windows here may touch both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_STAMP = "%Y%m%dT%H%M%SZ"


def midnight(day: date) -> datetime:
    """The instant a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def next_midnight(day: date) -> datetime:
    """The instant a UTC day is over."""
    return midnight(day + timedelta(days=1))


def stamp(ts: int) -> str:
    """Unix seconds as a short UTC text that sorts: ``20260630T161500Z``."""
    return datetime.fromtimestamp(ts, UTC).strftime(_STAMP)


def unstamp(text: str) -> int:
    """The unix seconds of :func:`stamp`.

    Raises:
        ValueError: the text is no such stamp.
    """
    return int(datetime.strptime(text, _STAMP).replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class DayRun:
    """Consecutive days.

    Attributes:
        first, last: first and last day.
        until: instant up to which the days can be fetched: the end of the last day, or now while it runs.
    """

    first: date
    last: date
    until: datetime

    @property
    def start_ts(self) -> int:
        """First second of the run, unix seconds."""
        return int(midnight(self.first).timestamp())

    @property
    def end_ts(self) -> int:
        """Last whole second that can be fetched, unix seconds."""
        return int(self.until.timestamp())

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


def is_over(day: date, now: datetime) -> bool:
    """Whether a UTC day has ended by ``now``, so that all its facts are on the exchange."""
    return next_midnight(day) <= now


def runs_of(days: Iterable[date], now: datetime) -> list[DayRun]:
    """Consecutive days put together; the day that is still running stands alone, days to come are left out."""
    runs: list[DayRun] = []
    for day in sorted(set(days)):
        if midnight(day) >= now:
            continue
        until = min(next_midnight(day), now)
        if runs and is_over(day, now) and runs[-1].last + timedelta(days=1) == day:
            runs[-1] = DayRun(runs[-1].first, day, until)
        else:
            runs.append(DayRun(day, day, until))
    return runs
