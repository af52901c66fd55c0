"""A curve is fitted only where outcomes can say something, and never one that turns a distribution around."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.models.recalibration import fit_recalibrations
from tests.unit.invented_events import HORIZONS, Invented, invented

pytestmark = pytest.mark.unit

FAR = 1e6


@pytest.fixture(scope="module")
def some() -> Invented:
    return invented(80, seed=3, horizons=HORIZONS[:1])


def changed(table: pa.Table, column: str, value: Callable[[dict[str, Any]], float]) -> pa.Table:
    return pa.Table.from_pylist([{**row, column: value(row)} for row in table.to_pylist()], schema=table.schema)


def curves(events: Invented) -> list[dict[str, Any]]:
    folds, _ = build_folds(events.labels, FoldRules(HORIZONS[:1]))
    rows: list[dict[str, Any]] = fit_recalibrations(events.cases, folds).to_pylist()
    assert rows
    return rows


def test_outcomes_beyond_every_cut_leave_the_distribution_as_it_is(some: Invented) -> None:
    for curve in curves(replace(some, labels=changed(some.labels, "label_value", lambda _: FAR))):
        assert (curve["intercept"], curve["slope"]) == (0.0, 1.0)
        assert curve["fallback_reason"] == "every training outcome fell on one side of every cut"


def test_a_market_that_is_always_wrong_is_not_turned_around(some: Invented) -> None:
    def even(row: dict[str, Any]) -> bool:
        return int(row["ladder_id"].removeprefix("E")) % 2 == 0

    # Half of the events are believed below every cut and come out above all, the other half the reverse.
    believed = changed(some.cells, "probability", lambda row: float(row["cell_index"] == (0 if even(row) else 7)))
    came = changed(some.labels, "label_value", lambda row: FAR if even(row) else -FAR)
    for curve in curves(replace(some, cells=believed, labels=came)):
        assert (curve["intercept"], curve["slope"]) == (0.0, 1.0)
        assert "would turn the distribution around" in curve["fallback_reason"]


def test_a_market_that_is_right_is_fitted(some: Invented) -> None:
    fitted = [curve for curve in curves(some) if curve["fallback_reason"] is None]
    assert fitted
    assert all(curve["slope"] > 0 for curve in fitted)


def test_a_passed_snapshot_without_its_cells_is_named(some: Invented) -> None:
    short = some.cells.filter(pa.array([row["ladder_id"] != "E00005" for row in some.cells.to_pylist()]))
    with pytest.raises(ValueError, match=r"The snapshot of E00005 at .* comes without its cells"):
        _ = replace(some, cells=short).cases
