"""Every forecast of every case with its scores: the market, what is fitted on it, and the baselines.

One row per case and method. Nothing is averaged here; that, and how sure one can be, is in ``scorecard``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.research.baselines import (
    CLIMATOLOGY_LEAST,
    CLIMATOLOGY_RELEASES,
    fair_mids,
    naive_mids,
    remembered,
    uniform_masses,
)
from kalshi_pipeline.research.cases import Cases
from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.history import known_labels
from kalshi_pipeline.research.models.recalibration import recalibrated_masses
from kalshi_pipeline.research.scoring import scores
from kalshi_pipeline.research.scoring.forecasts import Cells, Forecasts, of_cells

#: The market first; what is fitted inside folds; the baselines every table shows.
METHODS = ("market", "recalibrated", "ridge", "no_change", "climatology", "uniform", "naive_mids", "fair_mids")
FITTED = ("recalibrated", "ridge")

RESULT_SCHEMA = pa.schema(
    {
        "ladder_id": pa.string(),
        "horizon_minutes": pa.int32(),
        "method": pa.string(),
        "fold_id": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "release_id": pa.string(),
        "release_type": pa.string(),
        "release_group": pa.string(),
        "unit": pa.string(),
        "asof": TIMESTAMP,
        "anchor_ts": TIMESTAMP,
        "learned_at": TIMESTAMP,
        "label_value": pa.float64(),
        "forecast_mean": pa.float64(),
        "absolute_error": pa.float64(),
        "crps": pa.float64(),
        "log_score": pa.float64(),
        "rps": pa.float64(),
        "brier": pa.float64(),
        "pit_low": pa.float64(),
        "pit_high": pa.float64(),
    }
)
_CASE = tuple(name for name in RESULT_SCHEMA.names[:14] if name not in ("method", "fold_id"))


class Made(NamedTuple):
    """Forecasts of a method.

    Attributes:
        method: how they came about.
        cases: positions of the cases they are for.
        masses: mass on every cell of these cases' ladders, one case after the other.
        pieces: the same distributions as pieces.
        fold: fold that was fitted on, per forecast; ``None`` for methods without a fit.
    """

    method: str
    cases: Ints
    masses: Floats
    pieces: Forecasts
    fold: pa.Array | None = None


def make_forecasts(
    cases: Cases, labels: pa.Table, folds: pa.Table, recalibrations: pa.Table, predictions: pa.Table
) -> list[Made]:
    """Every method's forecasts of the cases it can say something about.

    Args:
        cases: what is scored.
        labels: rows of ``research.event_labels``; what baselines remember is looked up as of each case's instant.
        folds: rows of ``research.walkforward_folds``.
        recalibrations: rows of ``research.recalibrations``.
        predictions: rows of ``research.ridge_predictions``.

    Returns:
        One for every method that has any.
    """
    if not len(cases):
        return []
    made = [*_unfitted(cases, labels), _recalibrated(cases, folds, recalibrations), _shifted(cases, predictions)]
    return [one for one in made if one.cases.size]


def evaluate(cases: Cases, forecasts: Sequence[Made]) -> pa.Table:
    """Score every method on every case it has a forecast for.

    Args:
        cases: what is scored.
        forecasts: from :func:`make_forecasts`.

    Returns:
        :data:`RESULT_SCHEMA`, ordered by method, ladder and horizon. ``fold_id`` is the fold whose test block a fitted
        method's forecast is from, NULL for the others.
    """
    tables = [RESULT_SCHEMA.empty_table(), *(_scored(cases, one) for one in forecasts)]
    return pa.concat_tables(tables).sort_by(
        [("method", "ascending"), ("ladder_id", "ascending"), ("horizon_minutes", "ascending")]
    )


def _unfitted(cases: Cases, labels: pa.Table) -> Iterator[Made]:
    """The market and the baselines."""
    everyone = np.arange(len(cases))
    masses = {
        "market": cases.cells.mass,
        "uniform": uniform_masses(cases),
        "naive_mids": naive_mids(cases),
        "fair_mids": fair_mids(cases),
    }
    for method, mass in masses.items():
        known = everyone[np.isfinite(mass[cases.cells.pointer[:-1]])]
        cells = cases.cells.with_mass(mass).take(known)
        yield Made(method, known, cells.mass, of_cells(cells))
    values = np.asarray(labels["label_value"].cast(pa.float64()).to_numpy(), dtype=np.float64)
    for method, window, least in (("no_change", 1, 1), ("climatology", CLIMATOLOGY_RELEASES, CLIMATOLOGY_LEAST)):
        memory = remembered(known_labels(labels, cases.table, window), values, least)
        masses_of = scores.cell_masses(memory.forecasts, cases.cells.take(memory.cases))
        yield Made(method, memory.cases, masses_of, memory.forecasts)


def _recalibrated(cases: Cases, folds: pa.Table, recalibrations: pa.Table) -> Made:
    """The market's distribution under the curve of the fold that tests on the case, where one could be fitted."""
    test = folds.filter(pc.equal(folds["role"], "test")).select(["release_id", "fold_id"])
    rows = cases.table.select(["release_id", "horizon_minutes"]).append_column("case", pa.array(np.arange(len(cases))))
    rows = rows.join(test, "release_id", join_type="inner")
    fitted = recalibrations.filter(pc.is_null(recalibrations["fallback_reason"]))
    curves = fitted.select(["fold_id", "horizon_minutes", "intercept", "slope"])
    rows = _last_fold(rows.join(curves, ["fold_id", "horizon_minutes"], join_type="inner"))
    case = np.asarray(rows["case"].to_numpy(), dtype=np.int64)
    masses = recalibrated_masses(cases, case, rows["intercept"].to_numpy(), rows["slope"].to_numpy())
    cells = cases.cells.take(case).with_mass(masses)
    return Made("recalibrated", case, masses, of_cells(cells), rows["fold_id"].combine_chunks())


