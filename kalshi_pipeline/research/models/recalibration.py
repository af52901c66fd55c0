"""Recalibration of the market's distribution, fitted inside folds and never part of the raw product.

One logistic curve per fold and horizon bends the distribution function: ``logit G = intercept + slope * logit F``,
fitted on whether outcomes of the training releases fell below the cuts of their ladders. A slope above zero keeps it a
distribution function. Platt (1999), on cumulative probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.research.cases import Cases
from kalshi_pipeline.research.models.training import fold_rows

RECALIBRATION_SCHEMA = pa.schema(
    {
        "fold_id": pa.string(),
        "horizon_minutes": pa.int32(),
        "intercept": pa.float64(),
        "slope": pa.float64(),
        "n_events": pa.int32(),
        "n_thresholds": pa.int32(),
        "fallback_reason": pa.string(),
    }
)

#: Fewest training events of a fit; with fewer the distribution stays as it is.
LEAST_EVENTS = 20

#: Cumulative probabilities are taken within this distance of 0 and 1 for the fit.
_CLIP = 0.001


def fit_recalibrations(cases: Cases, folds: pa.Table) -> pa.Table:
    """Fit one curve per fold and horizon on the training releases of the fold.

    Every event weighs the same, however many cuts its ladder has.

    Returns:
        :data:`RECALIBRATION_SCHEMA`; where there is too little to fit, or the fit would turn the distribution around,
        the curve is the identity and the reason is stored.
    """
    horizon = cases.table["horizon_minutes"].to_numpy()
    fitted = []
    for fold in fold_rows(folds, cases.table["release_id"]):
        for minutes in np.unique(horizon):
            train = np.flatnonzero(fold.train & (horizon == minutes))
            curve = _fit(cases, train)
            fitted.append({"fold_id": fold.fold_id, "horizon_minutes": int(minutes), **curve})
    return pa.Table.from_pylist(fitted, schema=RECALIBRATION_SCHEMA)


def recalibrated_masses(cases: Cases, case: Ints, intercept: Floats, slope: Floats) -> Floats:
    """Masses of the cells of some cases under each case's curve; certainties stay certain."""
    cells = cases.cells.take(case)
    owner = cells.owner
    upto = np.clip(cells.below + cells.mass, 0.0, 1.0)
    with np.errstate(divide="ignore", over="ignore"):
        odds = np.exp(-(intercept[owner] + slope[owner] * np.log(upto / (1 - upto))))
    bent = np.where(np.isinf(cells.high), 1.0, 1 / (1 + odds))
    before = np.concatenate([[0.0], bent[:-1]])
    before[cells.pointer[:-1]] = 0.0
    return np.asarray(np.clip(bent - before, 0.0, 1.0))


def _fit(cases: Cases, train: Ints) -> dict[str, Any]:
    cells = cases.cells.take(train)
    inner = np.isfinite(cells.high)
    owner = cells.owner[inner]
    probability = np.clip((cells.below + cells.mass)[inner], _CLIP, 1 - _CLIP)
    happened = cases.outcome[train][owner] < cells.high[inner]
    counted = {"n_events": len(train), "n_thresholds": len(owner)}
    reason = None
    if len(train) < LEAST_EVENTS:
        reason = f"only {len(train)} of {LEAST_EVENTS} training events at this horizon"
    elif happened.all() or not happened.any():
        reason = "every training outcome fell on one side of every cut"
    if reason is None:
        from sklearn.linear_model import LogisticRegression  # takes a second to import: only a fit waits for it

        weight = 1 / np.bincount(owner, minlength=len(train))[owner]
        curve = LogisticRegression(C=np.inf).fit(np.log(probability / (1 - probability))[:, None], happened, weight)
        intercept, slope = float(curve.intercept_[0]), float(curve.coef_[0, 0])
        if slope > 0:
            return {"intercept": intercept, "slope": slope, **counted, "fallback_reason": None}
        reason = f"the fitted slope {slope:.3g} would turn the distribution around"
    return {"intercept": 0.0, "slope": 1.0, **counted, "fallback_reason": reason}
