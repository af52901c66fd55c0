"""What was known of earlier releases, against a search through all of them; surprises on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.history import known_labels
from kalshi_pipeline.research.labels import LABEL_SCHEMA
from kalshi_pipeline.research.surprises import with_surprises

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 1, tzinfo=UTC)
QUERY = pa.schema({"series_ticker": pa.string(), "asof": TIMESTAMP, "anchor_ts": TIMESTAMP})
PANEL = pa.schema(
    {"ladder_id": pa.string(), "horizon_minutes": pa.int32(), "mean": pa.float64(), "missing_reason": pa.string()}
)
Row = dict[str, Any]


def hours(count: int) -> datetime:
    return START + timedelta(hours=count)


def label(ladder: str, anchor: int, learned: int | None, value: float = 1.0, series: str = "A") -> Row:
    row: Row = dict.fromkeys(LABEL_SCHEMA.names)
    row |= {"ladder_id": ladder, "series_ticker": series, "anchor_ts": hours(anchor), "flags": []}
    row |= {"has_label": learned is not None, "label_value": None if learned is None else value}
    return {**row, "learned_at": None if learned is None else hours(learned)}


@given(
    labels=st.lists(
        st.tuples(st.integers(0, 30), st.one_of(st.none(), st.integers(0, 60)), st.sampled_from("AB")), max_size=25
    ),
    queries=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.sampled_from("ABC")), max_size=15),
    window=st.integers(1, 4),
)
def test_known_labels_are_those_a_search_finds(labels: Any, queries: Any, window: int) -> None:
    rows = [label(f"L{n:02d}", anchor, learned, series=series) for n, (anchor, learned, series) in enumerate(labels)]
    asked = [{"series_ticker": s, "asof": hours(asof), "anchor_ts": hours(own)} for asof, own, s in queries]
    pointer, found = known_labels(
        pa.Table.from_pylist(rows, schema=LABEL_SCHEMA), pa.Table.from_pylist(asked, schema=QUERY), window
    )
    for number, query in enumerate(asked):
        known = [
            (row["anchor_ts"], row["ladder_id"], place)
            for place, row in enumerate(rows)
            if row["has_label"]
            and row["series_ticker"] == query["series_ticker"]
            and row["learned_at"] <= query["asof"]
            and row["anchor_ts"] < query["anchor_ts"]
        ]
        expected = [place for *_, place in sorted(known)[-window:]]
        assert found[pointer[number] : pointer[number + 1]].tolist() == expected


def surprises(labels: list[Row], panel: Sequence[Row] = ()) -> list[Row]:
    rows: list[Row] = with_surprises(
        pa.Table.from_pylist(labels, schema=LABEL_SCHEMA), pa.Table.from_pylist(list(panel), schema=PANEL)
    ).to_pylist()
    return rows


def test_the_surprise_is_against_the_last_mean_that_passed_the_gates() -> None:
    panel = [
        {"ladder_id": "L", "horizon_minutes": 240, "mean": 2.0},
        {"ladder_id": "L", "horizon_minutes": 60, "mean": 2.5},
        {"ladder_id": "L", "horizon_minutes": 5, "mean": None, "missing_reason": "gated"},
    ]
    (row,) = surprises([label("L", 10, 11, value=3.0)], panel)
    assert (row["market_mean"], row["market_mean_horizon_minutes"], row["market_surprise"]) == (2.5, 60, 0.5)


def test_no_change_is_the_last_outcome_known_at_the_anchor_and_not_one_learned_later() -> None:
    rows = surprises([label("L1", 10, 11, 1.0), label("L2", 20, 35, 5.0), label("L3", 30, 31, 4.0)])
    assert [row["previous_ladder_id"] for row in rows] == [None, "L1", "L1"]
    assert [row["change_surprise"] for row in rows] == [None, 4.0, 3.0]


def test_without_an_outcome_there_is_an_expectation_and_no_surprise() -> None:
    first, second = surprises([label("L1", 10, 11, 1.0), label("L2", 20, None)])
    assert (second["previous_value"], second["change_surprise"], second["market_surprise"]) == (1.0, None, None)
    assert first["previous_value"] is None
