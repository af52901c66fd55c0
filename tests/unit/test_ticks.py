"""When snapshots are due: on the clock, without drift, never catching up, surviving failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.cli.ticks import Ticked, next_tick, read_interval, tick

pytestmark = pytest.mark.unit

QUARTER = timedelta(minutes=15)
START = datetime(2026, 7, 1, 12, 7, 30, tzinfo=UTC)


class Interrupted(Exception):
    """Somebody pressed the keys."""


class Day:
    """A clock that moves only when somebody sleeps or a snapshot takes its time."""

    def __init__(self, durations: list[float]) -> None:
        self.now = START
        self.durations = durations
        self.taken_at: list[datetime] = []

    def take(self) -> bool:
        if not self.durations:
            raise Interrupted
        self.taken_at.append(self.now)
        seconds = self.durations.pop(0)
        self.now += timedelta(seconds=abs(seconds))
        return seconds >= 0

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += timedelta(seconds=seconds)


def run(durations: list[float]) -> tuple[list[str], Ticked]:
    day, account = Day(durations), Ticked()
    with pytest.raises(Interrupted):
        tick(day.take, QUARTER, clock=lambda: day.now, sleep=day.sleep, account=account)
    return [f"{at:%H:%M:%S}" for at in day.taken_at], account


def test_the_first_snapshot_is_at_once_and_the_others_on_the_quarter_hour() -> None:
    times, account = run([20, 20, 20])
    assert times == ["12:07:30", "12:15:00", "12:30:00"]
    assert account == Ticked(taken=3)


def test_long_snapshots_do_not_make_the_ticks_drift() -> None:
    times, _ = run([400, 400, 400, 400])
    assert times == ["12:07:30", "12:15:00", "12:30:00", "12:45:00"]


def test_a_snapshot_that_overruns_costs_ticks_and_nothing_is_caught_up() -> None:
    times, account = run([20, 35 * 60, 20])
    assert times == ["12:07:30", "12:15:00", "13:00:00"]
    assert account == Ticked(taken=3, skipped=2)


def test_a_failed_snapshot_costs_only_itself() -> None:
    times, account = run([20, -20, 20])
    assert len(times) == 3
    assert account == Ticked(taken=2, failed=1)


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)), st.sampled_from([60, 300, 900, 3600])
)
def test_a_tick_is_a_multiple_of_the_interval_and_the_first_one_after(moment: datetime, seconds: int) -> None:
    now, interval = moment.replace(tzinfo=UTC), timedelta(seconds=seconds)
    due = next_tick(now, interval)
    assert timedelta(0) < due - now <= interval
    assert (due - datetime(2020, 1, 1, tzinfo=UTC)) % interval == timedelta(0)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("15 min", 900), ("1H", 3600)])
def test_an_interval_is_read(text: str, seconds: int) -> None:
    assert read_interval(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "0m", "7m", "2d", "m15", "-5m", "25h"])
def test_an_interval_that_does_not_divide_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 5m, 15m or 1h"):
        read_interval(text)
