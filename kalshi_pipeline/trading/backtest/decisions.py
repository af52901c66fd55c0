"""When the backtest decides: 10:00 local time on the day before a climate day, and on the day itself.

Local time is the IANA zone of the city, so a decision keeps its hour on the clock across both switches of daylight
saving time. Not here: what is decided (``simulate``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DECISION_TIME = time(10)

#: Name of a decision point -> days after the climate day.
DECISION_POINTS = {"day_before_10": -1, "same_day_10": 0}


@dataclass(frozen=True)
class Decision:
    """One moment at which an event is looked at."""

    point: str
    at: datetime


def decisions(climate_day: date, timezone: str) -> list[Decision]:
    """The decisions on the event of a climate day, in order; instants are UTC."""
    zone = ZoneInfo(timezone)
    return [
        Decision(point, datetime.combine(climate_day + timedelta(days=days), DECISION_TIME, zone).astimezone(UTC))
        for point, days in DECISION_POINTS.items()
    ]
