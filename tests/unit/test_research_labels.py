"""Labels: the first print, the latest one beside it, and a reason where there is neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.labels import build_labels
from kalshi_pipeline.research.panel import PANEL_SCHEMA
from kalshi_pipeline.research.releases import RELEASE_SCHEMA
from kalshi_pipeline.research.surprises import LABEL_WITH_SURPRISE_SCHEMA, with_surprises
from kalshi_pipeline.schemas.research import EVENT_LABELS

pytestmark = pytest.mark.unit

ANCHOR = datetime(2026, 7, 14, 12, 30, tzinfo=UTC)
LEARNED = ANCHOR + timedelta(hours=1)
PRINTS = pa.schema(
    {
        "event_ticker": pa.string(),
        "revision_number": pa.int32(),
        "value": pa.float64(),
        "value_text": pa.string(),
        "learned_at": TIMESTAMP,
    }
)


NO_PANEL = PANEL_SCHEMA.empty_table()


def release(event: str = "E", ladder: str | None = None) -> dict[str, Any]:
    opened = ANCHOR - timedelta(days=30)
    texts = {"ladder_id": ladder or event, "event_ticker": event, "series_ticker": "KXCPI", "unit": "percent"}
    release = {"release_id": "CPI:x", "release_type": "CPI", "release_group": "x", "climate_day": None}
    times = {"open_time": opened, "known_at": opened, "close_time": ANCHOR, "anchor_ts": ANCHOR, "release_ts": ANCHOR}
    return {**texts, **release, **times}


def outcome(
    value: float | None, revision: int = 0, learned: datetime | None = LEARNED, event: str = "E"
) -> dict[str, Any]:
    text = "free text" if value is None else f"{value:g}"
    return {
        "event_ticker": event,
        "revision_number": revision,
        "value": value,
        "value_text": text,
        "learned_at": learned,
    }


def labels(
    outcomes: list[dict[str, Any]],
    releases: list[dict[str, Any]] | None = None,
    first: list[dict[str, Any]] | None = None,
    rejected: list[str] | None = None,
) -> list[dict[str, Any]]:
    firsts = [row for row in outcomes if row["revision_number"] == 0] if first is None else first
    table = build_labels(
        pa.Table.from_pylist(releases or [release()], schema=RELEASE_SCHEMA),
        pa.Table.from_pylist(outcomes, schema=PRINTS),
        pa.Table.from_pylist(firsts, schema=PRINTS),
        rejected and pa.table({"event_ticker": ["E"] * len(rejected), "reason": rejected}),
    )
    EVENT_LABELS.frame_schema.validate(with_surprises(table, NO_PANEL).to_pandas())
    return table.to_pylist()


def test_the_label_is_the_first_print_and_revisions_stand_beside_it() -> None:
    (row,) = labels([outcome(0.5, 2, LEARNED + timedelta(days=60)), outcome(0.3), outcome(0.4, 1)])
    assert (row["label_value"], row["label_mode"], row["learned_at"]) == (0.3, "first_print", LEARNED)
    assert (row["latest_value"], row["latest_learned_at"]) == (0.5, LEARNED + timedelta(days=60))
    assert (row["revision_count"], row["flags"], row["no_label_reason"]) == (2, [], None)


def test_a_later_revision_changes_neither_the_label_nor_when_it_was_learned() -> None:
    (before,), (after,) = labels([outcome(0.3)]), labels([outcome(0.3), outcome(0.9, 1, LEARNED + timedelta(days=30))])
    same = ("label_value", "learned_at", "first_print_value", "first_print_text", "first_print_learned_at")
    assert [before[name] for name in same] == [after[name] for name in same]


def test_without_a_first_print_the_latest_value_serves_and_is_flagged() -> None:
    (row,) = labels([outcome(0.4, 1)], first=[])
    assert (row["label_value"], row["label_mode"]) == (0.4, "latest")
    assert row["flags"] == ["first_print_missing"]
    assert row["first_print_value"] is None


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ([], "no outcome on record"),
        ([outcome(None)], "the outcome is not a number"),
        ([outcome(float("nan"))], "the outcome is not a number"),
        ([outcome(0.3, learned=None)], "it is not known when the outcome was learned"),
    ],
)
def test_a_release_without_a_usable_outcome_keeps_its_row_and_says_why(
    outcomes: list[dict[str, Any]], reason: str
) -> None:
    (row,) = labels(outcomes)
    assert (row["has_label"], row["no_label_reason"]) == (False, reason)
    assert row["label_value"] is row["learned_at"] is row["label_mode"] is None


def test_the_reasons_why_an_outcome_was_rejected_are_passed_on() -> None:
    (row,) = labels([], rejected=["text without a number", "legs disagree", "legs disagree"])
    assert row["no_label_reason"] == "legs disagree; text without a number"


def test_a_rejected_value_beside_a_readable_one_does_not_cost_the_label() -> None:
    (row,) = labels([outcome(0.3)], rejected=["text without a number"])
    assert (row["label_value"], row["no_label_reason"]) == (0.3, None)


def test_no_outcome_has_an_unknown_number_of_revisions_not_zero() -> None:
    (row,) = labels([])
    assert row["revision_count"] is None


def test_one_outcome_serves_every_ladder_of_its_event_and_says_so() -> None:
    rows = labels([outcome(0.3)], [release(ladder="E/a"), release(ladder="E/b"), release("F")])
    assert [row["label_value"] for row in rows] == [0.3, 0.3, None]
    assert [row["flags"] for row in rows] == [["several_ladders_in_event"]] * 2 + [[]]


def test_a_value_known_before_the_anchor_is_flagged() -> None:
    (row,) = labels([outcome(0.3, learned=ANCHOR - timedelta(minutes=1))])
    assert row["flags"] == ["learned_before_anchor"]


def test_the_columns_are_those_of_the_table() -> None:
    assert LABEL_WITH_SURPRISE_SCHEMA.names == list(EVENT_LABELS.columns)


def test_a_missing_column_is_named() -> None:
    empty = PRINTS.empty_table()
    with pytest.raises(ValueError, match=r"The first prints table lacks learned_at"):
        build_labels(RELEASE_SCHEMA.empty_table(), empty, empty.drop_columns(["learned_at"]))
