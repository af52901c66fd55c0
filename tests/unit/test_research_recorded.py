"""Releases, labels and folds of the recorded worlds, from their markets' times and settled values alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.folds import FoldRules, build_folds
from kalshi_pipeline.research.labels import build_labels
from kalshi_pipeline.research.releases import RELEASE_SCHEMA, build_releases

pytestmark = pytest.mark.unit

RULES = FoldRules((10_080, 1_440, 240, 60, 15, 5))
PRINTS = pa.schema(
    {
        "event_ticker": pa.string(),
        "revision_number": pa.int32(),
        "value": pa.float64(),
        "value_text": pa.string(),
        "learned_at": TIMESTAMP,
    }
)


def labels_of(world: Path) -> pa.Table:
    """Labels of a world whose every event is taken for one ladder, known from its opening."""
    registry = Registry.load()
    markets = pq.read_table(world / "markets.parquet")
    times = [("open_time", "min"), ("close_time", "max"), ("settlement_ts", "max"), ("expiration_value", "max")]
    ladders: list[dict[str, Any]] = []
    prints: list[dict[str, Any]] = []
    for event in markets.group_by(["event_ticker", "series_ticker"]).aggregate(times).to_pylist():
        ticker, closes = event["event_ticker"], event["close_time_max"]
        rule = registry.rule(event["series_ticker"], ticker)
        release = rule.release_ts(closes)
        ladders.append(
            {
                "ladder_id": ticker,
                "event_ticker": ticker,
                "series_ticker": rule.series_ticker,
                "release_type": rule.release_type,
                "unit": rule.unit,
                "anchor_ts": release or closes,
                "release_ts": release,
                "open_time": event["open_time_min"],
                "close_time": closes,
                "known_at": event["open_time_min"],
            }
        )
        text = event["expiration_value_max"]
        if text and event["settlement_ts_max"]:
            value = {"value": float(text.replace(",", "")), "value_text": text}
            prints.append(
                {"event_ticker": ticker, "revision_number": 0, **value, "learned_at": event["settlement_ts_max"]}
            )
    outcomes = pa.Table.from_pylist(prints, PRINTS)
    return build_labels(build_releases(pa.Table.from_pylist(ladders, RELEASE_SCHEMA)), outcomes, outcomes)


@pytest.mark.parametrize(
    ("world", "ladders", "labelled", "folds", "sentence"),
    [
        ("weather_2024", 274, 274, 4, "40 to 100 to train on and 20 to test on, of 137 release groups"),
        ("payrolls_to_2024_07", 16, 16, 0, "0 folds from 16 release groups with an outcome: a fold needs 61"),
        ("btc_hourly_2026_07", 104, 97, 0, "7 releases without an outcome left out"),
        ("econ_2026_07", 29, 5, 0, "0 folds from 1 release group with an outcome"),
    ],
)
def test_a_recorded_world_gives_its_folds_or_a_sentence(
    shared_dir: Path, world: str, ladders: int, labelled: int, folds: int, sentence: str
) -> None:
    labels = labels_of(shared_dir / "recorded" / world)
    table, sentences = build_folds(labels, RULES)
    built = {row["fold_id"] for row in table.to_pylist() if row["role"] != "not_built"}
    assert (len(labels), sum(labels["has_label"].to_pylist()), len(built)) == (ladders, labelled, folds)
    assert any(sentence in said for said in sentences.values()), sentences


def test_recorded_prints_of_one_morning_are_one_release(shared_dir: Path) -> None:
    rows = labels_of(shared_dir / "recorded" / "econ_2026_07").to_pylist()
    june = {row["series_ticker"] for row in rows if row["release_id"] == "CPI:2026-07-14T12:30:00Z"}
    assert june == {"KXCPI", "KXCPICORE", "KXCPIYOY"}
    assert all(row["close_time"] < row["anchor_ts"] == row["release_ts"] for row in rows)
