"""A field that is new, missing or of another type is noticed and counted; what is known raises nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.schemas.raw import CANDLES
from kalshi_pipeline.warehouse.drift import Difference, record_drift, scan_drift
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.landed import landed, response

pytestmark = pytest.mark.unit

QUOTE = {f"{name}_dollars": "0.4100" for name in ("open", "low", "high", "close")}


def bar(**changes: Any) -> dict[str, Any]:
    known = {
        "end_period_ts": 1_780_272_060,
        "yes_bid": QUOTE,
        "yes_ask": QUOTE,
        "price": {"previous_dollars": "0.4000"},
        "volume_fp": "0.00",
        "open_interest_fp": "12.00",
    }
    return {name: value for name, value in (known | changes).items() if value != "left out"}


def found(folder: Path, *bodies: Any, dataset: str = "candles", **context: Any) -> dict[Difference, int]:
    lines = [response(body, unit_id=f"unit-{n}", **context) for n, body in enumerate(bodies)]
    return dict(scan_drift(dataset, landed(folder / "unit.jsonl.gz", *lines)).counts)


def batch(*bars: dict[str, Any]) -> dict[str, Any]:
    return {"markets": [{"market_ticker": "A", "candlesticks": list(bars)}]}


FIELD = "markets[].candlesticks[]"


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"vwap_dollars": "0.4100"}, Difference("new", f"{FIELD}.vwap_dollars", "", "text")),
        ({"yes_bid": QUOTE | {"mid": 1}}, Difference("new", f"{FIELD}.yes_bid.mid", "", "number")),
        ({"volume_fp": "left out"}, Difference("missing", f"{FIELD}.volume_fp", "text", "")),
        ({"volume_fp": 12}, Difference("retyped", f"{FIELD}.volume_fp", "text", "number")),
        ({"volume_fp": None}, Difference("retyped", f"{FIELD}.volume_fp", "text", "null")),
        ({"end_period_ts": 0.5}, Difference("retyped", f"{FIELD}.end_period_ts", "whole number", "number")),
        ({"price": []}, Difference("retyped", f"{FIELD}.price", "object", "list")),
        (
            {"price": {"mean_dollars": [0, 0]}},
            Difference("retyped", f"{FIELD}.price.mean_dollars", "text", "list"),
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Difference) else None,
)
def test_a_difference_is_named_and_counted_object_by_object(
    tmp_path: Path, changes: dict[str, Any], difference: Difference
) -> None:
    assert found(tmp_path, batch(bar(), bar(**changes), bar(**changes)), batch(bar(**changes))) == {difference: 3}


@pytest.mark.parametrize(
    "body",
    [
        batch(bar(), bar(price={}), bar(price={"previous_dollars": None, "close_dollars": None})),
        {"markets": None},
        {"markets": [{"market_ticker": "A", "candlesticks": None}]},
    ],
)
def test_known_responses_are_silent(tmp_path: Path, body: dict[str, Any]) -> None:
    assert found(tmp_path, body) == {}


def test_each_tier_has_its_own_words(tmp_path: Path) -> None:
    quote = {name: "0.41" for name in ("open", "low", "high", "close")}
    price = dict.fromkeys(("open", "low", "high", "close", "mean", "previous"))
    archived = {"end_period_ts": 60, "yes_bid": quote, "yes_ask": quote, "volume": "1.00", "open_interest": "2.00"}
    body = {"ticker": "A", "candlesticks": [{**archived, "price": price}, {**archived, "price": None}]}
    assert found(tmp_path, body, tier="historical") == {}
    told = found(tmp_path, body, tier="live")
    assert {difference.kind for difference in told} == {"new", "missing"}


def test_a_response_that_failed_is_not_looked_at(tmp_path: Path) -> None:
    line = response({"error": "too many requests"}).replace('"status": 200', '"status": 429')
    report = scan_drift("candles", landed(tmp_path / "unit.jsonl.gz", line))
    assert (report.responses, report.counts) == (0, {})


def test_new_fields_leave_everything_readable_missing_ones_do_not(tmp_path: Path) -> None:
    def readable(**changes: Any) -> bool:
        return scan_drift("candles", landed(tmp_path / "u.jsonl.gz", response(batch(bar(**changes))))).readable

    assert readable() and readable(surplus=1)
    assert not readable(volume_fp="left out") and not readable(volume_fp=3)


def test_differences_are_kept_by_run_and_counted_once(tmp_path: Path) -> None:
    migrate(tmp_path / "kalshi.duckdb")
    warehouse = Warehouse(database=str(tmp_path / "kalshi.duckdb"))
    lines = [response(batch(bar(surplus=1), bar(surplus=2)), unit_id="unit-7")]
    report = scan_drift("candles", landed(tmp_path / "unit.jsonl.gz", *lines))
    for run_id in ("run-1", "run-1", "run-2"):
        with warehouse.write() as con:
            record_drift(con, CANDLES, report, run_id=run_id)
    with warehouse.read() as con:
        rows = con.execute("SELECT * EXCLUDE (detected_at) FROM meta.wire_drift ORDER BY run_id").fetchall()
    seen = ("new", f"{FIELD}.surplus", None, "number", 2, "unit-7")
    assert rows == [("raw.candles", "run-1", *seen), ("raw.candles", "run-2", *seen)]


def test_a_renamed_field_is_missing_and_new(tmp_path: Path) -> None:
    told = found(tmp_path, json.loads(json.dumps(batch(bar())).replace("volume_fp", "volume")))
    assert told == {
        Difference("missing", f"{FIELD}.volume_fp", "text", ""): 1,
        Difference("new", f"{FIELD}.volume", "", "text"): 1,
    }
