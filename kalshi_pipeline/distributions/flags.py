"""Flags: what a user of a snapshot should know besides its gates, and which of it makes the quality low."""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools
from kalshi_pipeline.distributions.exchange_pause import in_pause
from kalshi_pipeline.distributions.gates import REASONS
from kalshi_pipeline.distributions.results import Results
from kalshi_pipeline.distributions.rules import BOUNDARY_NOISE, Rules
from kalshi_pipeline.distributions.segments import counts
from kalshi_pipeline.distributions.violations import crossed

#: Flags that make quality low, then those that only inform.
LOW_QUALITY_FLAGS = (
    "low_coverage",
    "stale_quotes",
    "few_live_markets",
    "direction_unresolved",
    "overlapping_buckets",
)
FLAGS = (
    *LOW_QUALITY_FLAGS,
    "spread_unknown",
    "age_unknown",
    "liquidity_unknown",
    "exchange_pause",
    "crossed_quotes",
    "last_trade_only",
    "incomplete_ladder",
    "outer_mass_high",
    "tail_dominated",
    "series_not_registered",
)


def tail_dominated(results: Results, rules: Rules) -> Bools:
    """Whether the mean rests on much outer mass, hence on the tail convention."""
    return np.asarray(results.outer_mass > rules.tail_dominated_mass + BOUNDARY_NOISE)


def raise_flags(results: Results, rules: Rules) -> Bools:
    """Which of :data:`FLAGS` hold, ``(snapshots, flags)``. What rests on withheld moments is not flagged."""
    batch, cover, fresh, failed = results.batch, results.cover, results.fresh, results.failed
    layouts, layout_of = batch.layouts, batch.layout_of
    only_trades = ~results.bands.sided & ~np.isnan(results.bands.mid)
    registered = np.array([bool(ladder["registered"]) for ladder in batch.ladders], dtype=np.bool_)
    raised = {
        "low_coverage": cover.share < rules.low_coverage,
        "stale_quotes": results.reasons[:, REASONS.index("age_stale")],
        "few_live_markets": results.reasons[:, REASONS.index("too_few_live_markets")],
        "direction_unresolved": results.reasons[:, REASONS.index("direction_unresolved")],
        "overlapping_buckets": layouts.overlapping[layout_of],
        "spread_unknown": np.isnan(cover.median_relative_spread),
        "age_unknown": np.isnan(fresh.median_age),
        "liquidity_unknown": np.isnan(fresh.liquidity),
        "exchange_pause": in_pause(batch.asof.view("datetime64[us]")),
        "crossed_quotes": counts(batch.leg_pointer, crossed(results.bands)) > 0,
        "last_trade_only": counts(batch.leg_pointer, only_trades) > 0,
        "incomplete_ladder": layouts.incomplete[layout_of],
        "outer_mass_high": ~failed & (results.outer_mass > rules.max_uncapped_mass + BOUNDARY_NOISE),
        "tail_dominated": ~failed & tail_dominated(results, rules),
        "series_not_registered": ~registered[batch.ladder_of],
    }
    return np.column_stack([raised[name] for name in FLAGS])


def quality_low(results: Results, raised: Bools) -> Bools:
    """Whether a gate failed or one of :data:`LOW_QUALITY_FLAGS` was raised."""
    return np.asarray(results.failed | raised[:, : len(LOW_QUALITY_FLAGS)].any(axis=1))
