"""Proof that models learn from training releases alone: what the others turned out to be changes no fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.cases import Cases
from kalshi_pipeline.research.models.recalibration import fit_recalibrations
from kalshi_pipeline.research.models.ridge import Ridges, fit_ridges
from kalshi_pipeline.research.panel import FEATURES
from kalshi_pipeline.research.proofs.comparing import table_differences

_POISON = 1e6


@dataclass(frozen=True)
class Fits:
    """How models are fitted; each can be replaced."""

    ridge: Callable[[pa.Table, pa.Table, pa.Table], Ridges] = fit_ridges
    recalibrate: Callable[[Cases, pa.Table], pa.Table] = fit_recalibrations


def fits_learn_from_training_alone(
    panel: pa.Table, labels: pa.Table, folds: pa.Table, cases: Cases, fits: Fits | None = None
) -> list[str]:
    """Fold by fold, poison the outcomes and features of every release that is not trained on, and fit again.

    Args:
        panel: rows of ``research.event_feature_panel``.
        labels: rows of ``research.event_labels``.
        folds: rows of ``research.walkforward_folds``.
        cases: what is scored.
        fits: how models are fitted.
    """
    fits = fits or Fits()
    told: list[str] = []
    built = folds.filter(pc.not_equal(folds["role"], "not_built"))
    for fold_id in sorted(pc.unique(built["fold_id"]).to_pylist()):
        fold = built.filter(pc.equal(built["fold_id"], fold_id))
        trained = fold.filter(fold["is_train"])["release_id"].combine_chunks()
        other_outcomes = _poisoned(labels, trained, ("label_value",))
        before = fits.ridge(panel, labels, fold)
        outcomes = fits.ridge(panel, other_outcomes, fold)
        features = fits.ridge(_poisoned(panel, trained, FEATURES), labels, fold)
        at = ("fold_id", "horizon_minutes")
        told += [f"ridge, outcomes: {said}" for said in table_differences(before.fits, outcomes.fits, at)]
        predicted = table_differences(before.predictions, outcomes.predictions, (*at, "ladder_id"))
        told += [f"ridge, predictions: {said}" for said in predicted]
        told += [f"ridge, features: {said}" for said in table_differences(before.fits, features.fits, at)]
        own = np.asarray(pc.is_in(cases.table["release_id"], value_set=trained).to_numpy(), dtype=np.bool_)
        poisoned = replace(cases, outcome=np.where(own, cases.outcome, _POISON))
        curves = table_differences(fits.recalibrate(cases, fold), fits.recalibrate(poisoned, fold), at)
        told += [f"recalibration: {said}" for said in curves]
    return told


def _poisoned(table: pa.Table, trained: pa.Array, names: tuple[str, ...]) -> pa.Table:
    """Absurd values in place of those of releases outside training; missing ones stay missing."""
    outside = pc.invert(pc.is_in(table["release_id"], value_set=trained))
    for name in names:
        absurd = pc.if_else(pc.and_(outside, pc.is_valid(table[name])), pa.scalar(_POISON), table[name])
        table = table.set_column(table.column_names.index(name), name, absurd)
    return table
