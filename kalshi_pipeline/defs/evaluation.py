"""Evaluation assets: what is fitted inside folds, how every forecast did, and the scorecard.

With too little data every table is there and empty, and its metadata says why.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.defs.checks import asset_key, schema_check
from kalshi_pipeline.defs.metadata import picture
from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.defs.research_tables import all_written, research_asset, research_spec, written
from kalshi_pipeline.report.reliability import reliability_markdown, reliability_picture
from kalshi_pipeline.report.scorecard import scorecard_markdown, scorecard_picture
from kalshi_pipeline.research.cases import Cases, build_cases
from kalshi_pipeline.research.evaluation import Made, evaluate, make_forecasts
from kalshi_pipeline.research.models.recalibration import fit_recalibrations
from kalshi_pipeline.research.models.ridge import fit_ridges
from kalshi_pipeline.research.scorecard import build_scorecard
from kalshi_pipeline.schemas.evaluation import (
    RECALIBRATIONS,
    RIDGE_FITS,
    RIDGE_PREDICTIONS,
    SCORECARD,
    WALKFORWARD_RESULTS,
)
from kalshi_pipeline.schemas.research import EVENT_FEATURE_PANEL, EVENT_LABELS, WALKFORWARD_FOLDS
from kalshi_pipeline.warehouse.forecasting import passed_cells, passed_quotes
from kalshi_pipeline.warehouse.frames import read_table
from kalshi_pipeline.warehouse.resource import Warehouse

_CASES = [
    asset_key(EVENT_FEATURE_PANEL),
    asset_key(EVENT_LABELS),
    ["research", "ladders"],
    ["research", "ladder_legs"],
    ["research", "implied_cells"],
    ["research", "ladder_quotes"],
]
_FOLDS = asset_key(WALKFORWARD_FOLDS)
_FORECASTS = [*_CASES, _FOLDS, asset_key(RECALIBRATIONS), asset_key(RIDGE_PREDICTIONS)]
_MODELS = [asset_key(EVENT_FEATURE_PANEL), asset_key(EVENT_LABELS), _FOLDS]


@dg.asset(
    **research_asset(
        RECALIBRATIONS,
        [*_CASES, _FOLDS],
        "Curves that bend the market's distribution, fitted inside folds; never part of the raw product.",
    )
)
def recalibrations(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Fit a curve per fold and horizon on the fold's training releases."""
    with warehouse.read() as con:
        cases, folds = _cases(con), read_table(con, "research.walkforward_folds")
    curves = fit_recalibrations(cases, folds)
    fitted = curves["fallback_reason"].null_count
    yield from written(
        context, warehouse, RECALIBRATIONS, curves, **_said(len(curves), "fold", folds), **{"curves fitted": fitted}
    )


@dg.multi_asset(
    name="ridge",
    specs=[
        research_spec(RIDGE_FITS, _MODELS, "Ridge regressions of the surprise on the panel, per fold and horizon."),
        research_spec(RIDGE_PREDICTIONS, _MODELS, "What they predict of the releases of their test blocks."),
    ],
    check_specs=[schema_check(RIDGE_FITS), schema_check(RIDGE_PREDICTIONS)],
    backfill_policy=ONE_RUN,
)
def ridge(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Fit on training releases, choose the penalty by the inner split, predict the test block."""
    with warehouse.read() as con:
        panel = read_table(con, "research.event_feature_panel")
        labels, folds = read_table(con, "research.event_labels"), read_table(con, "research.walkforward_folds")
    fits, predictions = fit_ridges(panel, labels, folds)
    tried = {"configurations tried": pc.sum(fits["configurations_tried"]).as_py() or 0}
    yield from all_written(
        context,
        warehouse,
        [(RIDGE_FITS, fits), (RIDGE_PREDICTIONS, predictions)],
        {RIDGE_FITS.name: {**_said(len(fits), "fold", folds), **tried}, RIDGE_PREDICTIONS.name: {}},
    )


@dg.asset(
    **research_asset(
        WALKFORWARD_RESULTS,
        _FORECASTS,
        "Every forecast with its scores: the market, what is fitted on it, and the baselines.",
    )
)
def walkforward_results(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Score every method on every release and horizon it has a forecast for."""
    with warehouse.read() as con:
        cases = _cases(con)
        forecasts = _forecasts(con, cases)
    results = evaluate(cases, forecasts)
    counted = {f"forecasts: {row['values']}": row["counts"] for row in pc.value_counts(results["method"]).to_pylist()}
    yield from written(context, warehouse, WALKFORWARD_RESULTS, results, **counted)


@dg.asset(
    **research_asset(
        SCORECARD,
        [*_FORECASTS, asset_key(WALKFORWARD_RESULTS)],
        "How good every method was, by series, release type and horizon, with intervals, baselines and events.",
    )
)
def scorecard(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Average the results, with intervals over release groups and differences from the market."""
    with warehouse.read() as con:
        results, cases = read_table(con, "research.walkforward_results"), _cases(con)
        forecasts = _forecasts(con, cases)
    card = build_scorecard(results, cases, forecasts)
    yield from written(
        context,
        warehouse,
        SCORECARD,
        card,
        **{
            "log score": dg.MetadataValue.md(scorecard_markdown(card, "log_score")),
            "crps": dg.MetadataValue.md(scorecard_markdown(card, "crps")),
            "reliability": dg.MetadataValue.md(reliability_markdown(card)),
            "picture": picture(scorecard_picture(card), "Scorecard"),
            "picture of reliability": picture(reliability_picture(card), "Reliability"),
        },
    )


def _cases(con: duckdb.DuckDBPyConnection) -> Cases:
    return build_cases(
        read_table(con, "research.event_feature_panel"),
        read_table(con, "research.event_labels"),
        read_table(con, "research.ladders"),
        passed_cells(con),
        passed_quotes(con),
    )


def _forecasts(con: duckdb.DuckDBPyConnection, cases: Cases) -> list[Made]:
    return make_forecasts(
        cases,
        read_table(con, "research.event_labels"),
        read_table(con, "research.walkforward_folds"),
        read_table(con, "research.recalibrations"),
        read_table(con, "research.ridge_predictions"),
    )


def _said(rows: int, what: str, folds: pa.Table) -> dict[str, str]:
    """Why a table of fits is empty, where it is."""
    if rows:
        return {}
    built = pc.any(pc.not_equal(folds["role"], "not_built")).as_py()
    reason = "no snapshot of a labelled release passed the gates" if built else f"no {what} could be built"
    return {"why empty": f"Nothing was fitted: {reason}."}
