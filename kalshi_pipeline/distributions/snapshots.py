"""Snapshots: from quotes as they were known to implied distributions with their gates, quality and cells.

The order of the work is here; every step is a module of its own. Arrow in, Arrow out, one batch at a time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.bands import read_bands
from kalshi_pipeline.distributions.freshness import measure_coverage, measure_freshness
from kalshi_pipeline.distributions.gates import GateInputs, evaluate_gates
from kalshi_pipeline.distributions.moments import moments, quantiles, tail_probabilities
from kalshi_pipeline.distributions.observations import Batch, read_batch
from kalshi_pipeline.distributions.publish import cells_table, distributions_table, quotes_table
from kalshi_pipeline.distributions.quality import quality
from kalshi_pipeline.distributions.repair import repair
from kalshi_pipeline.distributions.results import Results
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.tables import QUANTILES, SnapshotTables
from kalshi_pipeline.distributions.violations import violations_after, violations_before
from kalshi_pipeline.distributions.weights import repair_weights
from kalshi_pipeline.ladders.classify import CONFIDENCES

__all__ = ["SnapshotTables", "compute", "evaluate"]


def compute(
    ladders: pa.Table, legs: pa.Table, observations: pa.Table, rules: Rules | None = None, *, threads: int = 1
) -> SnapshotTables:
    """Compute implied distributions from quotes.

    Args:
        ladders: rows of ``research.ladders``.
        legs: rows of ``research.ladder_legs``.
        observations: per snapshot (``ladder_id``, ``asof``, ``snapshot_kind``) and leg (``leg_index``) the latest quote
            known by then: ``yes_bid, yes_ask, last_price`` in dollars, NULL where a side is empty, ``quote_kind,
            available_ts, period_minutes, volume, open_interest``; all NULL where there was no quote.
        rules: settings of the method; the measured ones by default.
        threads: how many may share the ladders among them.

    Returns:
        The distributions, cells and quotes, sorted by ladder and instant. The result depends neither on the order of
        the rows nor on which other snapshots are in the batch.

    Raises:
        ValueError: the tables do not fit together, or a quote was not yet known at its instant.
    """
    rules = rules or Rules()

    def one(part: pa.Table) -> SnapshotTables:
        results = evaluate(read_batch(ladders, legs, part), rules)
        return SnapshotTables(distributions_table(results, rules), cells_table(results), quotes_table(results))

    parts = _shares(observations, threads)
    if len(parts) == 1:
        return one(observations)
    # Kernels and Arrow let go of the interpreter while they compute.
    with ThreadPoolExecutor(len(parts)) as pool:
        return SnapshotTables(*map(pa.concat_tables, zip(*pool.map(one, parts), strict=True)))


def _shares(observations: pa.Table, threads: int) -> list[pa.Table]:
    """About equal shares of observations, each with whole ladders; a single one where they are not sorted by ladder."""
    names, rows = observations["ladder_id"].combine_chunks(), observations.num_rows
    if threads == 1 or rows < threads or not pc.all(pc.less_equal(names[:-1], names[1:])).as_py():
        return [observations]
    firsts = {pc.index(names, names[rows * share // threads]).as_py() for share in range(threads)}
    return [observations.slice(begin, end - begin) for begin, end in pairwise([*sorted(firsts), rows])]


def evaluate(batch: Batch, rules: Rules) -> Results:
    """The whole method, on arrays: bands, freshness, repair, gates, quality, moments, quantiles and tails."""
    layouts, layout_of = batch.layouts, batch.layout_of
    bands = read_bands(batch.quotes["yes_bid"], batch.quotes["yes_ask"], batch.quotes["last_price"])
    fresh = measure_freshness(batch, rules)
    cover = measure_coverage(batch, bands, fresh, rules)

    weight = repair_weights(bands, fresh.age, fresh.cutoff, rules)
    multiplier = np.array([ladder["fee_multiplier"] for ladder in batch.ladders], dtype=np.float64)
    rate = rules.fee_rate * multiplier[batch.ladder_of]
    repaired = repair(layouts, layout_of, batch.leg_pointer, batch.cell_pointer, bands, weight, rate)
    before, magnitude, delta = violations_before(layouts, layout_of, batch.leg_pointer, bands)

    reasons = evaluate_gates(
        GateInputs(
            coverage=cover.share,
            median_age=fresh.median_age,
            cutoff=fresh.snapshot_cutoff,
            median_spread=cover.median_spread,
            depth_net=repaired.net,
            direction_resolved=layouts.confidence[layout_of] != CONFIDENCES.index("low"),
            live_markets=cover.live,
            converged=repaired.arrived,
        ),
        rules,
    )
    quantile, edge = quantiles(
        layouts, layout_of, batch.cell_pointer, repaired.probability, np.array(list(QUANTILES.values()))
    )
    return Results(
        batch=batch,
        bands=bands,
        fresh=fresh,
        cover=cover,
        weight=weight,
        repaired=repaired,
        violations_before=before,
        violations_after=violations_after(batch.cell_pointer, repaired.probability, repaired.survival),
        magnitude=magnitude,
        delta=delta,
        reasons=reasons,
        quality=quality(
            cover.share,
            cover.median_relative_spread,
            fresh.median_age,
            fresh.liquidity,
            magnitude + delta,
            rules,
        ),
        moments=moments(
            layouts,
            layout_of,
            batch.cell_pointer,
            repaired.probability,
            repaired.survival_low,
            repaired.survival_high,
        ),
        quantile=quantile,
        edge=edge,
        tails=tail_probabilities(layouts, layout_of, batch.cell_pointer, repaired.probability, repaired.survival),
    )
