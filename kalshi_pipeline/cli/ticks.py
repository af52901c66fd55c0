"""When a repeated snapshot is due: on multiples of its interval, without drift, and never twice at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERVAL = re.compile(r"(?P<count>\d+)\s*(?P<unit>s|m|min|h)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def read_interval(text: str) -> timedelta:
    """Read ``90s``, ``15m`` or ``1h``.

    Raises:
        ValueError: the text is none of them, or does not divide a day, so that ticks would wander through it.
    """
    found = _INTERVAL.fullmatch(text.strip().lower())
    seconds = int(found["count"]) * _SECONDS[found["unit"]] if found else 0
    if not seconds or 86_400 % seconds:
        raise ValueError(f"{text!r} is not an interval that divides a day; write it like 5m, 15m or 1h.")
    return timedelta(seconds=seconds)


def next_tick(now: datetime, interval: timedelta) -> datetime:
    """The first multiple of the interval after ``now``, counted from midnight UTC."""
    return _EPOCH + ((now - _EPOCH) // interval + 1) * interval


@dataclass
class Ticked:
    """What came of the ticks: how many snapshots were taken, failed, and skipped because one still ran."""

    taken: int = 0
    failed: int = 0
    skipped: int = 0


def tick(
    take: Callable[[], bool],
    interval: timedelta,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    account: Ticked,
) -> None:
    """Call ``take`` at once and then on every tick, until somebody interrupts.

    A snapshot that takes longer than the interval costs the ticks it overran: nothing is caught up, since what was not
    observed then cannot be observed now. One that fails costs only itself.

    Args:
        take: takes a snapshot; ``False`` says that it failed.
        interval: distance of the ticks.
        clock: the time now, in UTC.
        sleep: waits some seconds.
        account: counted into, so that it is there when the interrupt comes.
    """
    due = clock()
    while True:
        taken = take()
        account.taken += taken
        account.failed += not taken
        following = next_tick(due, interval)
        now = clock()
        due = next_tick(now - timedelta(microseconds=1), interval)
        account.skipped += max((due - following) // interval, 0)
        sleep((due - now).total_seconds())
