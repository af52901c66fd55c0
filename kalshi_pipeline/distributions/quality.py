"""The quality score and its components: how good a snapshot is, whether or not the gates let it pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats
from kalshi_pipeline.distributions.rules import Rules

#: What a component counts where its input is not known.
UNKNOWN = 0.5

#: Age in seconds at which the age component has fallen to 1/e.
_AGE_SCALE = 300.0


class Quality(NamedTuple):
    """Components within [0, 1] and their weighted sum, one element per snapshot."""

    coverage: Floats
    spread: Floats
    age: Floats
    liquidity: Floats
    consistency: Floats
    score: Floats


def liquidity_proxy(median_volume: Floats, median_open_interest: Floats) -> Floats:
    """Mean of ``log1p`` of the two medians, of those that are known; NaN where neither is."""
    logs = np.log1p(np.column_stack([median_volume, median_open_interest]))
    known = ~np.isnan(logs)
    with np.errstate(invalid="ignore"):
        total = np.where(known, logs, 0.0).sum(axis=1)
        return np.asarray(total / np.where(known.any(axis=1), known.sum(axis=1), np.nan))


def quality(
    coverage: Floats,
    median_relative_spread: Floats,
    median_age_seconds: Floats,
    liquidity: Floats,
    inconsistency: Floats,
    rules: Rules,
) -> Quality:
    """Score a batch.

    Args:
        coverage: share of expected markets with a fresh, narrow quote.
        median_relative_spread: spread over mid; NaN where unknown.
        median_age_seconds: NaN where unknown.
        liquidity: the liquidity proxy; NaN where unknown.
        inconsistency: violation magnitude plus renormalisation delta, in dollars.
        rules: weights.

    Returns:
        The components and the score. An unknown spread or age counts 0.5, unknown liquidity 0.
    """
    spread = np.clip(1.0 - median_relative_spread, 0.0, 1.0)
    age = np.exp(-median_age_seconds / _AGE_SCALE)
    parts = {
        "coverage": coverage,
        "spread": np.where(np.isnan(spread), UNKNOWN, spread),
        "age": np.where(np.isnan(age), UNKNOWN, age),
        # tanh of (log volume + log open interest) / 8, written with their mean.
        "liquidity": np.where(np.isnan(liquidity), 0.0, np.tanh(liquidity / 4.0)),
        "consistency": np.exp(-inconsistency),
    }
    weights = rules.quality
    score = sum((getattr(weights, name) * part for name, part in parts.items()), np.zeros_like(coverage))
    return Quality(**parts, score=np.clip(score, 0.0, 1.0))
