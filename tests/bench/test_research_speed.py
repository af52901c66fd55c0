"""How fast research is at size: the panel, folds and scores of 10,000 events at six horizons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kalshi_pipeline.distributions.lags import LAGS
from kalshi_pipeline.distributions.tables import DISTANCE_SCHEMA, DISTRIBUTION_SCHEMA
from kalshi_pipeline.research.evaluation import evaluate, make_forecasts
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.models.recalibration import RECALIBRATION_SCHEMA
from kalshi_pipeline.research.models.ridge import PREDICTION_SCHEMA
from kalshi_pipeline.research.panel import build_panel
from kalshi_pipeline.research.releases import RELEASE_SCHEMA
from kalshi_pipeline.research.scorecard import build_scorecard
from tests.unit.invented_events import Invented, invented

EVENTS = 10_000
HORIZONS = (10_080, 1_440, 240, 60, 15, 5)


def snapshots(events: Invented) -> dict[str, pa.Table]:
    """Releases, distributions and activity of the events' horizons."""
    panel = events.panel
    rows = len(panel)
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for field in DISTRIBUTION_SCHEMA:
        if field.name in panel.column_names and not pa.types.is_integer(field.type):
            columns[field.name] = panel[field.name].cast(field.type)
        elif pa.types.is_floating(field.type):
            columns[field.name] = pa.array(rng.random(rows))
        elif pa.types.is_integer(field.type):
            columns[field.name] = pa.array(np.full(rows, 8), field.type)
        else:
            columns[field.name] = pa.nulls(rows, field.type)
    columns["hard_gate_failed"] = pa.array(rng.random(rows) < 0.2)
    columns["method_version"] = pa.array(["1"] * rows)
    counts = {"updates": rng.integers(0, 99, rows), "active_markets": rng.integers(0, 8, rows)}
    labels = events.labels.to_pylist()
    for row in labels:
        opened = row["anchor_ts"] - timedelta(days=30)
        row |= {"open_time": opened, "known_at": opened, "close_time": row["anchor_ts"]}
    return {
        "releases": pa.Table.from_pylist(labels, schema=RELEASE_SCHEMA),
        "distributions": pa.table(columns, schema=DISTRIBUTION_SCHEMA),
        "activity": panel.select(["ladder_id", "asof"])
        .append_column("updates", pa.array(counts["updates"]))
        .append_column("active_markets", pa.array(counts["active_markets"])),
        "distances": pa.concat_tables(distances(panel, name, lag.minutes, rng) for name, lag in LAGS.items()),
    }


def distances(panel: pa.Table, name: str, minutes: int, rng: np.random.Generator) -> pa.Table:
    """Distances of one lag, of every row of the panel."""
    columns: dict[str, Any] = {field.name: pa.nulls(len(panel), field.type) for field in DISTANCE_SCHEMA}
    columns |= {key: panel[key].cast(DISTANCE_SCHEMA.field(key).type) for key in ("ladder_id", "asof")}
    columns |= {"lag": pa.array([name] * len(panel), DISTANCE_SCHEMA.field("lag").type)}
    columns |= {"earlier_asof": pc.subtract(columns["asof"], pa.scalar(timedelta(minutes=minutes)))}
    columns |= {measure: pa.array(rng.random(len(panel))) for measure in ("kl", "js", "wasserstein")}
    return pa.table(columns, schema=DISTANCE_SCHEMA)


@pytest.mark.benchmark(group="research")
def test_panel_folds_and_scores_of_ten_thousand_events(benchmark: Any) -> None:
    events = invented(EVENTS, seed=1, horizons=HORIZONS, series=12)
    made, cases = snapshots(events), events.cases

    def run() -> int:
        panel = build_panel(made["releases"], made["distributions"], made["activity"], made["distances"], HORIZONS)
        folds, _ = build_folds(events.labels, FoldRules(HORIZONS))
        nothing = RECALIBRATION_SCHEMA.empty_table(), PREDICTION_SCHEMA.empty_table()
        forecasts = make_forecasts(cases, events.labels, folds, *nothing)
        results = evaluate(cases, forecasts)
        return len(panel) + len(folds) + len(results) + len(build_scorecard(results, cases, forecasts))

    rows = benchmark.pedantic(run, rounds=1, iterations=1, warmup_rounds=0)
    assert rows > EVENTS * len(HORIZONS) * 6
    benchmark.extra_info["rows"] = rows
