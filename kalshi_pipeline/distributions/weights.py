"""How much a market's target counts in the repair: tight and fresh books most."""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Floats
from kalshi_pipeline.distributions.rules import Rules


def repair_weights(bands: Bands, age: Floats, cutoff: Floats, rules: Rules) -> Floats:
    """Weights of the repair: age decay over the variance of the target.

    The variance is ``half_spread² + tick²/12``; the weight halves with every stale cutoff the quote is old. A market
    with only a last trade counts as one with a wide book. A one-sided book has no target and no weight: it only
    bounds.

    Args:
        bands: the quotes.
        age: of each quote; NaN where there is none.
        cutoff: stale cutoff of each quote, in the unit of age.
        rules: tick, half spread of a last trade, greatest decay.

    Returns:
        Per square dollar; 0 where the market only bounds.
    """
    half_spread = np.where(bands.two_sided, bands.width / 2, rules.last_trade_half_spread)
    decay = np.exp2(-np.minimum(np.nan_to_num(age, nan=0.0) / cutoff, rules.max_half_lives))
    return np.where(np.isnan(bands.mid), 0.0, decay / (half_spread**2 + rules.tick**2 / 12))
