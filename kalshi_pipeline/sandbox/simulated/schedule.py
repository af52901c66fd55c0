"""When things happen in the simulated world: periods, releases, opening, close and settlement of every event.

Releases are at 08:30 US Eastern (rate decisions 14:00) on plausible days; the exact days are the world's own. Not
here: what is published.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from kalshi_pipeline.sandbox.bars import EASTERN
from kalshi_pipeline.sandbox.simulated.catalogue import LISTINGS, Listing

#: The world begins with the releases of this month and ends with the second.
FIRST_YEAR, LAST_YEAR = 2018, 2030
WEATHER_FROM = date(2025, 9, 1)
CRYPTO_FROM = datetime(2026, 6, 1, 1, tzinfo=UTC)
CRYPTO_UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
#: Month and which Wednesday of it the rate is decided on; 5 is the last.
_MEETINGS = ((1, 5), (3, 3), (5, 1), (6, 2), (7, 5), (9, 3), (11, 1), (12, 2))


@dataclass(frozen=True, slots=True)
class Release:
    """One event in time.

    Attributes:
        period: first day of the month, the climate day, or the day of the hour that is settled.
        label: the period as tickers write it.
        listed, opens, closes, released, settles: in this order, UTC.
    """

    series_ticker: str
    period: date
    label: str
    listed: datetime
    opens: datetime
    closes: datetime
    released: datetime
    settles: datetime

    @property
    def event_ticker(self) -> str:
        """Ticker of the event."""
        return f"{self.series_ticker}-{self.label}"


@cache
def releases(series_ticker: str) -> tuple[Release, ...]:
    """All releases of a series, oldest first."""
    listing = LISTINGS[series_ticker]
    if listing.kind == "weather":
        return tuple(_climate_days(listing))
    if listing.kind == "crypto":
        return tuple(_hours(series_ticker))
    return tuple(_meetings(series_ticker) if series_ticker == "KXFED" else _months(series_ticker))


def _months(series_ticker: str) -> Iterator[Release]:
    jobs = series_ticker in ("KXU3", "KXPAYROLLS")
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month in range(1, 13):
            day = _jobs_day(year, month) if jobs else _prices_day(year, month)
            period = (date(year, month, 1) - timedelta(days=1)).replace(day=1)
            close = time(8, 25) if jobs else time(8, 29)
            yield _scheduled(series_ticker, period, day, close, time(8, 30))


def _meetings(series_ticker: str) -> Iterator[Release]:
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month, nth in _MEETINGS:
            day = _nth_weekday(year, month, 2, nth)
            yield _scheduled(series_ticker, date(year, month, 1), day, time(13, 55), time(14, 0))


def _scheduled(series_ticker: str, period: date, day: date, close: time, release: time) -> Release:
    released = datetime.combine(day, release, EASTERN).astimezone(UTC)
    opens = datetime.combine(day - timedelta(days=30), time(10), EASTERN).astimezone(UTC)
    return Release(
        series_ticker=series_ticker,
        period=period,
        label=period.strftime("%y%b").upper(),
        listed=opens - timedelta(days=1),
        opens=opens,
        closes=datetime.combine(day, close, EASTERN).astimezone(UTC),
        released=released,
        settles=released + timedelta(minutes=58, seconds=53),
    )


def _climate_days(listing: Listing) -> Iterator[Release]:
    zone = ZoneInfo(listing.zone)
    for n in range((date(LAST_YEAR + 1, 1, 1) - WEATHER_FROM).days):
        day = WEATHER_FROM + timedelta(days=n)
        # Every city opens at the same Eastern instant, whatever its own zone.
        opens = datetime.combine(day - timedelta(days=1), time(10), EASTERN).astimezone(UTC)
        closes = datetime.combine(day, time(23, 59), zone).astimezone(UTC)
        report = datetime.combine(day + timedelta(days=1), time(8), zone).astimezone(UTC)
        yield Release(
            series_ticker=listing.series.ticker,
            period=day,
            label=day.strftime("%y%b%d").upper(),
            listed=opens - timedelta(minutes=30),
            opens=opens,
            closes=closes,
            released=report,
            settles=report + timedelta(minutes=30),
        )


def _hours(series_ticker: str) -> Iterator[Release]:
    close, before = CRYPTO_FROM, ""
    while close < CRYPTO_UNTIL:
        local = close.astimezone(EASTERN)
        label = local.strftime("%y%b%d%H").upper()
        # The hour that the clocks repeat in autumn has one event, as its ticker names the local hour; the two hours of
        # the weekly pause have none.
        paused = local.weekday() == 3 and local.hour in (4, 5)
        if label != before and not paused:
            yield Release(
                series_ticker=series_ticker,
                period=local.date(),
                label=label,
                listed=close - timedelta(minutes=75),
                opens=close - timedelta(hours=1),
                closes=close,
                released=close,
                settles=close + timedelta(minutes=7),
            )
        before = label
        close += timedelta(hours=1)


def _jobs_day(year: int, month: int) -> date:
    """The first Friday that is no holiday."""
    day = _nth_weekday(year, month, 4, 1)
    holiday = (month, day.day) in ((1, 1), (7, 4))
    return day + timedelta(days=7) if holiday else day


def _prices_day(year: int, month: int) -> date:
    """A weekday between the 10th and the 16th."""
    day = date(year, month, 10 + (7 * month + year) % 5)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    return day if day.month == month else day - timedelta(days=7)
