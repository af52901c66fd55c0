"""The mapping of events to releases: versions that close each other, numbered by time, read as they were known."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.research.mappings import (
    MAPPING_SCHEMA,
    VERSION_SCHEMA,
    InconsistentMapping,
    assert_consistent_mapping,
    current_version,
    map_versions,
    mapping_asof,
)

pytestmark = pytest.mark.unit

LISTED = datetime(2026, 1, 1, tzinfo=UTC)
CLOSE = datetime(2026, 1, 14, 13, 29, tzinfo=UTC)
DAY = timedelta(days=1)


def specification(
    ticker: str, known_at: datetime, close_time: datetime = CLOSE, event: str = "KXCPI-26JAN"
) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "event_ticker": event,
        "series_ticker": event.partition("-")[0],
        "open_time": LISTED,
        "close_time": close_time,
        "known_at": known_at,
    }


def table(*rows: dict[str, Any]) -> pa.Table:
    schema = {
        "ticker": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "open_time": pa.timestamp("us", "UTC"),
        "close_time": pa.timestamp("us", "UTC"),
        "known_at": pa.timestamp("us", "UTC"),
    }
    return pa.Table.from_pylist(list(rows), schema=pa.schema(schema))


def versions(*created: datetime | tuple[int, datetime]) -> pa.Table:
    numbered = [entry if isinstance(entry, tuple) else (n, entry) for n, entry in enumerate(created, start=1)]
    rows = [{"version_id": number, "created_at": at, "event_count": 1} for number, at in numbered]
    return pa.Table.from_pylist(rows, schema=VERSION_SCHEMA)


def mapping(version: int, start: datetime, end: datetime | None, **values: Any) -> dict[str, Any]:
    return {
        "version_id": version,
        "event_ticker": "E",
        "valid_from": start,
        "valid_to": end,
        "known_at": start,
        **values,
    }


def mappings(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=MAPPING_SCHEMA)


def test_a_moved_close_moves_the_release_and_closes_the_version_before() -> None:
    moved = LISTED + 5 * DAY
    specs = table(specification("A", LISTED), specification("B", LISTED), specification("A", moved, CLOSE + DAY))
    mapped, register = map_versions(specs)
    rows = mapped.to_pylist()
    assert [(row["version_id"], row["valid_from"], row["valid_to"]) for row in rows] == [
        (1, LISTED, moved),
        (2, moved, None),
    ]
    assert [row["release_id"] for row in rows] == ["CPI:2026-01-14T13:30:00Z", "CPI:2026-01-15T13:30:00Z"]
    assert register.to_pylist() == [
        {"version_id": 1, "created_at": LISTED, "event_count": 1},
        {"version_id": 2, "created_at": moved, "event_count": 1},
    ]
    assert_consistent_mapping(mapped, register)


def test_a_specification_that_leaves_the_release_alone_is_no_version() -> None:
    specs = table(specification("A", LISTED), specification("B", LISTED + DAY), specification("A", LISTED + 2 * DAY))
    assert map_versions(specs)[0].num_rows == 1


def test_a_mapping_is_read_as_it_was_known() -> None:
    moved = LISTED + 5 * DAY
    mapped, _ = map_versions(table(specification("A", LISTED), specification("A", moved, CLOSE + DAY)))
    at = {LISTED - DAY: [], LISTED: [1], moved - timedelta(microseconds=1): [1], moved: [2], moved + DAY: [2]}
    assert {asof: mapping_asof(mapped, asof)["version_id"].to_pylist() for asof in at} == at


def test_the_number_of_a_version_does_not_depend_on_the_order_of_rows() -> None:
    specs = [
        specification(f"{event}-{n}", LISTED + n * DAY, CLOSE + (n + k) * DAY, event)
        for k, event in enumerate(("KXCPI-26JAN", "KXU3-26JAN", "KXHIGHNY-26JAN05"))
        for n in range(12)
    ]
    mapped, register = map_versions(table(*specs))
    random.Random(1).shuffle(specs)
    again, register_again = map_versions(table(*specs))
    assert (mapped, register) == (again, register_again)
    assert register["version_id"].to_pylist() == list(range(1, 13))
    assert set(register["event_count"].to_pylist()) == {3}
    assert_consistent_mapping(mapped, register)


def test_no_specification_gives_no_version() -> None:
    mapped, register = map_versions(table())
    assert (mapped.num_rows, register.num_rows) == (0, 0)
    assert current_version(register, LISTED) is None
    assert_consistent_mapping(mapped, register)


def test_version_ten_comes_after_version_two_in_any_order() -> None:
    created = [(number, LISTED + number * DAY) for number in range(1, 11)]
    for seed in range(5):
        random.Random(seed).shuffle(created)
        register = versions(*created)
        assert current_version(register, LISTED + 100 * DAY) == 10
        assert current_version(register, LISTED + 2 * DAY) == 2
        assert current_version(register, LISTED) is None


def test_of_versions_created_at_one_instant_the_highest_counts() -> None:
    assert current_version(versions((2, LISTED), (10, LISTED), (9, LISTED)), LISTED) == 10


@given(st.lists(st.integers(0, 20), max_size=8), st.integers(-1, 25))
def test_the_current_version_is_the_last_one_known(offsets: list[int], asked: int) -> None:
    created = sorted(offsets)
    register = versions(*(LISTED + hours * DAY for hours in created))
    assert current_version(register, LISTED + asked * DAY) == (sum(hours <= asked for hours in created) or None)


REGISTER = versions(LISTED, LISTED + DAY)


@pytest.mark.parametrize(
    ("rows", "register", "said"),
    [
        ([mapping(1, LISTED, None), mapping(2, LISTED + DAY, None)], REGISTER, "not closed"),
        ([mapping(1, LISTED, LISTED + 2 * DAY), mapping(2, LISTED + DAY, None)], REGISTER, "not closed"),
        ([mapping(1, LISTED, LISTED)], REGISTER, "ends before"),
        ([mapping(1, LISTED, LISTED + DAY)], REGISTER, "no open version"),
        ([mapping(3, LISTED, None)], REGISTER, "not registered"),
        ([mapping(2, LISTED, None)], REGISTER, "before it was created"),
        ([mapping(2, LISTED + DAY, LISTED + 2 * DAY), mapping(1, LISTED + 2 * DAY, None)], REGISTER, "follows"),
        ([], versions((1, LISTED + DAY), (2, LISTED)), "before an earlier one"),
        ([], versions((1, LISTED), (1, LISTED)), "registered twice"),
    ],
    ids=["open twice", "overlap", "empty", "closed", "unknown", "too early", "backwards", "unordered", "doubled"],
)
def test_a_mapping_that_contradicts_itself_is_refused(
    rows: list[dict[str, Any]], register: pa.Table, said: str
) -> None:
    assert_consistent_mapping(mappings(mapping(1, LISTED, LISTED + DAY), mapping(2, LISTED + DAY, None)), REGISTER)
    with pytest.raises(InconsistentMapping, match=said):
        assert_consistent_mapping(mappings(*rows), register)
