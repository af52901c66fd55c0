"""Hard gates: whether a snapshot carries enough to publish moments. Each can fail alone, each says so.

A value that is not known fails its gate. What fails is kept with its reasons; its moments are withheld.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.distributions.rules import BOUNDARY_NOISE, Rules

#: Names of the reasons, in the order in which they are listed.
REASONS = (
    "coverage_low",
    "coverage_unknown",
    "age_stale",
    "age_unknown",
    "spread_wide",
    "spread_unknown",
    "arbitrage",
    "arbitrage_unknown",
    "direction_unresolved",
    "too_few_live_markets",
    "repair_not_converged",
)


@dataclass(frozen=True)
class GateInputs:
    """What the gates judge, one element per snapshot; NaN where unknown.

    Attributes:
        coverage: share of expected markets with a fresh, narrow quote.
        median_age: of the latest quotes, stale ones included.
        cutoff: age allowed, in the unit of the age.
        median_spread: median band width over the expected markets, in dollars.
        depth_net: arbitrage depth net of fees, in dollars.
        direction_resolved: whether the payoffs are sure enough.
        live_markets: number of markets with a fresh quote.
        converged: whether the repair arrived.
    """

    coverage: Floats
    median_age: Floats
    cutoff: Floats
    median_spread: Floats
    depth_net: Floats
    direction_resolved: Bools
    live_markets: Ints
    converged: Bools


def evaluate_gates(inputs: GateInputs, rules: Rules) -> Bools:
    """Judge a batch of snapshots.

    A value on its limit is on it, whatever binary fractions made of it: coverage of 0.80, age at the cutoff and depth
    of 0.05 pass, a median spread of 0.25 fails.

    Returns:
        Shape ``(snapshots, reasons)``: which of :data:`REASONS` hold. A snapshot passes iff none does.
    """
    noise = BOUNDARY_NOISE
    age_noise = 1e-6  # one microsecond, the resolution of time
    failed = {
        "coverage_low": inputs.coverage < rules.min_coverage - noise,
        "coverage_unknown": np.isnan(inputs.coverage),
        "age_stale": inputs.median_age > inputs.cutoff + age_noise,
        "age_unknown": np.isnan(inputs.median_age) | np.isnan(inputs.cutoff),
        "spread_wide": inputs.median_spread >= rules.max_spread - noise,
        "spread_unknown": np.isnan(inputs.median_spread),
        "arbitrage": inputs.depth_net > rules.max_arbitrage_depth + noise,
        "arbitrage_unknown": np.isnan(inputs.depth_net),
        "direction_unresolved": ~inputs.direction_resolved,
        "too_few_live_markets": inputs.live_markets < rules.min_live_markets,
        "repair_not_converged": ~inputs.converged,
    }
    return np.column_stack([failed[name] for name in REASONS])
