"""How old the quotes of a snapshot are, how old they may be, and how much of the ladder they cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.distributions.observations import NO_INSTANT, Batch
from kalshi_pipeline.distributions.quality import liquidity_proxy
from kalshi_pipeline.distributions.rules import BOUNDARY_NOISE, Rules
from kalshi_pipeline.distributions.segments import counts, medians
from kalshi_pipeline.distributions.stale import cutoff_minutes, rows_of_bars

_SECOND = 1e6  # in microseconds
_MINUTE = 60.0  # in seconds


@dataclass(frozen=True)
class Freshness:
    """Ages and what they are measured against, in seconds.

    Attributes:
        age: per leg, since its quote became known; NaN without one.
        cutoff: per leg, age its quote may have.
        fresh: per leg, whether it has a quote within its cutoff.
        median_age: per snapshot, of all latest quotes, stale ones included; NaN without any.
        max_age: per snapshot, likewise.
        snapshot_cutoff: per snapshot, median of the cutoffs of its quotes; of its legs where it has no quotes.
        minutes_to_anchor: per snapshot; NaN without an anchor.
        liquidity: per snapshot, the liquidity proxy; NaN where unknown.
    """

    age: Floats
    cutoff: Floats
    fresh: Bools
    median_age: Floats
    max_age: Floats
    snapshot_cutoff: Floats
    minutes_to_anchor: Floats
    liquidity: Floats


@dataclass(frozen=True)
class Coverage:
    """How much of the ladder is quoted, per snapshot unless said otherwise.

    Attributes:
        covered: per leg, whether its quote is fresh and its band narrower than the spread limit.
        legs: number of legs expected.
        quoted: number of them with any quote.
        two_sided: number of them with a bid and an ask.
        live: number of them with a fresh quote of at least one side.
        share: covered legs over expected legs.
        two_sided_share: two-sided legs over expected legs.
        median_spread: median band width over expected legs, in dollars; NaN where no leg has a side.
        median_relative_spread: median of spread over mid of the two-sided legs; NaN without any.
    """

    covered: Bools
    legs: Ints
    quoted: Ints
    two_sided: Ints
    live: Ints
    share: Floats
    two_sided_share: Floats
    median_spread: Floats
    median_relative_spread: Floats


def measure_freshness(batch: Batch, rules: Rules) -> Freshness:
    """Measure ages against the stale-cutoff schedule."""
    sizes = np.diff(batch.leg_pointer)
    quoted = batch.available != NO_INSTANT
    age = np.where(quoted, (np.repeat(batch.asof, sizes) - np.where(quoted, batch.available, 0)) / _SECOND, np.nan)
    minutes = _minutes_to_anchor(batch)
    liquidity = liquidity_proxy(
        medians(batch.leg_pointer, batch.quotes["volume"]), medians(batch.leg_pointer, batch.quotes["open_interest"])
    )
    cutoff = _cutoffs(batch, minutes, liquidity, rules) * _MINUTE
    snapshot_cutoff = medians(batch.leg_pointer, np.where(quoted, cutoff, np.nan))
    if (silent := np.isnan(snapshot_cutoff)).any():
        snapshot_cutoff[silent] = medians(batch.leg_pointer, cutoff)[silent]
    return Freshness(
        age=age,
        cutoff=cutoff,
        fresh=age <= cutoff + 1 / _SECOND,
        median_age=medians(batch.leg_pointer, age),
        max_age=np.fmax.reduceat(age, batch.leg_pointer[:-1]),
        snapshot_cutoff=snapshot_cutoff,
        minutes_to_anchor=minutes,
        liquidity=liquidity,
    )


def measure_coverage(batch: Batch, bands: Bands, fresh: Freshness, rules: Rules) -> Coverage:
    """Measure how much of the ladder fresh and narrow quotes cover. An empty side counts as 0 or 1."""
    pointer = batch.leg_pointer
    legs = np.diff(pointer)
    width = bands.width
    covered = fresh.fresh & (width < rules.max_spread - BOUNDARY_NOISE)
    two_sided = counts(pointer, bands.two_sided)
    known = counts(pointer, bands.sided) > 0
    return Coverage(
        covered=covered,
        legs=legs,
        quoted=counts(pointer, batch.available != NO_INSTANT),
        two_sided=two_sided,
        live=counts(pointer, fresh.fresh & bands.sided),
        share=counts(pointer, covered) / legs,
        two_sided_share=two_sided / legs,
        median_spread=np.where(known, medians(pointer, width), np.nan),
        median_relative_spread=medians(pointer, np.where(bands.two_sided, width / bands.mid, np.nan)),
    )


def _minutes_to_anchor(batch: Batch) -> Floats:
    anchors = batch.anchor[batch.ladder_of]
    known = anchors != NO_INSTANT
    return np.where(known, (np.where(known, anchors, 0) - batch.asof) / (_SECOND * _MINUTE), np.nan)


def _cutoffs(batch: Batch, minutes: Floats, liquidity: Floats, rules: Rules) -> Floats:
    """The cutoff of every leg, in minutes."""
    profiles = [ladder["stale_profile"] for ladder in batch.ladders]
    names = sorted(set(profiles))
    rows = [*(rules.stale_row(name) for name in names), *(rules.bar_rows[length] for length in sorted(rules.bar_rows))]
    own = np.array([names.index(profile) for profile in profiles], dtype=np.int64)[batch.ladder_of]
    sizes = np.diff(batch.leg_pointer)
    own_of_leg = np.repeat(own, sizes)
    row_of = rows_of_bars(rules, batch.quotes["period_minutes"], own_of_leg, len(names))
    # Most quotes go by the row of their ladder, which is the same for all legs of a snapshot.
    cutoffs = np.repeat(cutoff_minutes(rows, own, minutes, liquidity, rules), sizes)
    other = np.flatnonzero(row_of != own_of_leg)
    snapshot = np.repeat(np.arange(sizes.size), sizes)[other] if other.size else other
    cutoffs[other] = cutoff_minutes(rows, row_of[other], minutes[snapshot], liquidity[snapshot], rules)
    return cutoffs
