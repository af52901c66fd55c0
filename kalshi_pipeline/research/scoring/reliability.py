"""Reliability of probabilities by isotonic recalibration: the CORP approach.

Dimitriadis, Gneiting and Jordan (2021): the recalibrated probability of a forecast is the isotonic fit of what happened
on what was forecast; it needs no bins. The Brier score is then miscalibration - discrimination + uncertainty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kalshi_pipeline.distributions.compiled import Floats


class Corp(NamedTuple):
    """Decomposition of a mean Brier score, and the reliability curve behind it.

    Attributes:
        score: mean Brier score: ``miscalibration - discrimination + uncertainty``.
        miscalibration: what recalibration would save (MCB).
        discrimination: what the forecasts know beyond the base rate (DSC).
        uncertainty: score of the base rate (UNC).
        forecast: the distinct probabilities, ascending.
        recalibrated: how often what they were given to came true, by the isotonic fit.
        weight: pairs at each.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    forecast: Floats
    recalibrated: Floats
    weight: Floats


def corp(probability: Floats, happened: npt.NDArray[np.bool_]) -> Corp:
    """Decompose the Brier score of probabilities.

    Raises:
        ValueError: there is no pair.
    """
    if not probability.size:
        raise ValueError("Reliability needs at least one probability with its outcome.")
    from sklearn.isotonic import isotonic_regression  # takes a second to import: only who scores waits for it

    outcome = happened.astype(np.float64)
    forecast, place, count = np.unique(probability, return_inverse=True, return_counts=True)
    rate = np.bincount(place, outcome) / count
    weight = count.astype(np.float64)
    fitted = np.asarray(isotonic_regression(rate, sample_weight=weight, y_min=0.0, y_max=1.0), dtype=np.float64)
    score = float(np.mean((probability - outcome) ** 2))
    recalibrated = float(np.mean((fitted[place] - outcome) ** 2))
    base = float(np.mean((outcome.mean() - outcome) ** 2))
    return Corp(score, score - recalibrated, base - recalibrated, base, forecast, fitted, weight)
