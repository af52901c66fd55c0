"""Ladders find the release they settle on, and releases their group."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from kalshi_pipeline.research.releases import RELEASE_SCHEMA, build_releases, climate_day
from kalshi_pipeline.schemas.research import RELEASES

pytestmark = pytest.mark.unit

ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles")


def ladder(series: str, event: str, close: datetime, release: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {
        "ladder_id": event,
        "event_ticker": event,
        "series_ticker": series,
        "release_type": "CPI",
        "unit": "percent",
        "anchor_ts": release or close,
        "release_ts": release,
        "open_time": datetime(2026, 1, 1, tzinfo=UTC),
        "close_time": close,
        "known_at": datetime(2026, 1, 1, tzinfo=UTC),
        **more,
    }


def releases(*ladders: dict[str, Any]) -> list[dict[str, Any]]:
    return build_releases(pa.Table.from_pylist(list(ladders))).to_pylist()


def test_ladders_of_one_print_share_its_release_whatever_their_close() -> None:
    print_ts = datetime(2026, 7, 14, 12, 30, tzinfo=UTC)
    rows = releases(
        ladder("KXCPI", "KXCPI-26JUN", datetime(2026, 7, 14, 12, 25, tzinfo=UTC), print_ts),
        ladder("KXCPIYOY", "KXCPIYOY-26JUN", datetime(2026, 7, 14, 12, 29, tzinfo=UTC), print_ts),
    )
    assert {row["release_id"] for row in rows} == {"CPI:2026-07-14T12:30:00Z"}
    assert {row["release_group"] for row in rows} == {"2026-07-14T12:30:00Z"}


def test_cities_of_one_climate_day_are_two_releases_in_one_group() -> None:
    close = datetime(2024, 8, 17, 3, 59, tzinfo=UTC)
    rows = releases(
        ladder("KXHIGHNY", "HIGHNY-24AUG16", close, release_type="WEATHER"),
        ladder("KXHIGHCHI", "HIGHCHI-24AUG16", close, release_type="WEATHER"),
    )
    assert [row["release_id"] for row in rows] == ["KXHIGHCHI:2024-08-16", "KXHIGHNY:2024-08-16"]
    assert {row["release_group"] for row in rows} == {"2024-08-16"}
    assert {row["climate_day"] for row in rows} == {date(2024, 8, 16)}


def test_the_climate_day_is_that_of_the_city_not_of_the_exchange() -> None:
    """Trading in Los Angeles that closes at its own midnight closes at three in the morning Eastern."""
    close = datetime(2024, 8, 17, 7, tzinfo=UTC)
    (row,) = releases(ladder("KXHIGHLAX", "HIGHLAX-24AUG16", close, release_type="WEATHER"))
    assert row["climate_day"] == date(2024, 8, 16)


def test_a_series_that_settles_on_its_close_is_grouped_by_that_instant() -> None:
    (row,) = releases(ladder("KXBTC", "KXBTC-26JUL0302", datetime(2026, 7, 3, 6, tzinfo=UTC), release_type="CRYPTO"))
    assert (row["release_id"], row["release_group"]) == ("KXBTC:2026-07-03T06:00:00Z", "2026-07-03T06:00:00Z")
    assert row["climate_day"] is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date(2025, 11, 1), date(2025, 11, 2), date(2026, 3, 8), date(2026, 7, 4)])
@pytest.mark.parametrize("close", ["noon", "local midnight", "an hour past local midnight", "midnight Eastern"])
def test_the_climate_day_is_local_through_clock_changes(zone: str, day: date, close: str) -> None:
    local, eastern = ZoneInfo(zone), ZoneInfo("America/New_York")
    closes = {
        "noon": datetime(day.year, day.month, day.day, 13, tzinfo=local),
        "local midnight": datetime(day.year, day.month, day.day, 23, 59, tzinfo=local),
        "an hour past local midnight": datetime.fromordinal(day.toordinal() + 1).replace(hour=1, tzinfo=local),
        "midnight Eastern": datetime(day.year, day.month, day.day, 23, 59, tzinfo=eastern),
    }
    assert climate_day(closes[close].astimezone(UTC), zone) == day


def test_the_rows_fit_their_table() -> None:
    rows = build_releases(pa.Table.from_pylist([ladder("KXBTC", "A", datetime(2026, 7, 3, 6, tzinfo=UTC))]))
    assert RELEASE_SCHEMA.names == list(RELEASES.columns)
    RELEASES.frame_schema.validate(rows.to_pandas())


def test_the_session_zone_of_the_reader_changes_nothing() -> None:
    ladders = pa.Table.from_pylist([ladder("KXCPI", "A", datetime(2026, 7, 14, 12, 25, tzinfo=UTC))])
    eastern = ladders.cast(
        pa.schema(
            field.with_type(pa.timestamp("us", tz="America/New_York")) if pa.types.is_timestamp(field.type) else field
            for field in ladders.schema
        )
    )
    assert build_releases(eastern) == build_releases(ladders)


def test_no_ladder_gives_no_release() -> None:
    assert len(build_releases(RELEASE_SCHEMA.empty_table())) == 0


def test_a_ladder_without_anchor_is_refused_by_name() -> None:
    nameless = ladder("KXCPI", "KXCPI-26JUN", datetime(2026, 7, 14, 12, 25, tzinfo=UTC)) | {"anchor_ts": None}
    with pytest.raises(ValueError, match=r"KXCPI-26JUN has no anchor_ts"):
        releases(nameless)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"The ladders table lacks .*anchor_ts"):
        build_releases(pa.table({"ladder_id": ["a"]}))
