"""The stale-cutoff schedule: how old a quote may be at an instant.

Which row applies to a quote is said by its ladder's profile, or by the length of the bar it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.distributions.rules import Rules, StaleRow


def cutoff_minutes(
    rows: Sequence[StaleRow], row_of: Ints, minutes_to_anchor: Floats, liquidity_proxy: Floats, rules: Rules
) -> Floats:
    """Age that the schedule allows.

    Args:
        rows: rows of the schedule.
        row_of: which of them applies, per quote.
        minutes_to_anchor: time left, per quote; NaN where there is no anchor, negative after it.
        liquidity_proxy: of the quote's ladder; NaN where unknown.
        rules: stretch of thin and deep books, least and greatest cutoff.

    Returns:
        Minutes, per quote.
    """
    near, near_age, far, far_age, no_anchor_age, multiplier = (
        np.array([getattr(row, name) for row in rows], dtype=np.float64)[row_of]
        for name in ("near", "near_age", "far", "far_age", "no_anchor_age", "multiplier")
    )
    along = np.clip((minutes_to_anchor - near) / (far - near), 0.0, 1.0)
    age = np.where(np.isnan(minutes_to_anchor), no_anchor_age, near_age + along * (far_age - near_age))
    return np.clip(
        age * multiplier * stretch(liquidity_proxy, rules), rules.min_cutoff_minutes, rules.max_cutoff_minutes
    )


def stretch(liquidity_proxy: Floats, rules: Rules) -> Floats:
    """Factor of the cutoff: thin books may rest longer, deep ones must be fresher; 1 where liquidity is unknown."""
    thin, deep = liquidity_proxy <= rules.thin_liquidity, liquidity_proxy >= rules.deep_liquidity
    return np.where(thin, rules.thin_stretch, np.where(deep, rules.deep_stretch, 1.0))


def rows_of_bars(rules: Rules, period_minutes: Floats, own_row: Ints, first_bar_row: int) -> Ints:
    """Which row applies to each quote: that of its bar where the bar is long, else its ladder's own.

    Args:
        rules: the schedule.
        period_minutes: length of the bar a quote comes from; NaN for order books.
        own_row: position of the row of the quote's ladder.
        first_bar_row: position of the first bar row; they follow by ascending length.
    """
    lengths = np.array(sorted(rules.bar_rows), dtype=np.float64)
    bar = np.searchsorted(lengths, np.nan_to_num(period_minutes, nan=0.0), side="right")
    return np.where(bar > 0, first_bar_row + bar - 1, own_row)