def _shifted(cases: Cases, predictions: pa.Table) -> Made:
    """The market's distribution moved by the surprise that ridge regression predicts."""
    rows = cases.table.select(["ladder_id", "horizon_minutes"]).append_column("case", pa.array(np.arange(len(cases))))
    predicted = predictions.select(["ladder_id", "horizon_minutes", "fold_id", "predicted_surprise"])
    rows = _last_fold(rows.join(predicted, ["ladder_id", "horizon_minutes"], join_type="inner"))
    case = np.asarray(rows["case"].to_numpy(), dtype=np.int64)
    cells = cases.cells.take(case)
    pieces = of_cells(cells).shifted(rows["predicted_surprise"].to_numpy())
    return Made("ridge", case, scores.cell_masses(pieces, cells), pieces, rows["fold_id"].combine_chunks())


def _last_fold(rows: pa.Table) -> pa.Table:
    """One row per case: where test blocks overlap, of the fold that trained on most."""
    rows = rows.sort_by([("case", "ascending"), ("fold_id", "ascending")]).combine_chunks()
    case = rows["case"].to_numpy()
    return rows.filter(pa.array(np.append(case[1:] != case[:-1], True)[: len(case)]))


def _scored(cases: Cases, made: Made) -> pa.Table:
    outcome = cases.outcome[made.cases]
    cells: Cells = cases.cells.take(made.cases).with_mass(made.masses)
    scored = scores.crps(made.pieces, outcome)
    centre = scores.mean(made.pieces)
    own = cases.table.take(pa.array(made.cases))
    columns = {name: own[name] for name in _CASE}
    columns |= {
        "method": pa.array([made.method] * len(own)),
        "fold_id": made.fold if made.fold is not None else pa.nulls(len(own), pa.string()),
        "forecast_mean": _numbers(centre),
        "absolute_error": _numbers(np.abs(centre - outcome)),
        "crps": _numbers(scored.crps),
        "log_score": _numbers(scores.log_score(cells, outcome)),
        "rps": _numbers(scores.rps(cells, outcome)),
        "brier": _numbers(scores.brier_of_cells(cells, outcome)),
        "pit_low": _numbers(scored.pit_low),
        "pit_high": _numbers(scored.pit_high),
    }
    return pa.table({name: columns[name] for name in RESULT_SCHEMA.names}, schema=RESULT_SCHEMA)


def _numbers(values: Floats) -> pa.Array:
    return pa.array(values, mask=~np.isfinite(values))
