"""Which release a ladder settles on, and which releases belong together.

A *release* is the publication in the world: one print of a statistic, one day's high of one city, one closing price.
Several ladders can settle on one release (CPI, core CPI and CPI year on year share a print). A *release group* is all
releases of one type with one release time; it is what folds count and never split. Outcomes are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.research.columns import TIMESTAMP, require, rows

#: The release type whose groups are climate days.
WEATHER = "WEATHER"

#: A day's high is settled around the following midnight. Half a day back from the close lies within the day itself,
#: whether trading closes at noon, at local midnight or at midnight Eastern.
_BACK_INTO_THE_DAY = timedelta(hours=12)

RELEASE_SCHEMA = pa.schema(
    {
        "ladder_id": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "release_id": pa.string(),
        "release_type": pa.string(),
        "release_group": pa.string(),
        "climate_day": pa.date32(),
        "unit": pa.string(),
        "anchor_ts": TIMESTAMP,
        "release_ts": TIMESTAMP,
        "open_time": TIMESTAMP,
        "close_time": TIMESTAMP,
        "known_at": TIMESTAMP,
    }
)
_DERIVED = ("release_id", "release_group", "climate_day")
_READ = pa.schema([field for field in RELEASE_SCHEMA if field.name not in _DERIVED])


def build_releases(ladders: pa.Table) -> pa.Table:
    """Name the release and the release group of every ladder.

    With a published release time, all ladders of one type and one time settle on the same release. Without one (trading
    ends before the value is known) a release belongs to its series; its group is the climate day for weather and the
    instant trading closes otherwise.

    Args:
        ladders: rows of ``research.ladders``.

    Returns:
        One row per ladder, as :data:`RELEASE_SCHEMA`, ordered by type, anchor and ladder.

    Raises:
        ValueError: a column is missing, or a ladder has no anchor.
    """
    require(ladders, _READ.names, "The ladders table")
    registry = Registry.load()
    releases = [_release(ladder, registry) for ladder in rows(ladders, _READ)]
    releases.sort(key=lambda row: (row["release_type"], row["anchor_ts"], row["ladder_id"]))
    return pa.Table.from_pylist(releases, schema=RELEASE_SCHEMA)


def climate_day(close: datetime, timezone: str) -> date:
    """The local calendar day whose high a market closing at ``close`` (aware) settles on."""
    return (close - _BACK_INTO_THE_DAY).astimezone(ZoneInfo(timezone)).date()


def _release(ladder: dict[str, Any], registry: Registry) -> dict[str, Any]:
    if ladder["anchor_ts"] is None:
        raise ValueError(
            f"Ladder {ladder['ladder_id']} has no anchor_ts; the registry must say where its horizons count from."
        )
    return {**ladder, **name_release(ladder, registry)}


def name_release(settled_by: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """What the release is called that a ladder or an event settles on.

    Args:
        settled_by: ``series_ticker, release_type, anchor_ts, release_ts`` of the ladder or event.
        registry: what is known about each series.

    Returns:
        ``release_id, release_group, climate_day``.
    """
    day = None
    if settled_by["release_type"] == WEATHER:
        day = climate_day(settled_by["anchor_ts"], registry.timezone_of(settled_by["series_ticker"]))
        publisher, group = settled_by["series_ticker"], day.isoformat()
    elif settled_by["release_ts"] is not None:
        publisher, group = settled_by["release_type"], _iso(settled_by["release_ts"])
    else:
        publisher, group = settled_by["series_ticker"], _iso(settled_by["anchor_ts"])
    return {"release_id": f"{publisher}:{group}", "release_group": group, "climate_day": day}


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
