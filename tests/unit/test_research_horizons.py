"""The instants at which a ladder is looked at, against a brute-force walk over the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.research.horizons import INSTANT_SCHEMA, snapshot_instants

pytestmark = pytest.mark.unit

START = datetime(2026, 6, 1, tzinfo=UTC)
HORIZONS = (10_080, 1_440, 240, 60, 15, 5)
COLUMNS = ("open_time", "close_time", "known_at", "anchor_ts")
SCHEMA = pa.schema([("ladder_id", pa.string()), *((name, pa.timestamp("us", tz="UTC")) for name in COLUMNS)])


def ladder(name: str, opens: datetime, closes: datetime, **more: datetime) -> dict[str, Any]:
    return {"ladder_id": name, "open_time": opens, "close_time": closes, "known_at": opens, "anchor_ts": closes, **more}


def instants(
    ladders: list[dict[str, Any]], days: list[date], grid: int | None, horizons: tuple[int, ...]
) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist(ladders, schema=SCHEMA)
    return snapshot_instants(table, days, grid_minutes=grid, horizons_minutes=horizons).to_pylist()


def by_hand(
    ladders: list[dict[str, Any]], days: list[date], grid: int | None, horizons: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Ask of every candidate instant, one by one, what it is."""
    rows = []
    for one in sorted(ladders, key=lambda one: one["ladder_id"]):
        candidates: dict[datetime, set[str]] = {}
        distance = {}
        for day in days:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            for minute in range(0, 1440, grid) if grid else ():
                candidates.setdefault(midnight + timedelta(minutes=minute), set()).add("grid")
        for horizon in horizons:
            asof = one["anchor_ts"] - timedelta(minutes=horizon)
            distance[asof] = horizon
            candidates.setdefault(asof, set()).add("horizon")
        for asof, kinds in sorted(candidates.items()):
            if asof.date() in days and one["open_time"] <= asof <= one["close_time"] and one["known_at"] <= asof:
                rows.append(
                    {
                        "ladder_id": one["ladder_id"],
                        "asof": asof,
                        "snapshot_kind": "both" if len(kinds) == 2 else next(iter(kinds)),
                        "horizon_minutes": distance.get(asof),
                        "partition_date": asof.date(),
                    }
                )
    return rows


minutes = st.integers(min_value=-3 * 1440, max_value=6 * 1440).map(lambda n: START + timedelta(minutes=n))


@st.composite
def some_ladders(draw: st.DrawFn) -> list[dict[str, Any]]:
    ladders = []
    for number in range(draw(st.integers(0, 4))):
        opens, closes = sorted((draw(minutes), draw(minutes)))
        late = timedelta(seconds=draw(st.integers(0, 90_000)))
        anchor = closes + timedelta(minutes=draw(st.sampled_from([0, 1, 5, 40])))
        ladders.append(ladder(f"L{number}", opens, closes, known_at=opens + late, anchor_ts=anchor))
    return draw(st.permutations(ladders))


@settings(max_examples=150, deadline=None)
@given(
    ladders=some_ladders(),
    days=st.lists(st.integers(0, 5).map(lambda n: (START + timedelta(days=n)).date()), max_size=4, unique=True),
    grid=st.sampled_from([None, 15, 60, 480]),
    horizons=st.lists(st.sampled_from([*HORIZONS, 0, 7, 480]), unique=True, max_size=6).map(tuple),
)
def test_the_instants_are_those_found_one_by_one(
    ladders: list[dict[str, Any]], days: list[date], grid: int | None, horizons: tuple[int, ...]
) -> None:
    assert instants(ladders, days, grid, horizons) == by_hand(ladders, days, grid, horizons)


def test_all_six_horizons_of_a_print_are_distinct_instants() -> None:
    anchor = datetime(2026, 6, 10, 12, 30, tzinfo=UTC)
    opened = ladder("CPI", START, anchor - timedelta(minutes=5), anchor_ts=anchor)
    days = [(START + timedelta(days=n)).date() for n in range(12)]
    rows = instants([opened], days, None, HORIZONS)
    assert [row["horizon_minutes"] for row in rows] == list(HORIZONS)
    assert [anchor - row["asof"] for row in rows] == [timedelta(minutes=horizon) for horizon in HORIZONS]


def test_a_day_is_half_open_so_midnight_belongs_to_the_day_it_begins() -> None:
    open_for_long = ladder("A", START, START + timedelta(days=9))
    first, second = START.date(), (START + timedelta(days=1)).date()
    assert [row["asof"] for row in instants([open_for_long], [first], 1440, ())] == [START]
    assert instants([open_for_long], [first, second], 15, ()) == (
        instants([open_for_long], [first], 15, ()) + instants([open_for_long], [second], 15, ())
    )


def test_a_horizon_on_the_grid_is_one_snapshot_of_both_kinds() -> None:
    rows = instants([ladder("A", START, START + timedelta(hours=12))], [START.date()], 60, (120,))
    assert [row["horizon_minutes"] for row in rows if row["snapshot_kind"] == "both"] == [120]
    assert len({row["asof"] for row in rows}) == len(rows) == 13


def test_a_ladder_that_opened_late_lacks_its_early_horizons() -> None:
    closes = START + timedelta(hours=6)
    rows = instants([ladder("A", closes - timedelta(minutes=60), closes)], [START.date()], None, HORIZONS)
    assert [row["horizon_minutes"] for row in rows] == [60, 15, 5]


def test_neither_days_nor_ladders_is_not_an_error() -> None:
    nothing = snapshot_instants(SCHEMA.empty_table(), [START.date()], grid_minutes=15, horizons_minutes=HORIZONS)
    assert nothing.schema == INSTANT_SCHEMA and len(nothing) == 0
    assert instants([ladder("A", START, START + timedelta(days=1))], [], 15, HORIZONS) == []


@pytest.mark.parametrize(
    ("grid", "horizons", "complaint"), [(7, (5,), "does not divide a day"), (15, (-5,), "after the anchor")]
)
def test_an_unusable_grid_or_horizon_is_refused(grid: int, horizons: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        instants([ladder("A", START, START)], [START.date()], grid, horizons)
