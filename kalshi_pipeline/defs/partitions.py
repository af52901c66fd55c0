"""The daily UTC partitions of quotes, candles, trades and everything derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

#: First day of the partitions: before the first event of any world we ship or know.
FIRST_DAY = date(2018, 1, 1)

#: Today's partition exists while the day runs, because live snapshots land in it.
DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC", end_offset=1)

#: A range of partitions is one run: the assets work on the whole window at once.
ONE_RUN = dg.BackfillPolicy.single_run()


def partition_days(context: dg.AssetExecutionContext) -> list[date]:
    """The days of the partitions this run materialises, in order."""
    window = context.partition_time_window
    first, end = window.start.astimezone(UTC).date(), window.end.astimezone(UTC).date()
    return [first + timedelta(days=i) for i in range((end - first).days)]


def midnight(day: date) -> datetime:
    """The instant a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def span(days: Sequence[date]) -> str:
    """``2026-06-01`` or ``2026-06-01 to 2026-06-14``, for sentences."""
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
