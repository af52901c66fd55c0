"""What is published of a batch: columns, flags, and what is withheld where a gate failed.

Withheld is NULL: moments, tails and quantiles. Cells, bands and bounds are kept, as the diagnostics of a failure.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from kalshi_pipeline.distributions.arrow import days, integers, name_lists, number_lists, numbers, timestamps, words
from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.distributions.flags import FLAGS, quality_low, raise_flags, tail_dominated
from kalshi_pipeline.distributions.gates import REASONS
from kalshi_pipeline.distributions.layout import KINDS
from kalshi_pipeline.distributions.method import METHOD_VERSION
from kalshi_pipeline.distributions.observations import Batch
from kalshi_pipeline.distributions.results import Results
from kalshi_pipeline.distributions.rules import BOUNDARY_NOISE, Rules
from kalshi_pipeline.distributions.tables import CELL_SCHEMA, DISTRIBUTION_SCHEMA, QUANTILES, QUOTE_SCHEMA
from kalshi_pipeline.ladders.classify import CONFIDENCES

#: What ``quote_kind`` says where the quotes of a snapshot differ in kind.
SEVERAL = "several"


def distributions_table(results: Results, rules: Rules) -> pa.Table:
    """One row per snapshot."""
    batch, cover, fresh, repaired = results.batch, results.cover, results.fresh, results.repaired
    layouts, layout_of, moments, failed = batch.layouts, batch.layout_of, results.moments, results.failed
    first_cell, last_cell = layouts.cell_pointer[layout_of], layouts.cell_pointer[layout_of + 1] - 1
    # Where much mass lies beyond an edge that nothing caps, higher moments are whatever one likes to believe.
    unbounded = failed | (results.uncapped_mass > rules.max_uncapped_mass + BOUNDARY_NOISE)
    flags = raise_flags(results, rules)
    l1, l2, largest = _moves(results)
    ladder = _LadderColumns(batch)
    columns = {
        "ladder_id": ladder.text("ladder_id"),
        "asof": timestamps(batch.asof),
        "partition_date": days(batch.asof),
        "event_ticker": ladder.text("event_ticker"),
        "series_ticker": ladder.text("series_ticker"),
        "release_type": ladder.text("release_type"),
        "snapshot_kind": batch.snapshot_kind,
        "minutes_to_anchor": numbers(fresh.minutes_to_anchor),
        "kind": words(KINDS, layouts.kind[layout_of]),
        "confidence": words(CONFIDENCES, layouts.confidence[layout_of]),
        "method_version": words([METHOD_VERSION], np.zeros_like(layout_of)),
        "n_legs": integers(cover.legs),
        "n_quoted": integers(cover.quoted),
        "n_two_sided": integers(cover.two_sided),
        "n_live": integers(cover.live),
        "n_cells": integers(np.diff(batch.cell_pointer)),
        "quote_kind": _common_quote_kind(batch),
        "latest_available_ts": timestamps(np.maximum.reduceat(batch.available, batch.leg_pointer[:-1])),
        "coverage": numbers(cover.share),
        "two_sided_share": numbers(cover.two_sided_share),
        "median_age_seconds": numbers(fresh.median_age),
        "max_age_seconds": numbers(fresh.max_age),
        "stale_cutoff_seconds": numbers(fresh.snapshot_cutoff),
        "median_spread": numbers(cover.median_spread),
        "median_relative_spread": numbers(cover.median_relative_spread),
        "arbitrage_depth": numbers(repaired.gross),
        "arbitrage_depth_net": numbers(repaired.net),
        "hard_gate_failed": pa.array(failed),
        "gate_reasons": name_lists(REASONS, results.reasons),
        "quality_low": pa.array(quality_low(results, flags)),
        "quality_score": numbers(results.quality.score),
        "quality_coverage": numbers(results.quality.coverage),
        "quality_spread": numbers(results.quality.spread),
        "quality_age": numbers(results.quality.age),
        "quality_liquidity": numbers(results.quality.liquidity),
        "quality_consistency": numbers(results.quality.consistency),
        "liquidity_proxy": numbers(fresh.liquidity),
        "flags": name_lists(FLAGS, flags),
        "violations_pre": integers(results.violations_before),
        "violations_post": integers(results.violations_after),
        "violation_magnitude": numbers(results.magnitude),
        "renormalisation_delta": numbers(results.delta),
        "move_l1": numbers(l1),
        "move_l2": numbers(l2),
        "move_max": numbers(largest),
        "mean_low": numbers(moments.mean_low),
        "mean_high": numbers(moments.mean_high),
        "cut_low": numbers(layouts.high_cut[first_cell]),
        "cut_high": numbers(layouts.low_cut[last_cell]),
        "mass_below": numbers(moments.mass_below, failed),
        "mass_above": numbers(moments.mass_above, failed),
        "tail_convention": words(layouts.convention, layout_of),
        "support_low": ladder.number("support_low"),
        "support_high": ladder.number("support_high"),
        "tail_dominated": pa.array(tail_dominated(results, rules), mask=failed),
        "tail_probabilities": number_lists(*results.tails, failed),
        "mean": numbers(moments.mean, failed),
        "variance": numbers(moments.variance, unbounded),
        "std": numbers(np.sqrt(moments.variance), unbounded),
        "skew": numbers(moments.skew, unbounded),
        "excess_kurtosis": numbers(moments.excess_kurtosis, unbounded),
        "entropy": numbers(moments.entropy, failed),
        "entropy_atoms": numbers(moments.entropy_atoms, failed),
        "iqr": numbers(_quantile(results, "q75") - _quantile(results, "q25"), failed),
    }
    for position, name in enumerate(QUANTILES):
        columns[name] = numbers(results.quantile[:, position], failed)
        columns[f"{name}_edge"] = numbers(results.edge[:, position], failed)
    return pa.table({name: columns[name] for name in DISTRIBUTION_SCHEMA.names}, schema=DISTRIBUTION_SCHEMA)


def cells_table(results: Results) -> pa.Table:
    """One row per snapshot and elementary cell."""
    batch, repaired = results.batch, results.repaired
    sizes = np.diff(batch.cell_pointer)
    of_snapshot = np.repeat(np.arange(sizes.size), sizes)
    index = np.arange(of_snapshot.size) - np.repeat(batch.cell_pointer[:-1], sizes)
    cell = np.repeat(batch.layouts.cell_pointer[batch.layout_of], sizes) + index
    return pa.table(
        {
            "ladder_id": _LadderColumns(batch, of_snapshot).text("ladder_id"),
            "asof": timestamps(batch.asof[of_snapshot]),
            "cell_index": integers(index),
            "partition_date": days(batch.asof[of_snapshot]),
            "low_cut": numbers(batch.layouts.low_cut[cell]),
            "high_cut": numbers(batch.layouts.high_cut[cell]),
            "probability": numbers(repaired.probability),
            "probability_low": numbers(repaired.probability_low),
            "probability_high": numbers(repaired.probability_high),
            "survival": numbers(repaired.survival),
            "survival_low": numbers(repaired.survival_low),
            "survival_high": numbers(repaired.survival_high),
            "method_version": words([METHOD_VERSION], np.zeros_like(cell)),
        },
        schema=CELL_SCHEMA,
    )


def quotes_table(results: Results) -> pa.Table:
    """One row per snapshot and expected market."""
    batch, bands, repaired = results.batch, results.bands, results.repaired
    sizes = np.diff(batch.leg_pointer)
    of_snapshot = np.repeat(np.arange(sizes.size), sizes)
    period = batch.quotes["period_minutes"]
    legs = batch.legs.select(["leg_index", "ticker"]).take(pa.array(batch.leg_row))
    return pa.table(
        {
            "ladder_id": _LadderColumns(batch, of_snapshot).text("ladder_id"),
            "asof": timestamps(batch.asof[of_snapshot]),
            "leg_index": legs["leg_index"],
            "partition_date": days(batch.asof[of_snapshot]),
            "ticker": legs["ticker"],
            "quote_kind": batch.quote_kinds.take(pa.array(batch.quote_kind, mask=batch.quote_kind < 0)),
            "available_ts": timestamps(batch.available),
            "age_seconds": numbers(results.fresh.age),
            "period_minutes": pa.array(np.nan_to_num(period).astype(np.int32), mask=np.isnan(period)),
            "stale_cutoff_seconds": numbers(results.fresh.cutoff),
            "yes_bid": numbers(bands.bid),
            "yes_ask": numbers(bands.ask),
            "last_price": numbers(batch.quotes["last_price"]),
            "mid": numbers(bands.mid),
            "tight_low": numbers(repaired.value_low),
            "tight_high": numbers(repaired.value_high),
            "repaired": numbers(repaired.value),
            "moved": numbers(repaired.value - bands.mid),
            "weight": numbers(results.weight),
            "covered": pa.array(results.cover.covered),
            "method_version": words([METHOD_VERSION], np.zeros_like(of_snapshot)),
        },
        schema=QUOTE_SCHEMA,
    )


class _LadderColumns:
    """Columns of the ladders, repeated for the rows of a table."""

    def __init__(self, batch: Batch, of_snapshot: Ints | None = None) -> None:
        self._ladders = batch.ladders
        self._of = batch.ladder_of if of_snapshot is None else batch.ladder_of[of_snapshot]

    def text(self, name: str) -> pa.Array:
        return words([ladder[name] for ladder in self._ladders], self._of)

    def number(self, name: str) -> pa.Array:
        return numbers(np.array([ladder[name] for ladder in self._ladders], dtype=np.float64)[self._of])


def _moves(results: Results) -> tuple[Floats, Floats, Floats]:
    """L1, L2 and largest move of the weighted markets, per snapshot."""
    moved = np.where(results.weight > 0, np.abs(results.repaired.value - results.bands.mid), 0.0)
    begin = results.batch.leg_pointer[:-1]
    return (
        np.add.reduceat(moved, begin),
        np.sqrt(np.add.reduceat(moved**2, begin)),
        np.maximum.reduceat(moved, begin),
    )


def _quantile(results: Results, name: str) -> Floats:
    return np.asarray(results.quantile[:, list(QUANTILES).index(name)])


def _common_quote_kind(batch: Batch) -> pa.Array:
    """The kind all quotes of a snapshot share, ``several`` where they differ, NULL where there are none."""
    begin = batch.leg_pointer[:-1]
    highest = np.maximum.reduceat(batch.quote_kind, begin)
    lowest = np.minimum.reduceat(np.where(batch.quote_kind < 0, np.iinfo(np.int64).max, batch.quote_kind), begin)
    names = [*batch.quote_kinds.to_pylist(), SEVERAL]
    return words(names, np.where(highest < 0, -1, np.where(highest == lowest, highest, len(names) - 1)))
