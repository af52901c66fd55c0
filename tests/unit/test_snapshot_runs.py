"""A range of snapshot days is worked through in whole days, and a running day only as far as it has been observed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kalshi_pipeline.defs import snapshot_runs
from kalshi_pipeline.defs.snapshot_runs import LISTED_DAYS, day_chunks, within_observed

pytestmark = pytest.mark.unit

FIRST = date(2026, 6, 1)
LADDERS = pa.table({"ladder_id": ["A", "B"], "n_legs": [2, 10]})


def hourly(days: int, ladder: str = "A") -> pa.Table:
    """The full hours of some days from the first on."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    asof = [start + timedelta(hours=hour) for hour in range(24 * days)]
    return pa.table(
        {
            "ladder_id": [ladder] * len(asof),
            "asof": pa.array(asof, pa.timestamp("us", "UTC")),
            "partition_date": pa.array([instant.date() for instant in asof], pa.date32()),
        }
    )


def of_these(instants: pa.Table) -> Callable[[Sequence[date]], pa.Table]:
    """Lists those of some days."""
    return lambda days: instants.filter(pc.is_in(instants["partition_date"], pa.array(days, pa.date32())))


def test_a_running_day_is_looked_at_only_as_far_as_it_was_observed() -> None:
    seen = datetime(2026, 6, 2, 9, 30, tzinfo=UTC)
    kept = within_observed(hourly(2), {FIRST + timedelta(days=1): seen})["asof"].to_pylist()
    assert len(kept) == 24 + 10
    assert max(kept) == datetime(2026, 6, 2, 9, tzinfo=UTC)


def test_a_day_without_any_quote_is_kept_whole() -> None:
    assert within_observed(hourly(1), {}).num_rows == 24


def test_chunks_are_whole_days_that_fit_and_leave_no_day_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_runs, "CHUNK_ROWS", 100)
    days = [FIRST + timedelta(days=n) for n in range(5)]
    chunks = list(day_chunks(of_these(hourly(3)), days, LADDERS))
    assert [day for chunk, _ in chunks for day in chunk] == days
    assert [rows.num_rows for _, rows in chunks] == [48, 24]
    for chunk, rows in chunks:
        assert set(rows["partition_date"].to_pylist()) <= set(chunk)


def test_a_day_larger_than_a_chunk_is_still_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_runs, "CHUNK_ROWS", 10)
    chunks = list(day_chunks(of_these(hourly(2, "B")), [FIRST, FIRST + timedelta(days=1)], LADDERS))
    assert [rows.num_rows for _, rows in chunks] == [24, 24]


def test_instants_of_a_long_range_are_never_all_in_memory() -> None:
    asked: list[int] = []

    def instants_of(days: Sequence[date]) -> pa.Table:
        asked.append(len(days))
        return of_these(hourly(100))(days)

    days = [FIRST + timedelta(days=n) for n in range(100)]
    chunks = day_chunks(instants_of, days, LADDERS)
    assert asked == []
    (first, rows), *others = chunks
    assert (len(first), rows.num_rows) == (LISTED_DAYS, 24 * LISTED_DAYS)
    assert asked == [LISTED_DAYS, 100 - LISTED_DAYS]
    assert [day for chunk, _ in [(first, rows), *others] for day in chunk] == days
    assert rows.num_rows + sum(rows.num_rows for _, rows in others) == 2400
