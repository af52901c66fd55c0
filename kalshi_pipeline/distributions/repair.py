"""The repair of a batch of snapshots: quotes of legs in, arbitrage-free masses of cells out.

Only the traffic between flat arrays and the solvers is here; each kind of ladder is solved in a module of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions import bucket, mixed, threshold
from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled
from kalshi_pipeline.distributions.layout import BUCKET, THRESHOLD, Layouts


class Repaired(NamedTuple):
    """Repaired ladders. All bounds are sharp given the bands, widened by the arbitrage depth.

    Per cell (flat): ``probability`` and its bounds, ``survival`` at the lower edge and its bounds. Per leg (flat):
    ``value`` and its bounds, in the market's own YES terms. Per snapshot: arbitrage depth ``gross`` and ``net`` of fees
    in dollars, and whether the solver ``arrived``.
    """

    probability: Floats
    probability_low: Floats
    probability_high: Floats
    survival: Floats
    survival_low: Floats
    survival_high: Floats
    value: Floats
    value_low: Floats
    value_high: Floats
    gross: Floats
    net: Floats
    arrived: Bools


class Legs(NamedTuple):
    """Legs of all layouts (``first`` cell each pays on, cell it ``stop``s before) and quotes of all legs, flat.

    ``no_bid`` says which legs have no bid.
    """

    first: Ints
    stop: Ints
    lower: Floats
    upper: Floats
    target: Floats
    weight: Floats
    no_bid: Bools


class Place(NamedTuple):
    """Where one snapshot stands in the flat arrays."""

    layout: int
    leg: int
    legs: int
    cell: int
    cells: int


class Scratch(NamedTuple):
    """Working memory as wide as the widest ladder, made once per batch."""

    lower: Floats
    upper: Floats
    target: Floats
    weight: Floats
    value: Floats
    role: Ints
    block: Floats
    span: Ints
    points: Floats


def repair(
    layouts: Layouts, layout_of: Ints, leg_pointer: Ints, cell_pointer: Ints, bands: Bands, weight: Floats, rate: Floats
) -> Repaired:
    """Repair a batch.

    Args:
        layouts: the ladders.
        layout_of: which of them each snapshot is of.
        leg_pointer: where each snapshot's legs begin.
        cell_pointer: where each snapshot's cells begin.
        bands: quotes, per leg.
        weight: weights, per leg.
        rate: fee rate, per snapshot.
    """
    cells, legs, snapshots = int(cell_pointer[-1]), int(leg_pointer[-1]), layout_of.size
    out = Repaired(
        probability=np.empty(cells),
        probability_low=np.empty(cells),
        probability_high=np.empty(cells),
        survival=np.empty(cells),
        survival_low=np.empty(cells),
        survival_high=np.empty(cells),
        value=np.empty(legs),
        value_low=np.empty(legs),
        value_high=np.empty(legs),
        gross=np.empty(snapshots),
        net=np.empty(snapshots),
        arrived=np.ones(snapshots, dtype=np.bool_),
    )
    widest = max(int(np.diff(layouts.cell_pointer).max(initial=2)), int(np.diff(layouts.leg_pointer).max(initial=2)))
    scratch = Scratch(
        lower=np.empty(widest),
        upper=np.empty(widest),
        target=np.empty(widest),
        weight=np.empty(widest),
        value=np.empty(widest),
        role=np.empty(widest, dtype=np.int64),
        block=np.empty((3, widest)),
        span=np.empty((2, widest), dtype=np.int64),
        points=np.empty(2 * widest),
    )
    quotes = Legs(layouts.first, layouts.stop, bands.lower, bands.upper, bands.mid, weight, np.isnan(bands.bid))
    _repair(layouts.kind, layouts.leg_pointer, layout_of, leg_pointer, cell_pointer, quotes, rate, scratch, out)
    return out


@compiled
def _repair(
    kinds: Ints,
    layout_legs: Ints,
    layout_of: Ints,
    leg_pointer: Ints,
    cell_pointer: Ints,
    legs: Legs,
    rate: Floats,
    scratch: Scratch,
    out: Repaired,
) -> None:
    for s in range(layout_of.size):
        leg, cell = leg_pointer[s], cell_pointer[s]
        at = Place(layout_legs[layout_of[s]], leg, leg_pointer[s + 1] - leg, cell, cell_pointer[s + 1] - cell)
        kind = kinds[layout_of[s]]
        if kind == THRESHOLD:
            out.gross[s], out.net[s] = repair_threshold(at, legs, rate[s], scratch, out)
        elif kind == BUCKET:
            out.gross[s], out.net[s] = repair_bucket(at, legs, rate[s], scratch, out)
        else:
            out.gross[s], out.net[s], out.arrived[s] = repair_mixed(at, legs, rate[s], out)
    enclose(out.probability, out.probability_low, out.probability_high)
    enclose(out.survival, out.survival_low, out.survival_high)
    enclose(out.value, out.value_low, out.value_high)


@compiled
def repair_threshold(at: Place, legs: Legs, rate: float, scratch: Scratch, out: Repaired) -> tuple[float, float]:
    """Repair a ladder of half-lines, each with an edge of its own: leg and edge between cells correspond."""
    lower, upper, target, weight = scratch.lower, scratch.upper, scratch.target, scratch.weight
    strikes = at.cells - 1
    for i in range(at.legs):
        leg = at.leg + i
        if legs.stop[at.layout + i] == at.cells:
            strike = legs.first[at.layout + i] - 1
            lower[strike], upper[strike], target[strike] = legs.lower[leg], legs.upper[leg], legs.target[leg]
        else:
            strike = legs.stop[at.layout + i] - 1
            lower[strike], upper[strike] = complement(legs.upper[leg]), complement(legs.lower[leg])
            target[strike] = complement(legs.target[leg])
        weight[strike] = legs.weight[leg]
    gross, net = threshold.solve(
        strikes, lower, upper, target, weight, rate, scratch.value, scratch.block, scratch.span
    )
    before, before_low, before_high = 1.0, 1.0, 1.0
    for i in range(at.cells):
        cell = at.cell + i
        after, after_low, after_high = 0.0, 0.0, 0.0
        if i < strikes:
            after, after_low, after_high = scratch.value[i], lower[i], upper[i]
        out.survival[cell], out.survival_low[cell], out.survival_high[cell] = before, before_low, before_high
        out.probability[cell] = before - after
        out.probability_low[cell], out.probability_high[cell] = before_low - after_high, before_high - after_low
        before, before_low, before_high = after, after_low, after_high
    for i in range(at.legs):
        leg = at.leg + i
        if legs.stop[at.layout + i] == at.cells:
            strike = legs.first[at.layout + i] - 1
            out.value[leg], out.value_low[leg], out.value_high[leg] = (
                scratch.value[strike],
                lower[strike],
                upper[strike],
            )
        else:
            strike = legs.stop[at.layout + i] - 1
            out.value[leg] = 1.0 - scratch.value[strike]
            out.value_low[leg], out.value_high[leg] = 1.0 - upper[strike], 1.0 - lower[strike]
    return gross, net


@compiled
def repair_bucket(at: Place, legs: Legs, rate: float, scratch: Scratch, out: Repaired) -> tuple[float, float]:
    """Repair a ladder of disjoint intervals: each leg is one cell; cells without a leg are free."""
    lower, upper, target, weight = scratch.lower, scratch.upper, scratch.target, scratch.weight
    for i in range(at.cells):
        lower[i], upper[i], weight[i], scratch.role[i] = 0.0, 1.0, 0.0, bucket.FREE
    for i in range(at.legs):
        leg, cell = at.leg + i, legs.first[at.layout + i]
        lower[cell], upper[cell] = legs.lower[leg], legs.upper[leg]
        target[cell], weight[cell] = legs.target[leg], legs.weight[leg]
        if legs.weight[leg] > 0.0:
            scratch.role[cell] = bucket.WEIGHTED
        elif legs.no_bid[leg]:
            scratch.role[cell] = bucket.BOUND
    gross, net = bucket.solve(at.cells, lower, upper, target, weight, scratch.role, rate, scratch.value, scratch.points)
    low, high = scratch.block[0], scratch.block[1]
    bucket.survival_bounds(at.cells, lower, upper, low, high)
    above = 0.0
    for i in range(at.cells - 1, -1, -1):
        above += scratch.value[i]
        out.survival[at.cell + i] = above if i > 0 else 1.0
        out.survival_low[at.cell + i], out.survival_high[at.cell + i] = low[i], high[i]
    bucket.mass_bounds(at.cells, lower, upper, low, high)
    for i in range(at.cells):
        out.probability[at.cell + i] = scratch.value[i]
        out.probability_low[at.cell + i], out.probability_high[at.cell + i] = low[i], high[i]
    for i in range(at.legs):
        leg, cell = at.leg + i, legs.first[at.layout + i]
        out.value[leg], out.value_low[leg], out.value_high[leg] = scratch.value[cell], low[cell], high[cell]
    return gross, net


@compiled
def repair_mixed(at: Place, legs: Legs, rate: float, out: Repaired) -> tuple[float, float, bool]:
    """Repair any other ladder."""
    first, stop = legs.first[at.layout : at.layout + at.legs], legs.stop[at.layout : at.layout + at.legs]
    lower, upper = legs.lower[at.leg : at.leg + at.legs], legs.upper[at.leg : at.leg + at.legs]
    target, weight = legs.target[at.leg : at.leg + at.legs], legs.weight[at.leg : at.leg + at.legs]
    edges, most = np.empty(at.cells + 1), np.empty((at.cells + 1, at.cells + 1))
    lower_net, upper_net = np.empty(at.legs), np.empty(at.legs)
    for i in range(at.legs):
        lower_net[i] = lower[i] - threshold.fee(lower[i], rate)
        upper_net[i] = upper[i] + threshold.fee(upper[i], rate)
    gross, net, arrived = mixed.solve(first, stop, lower, upper, lower_net, upper_net, target, weight, edges, most)
    edges[0], edges[at.cells] = 1.0, 0.0
    for i in range(at.cells):
        cell = at.cell + i
        # The solver keeps the curve from rising up to rounding; here it does not rise at all.
        edges[i + 1] = min(max(edges[i + 1], 0.0), edges[i])
        out.probability[cell] = edges[i] - edges[i + 1]
        out.probability_low[cell], out.probability_high[cell] = -most[i, i + 1], most[i + 1, i]
        out.survival[cell] = edges[i]
        out.survival_low[cell], out.survival_high[cell] = -most[i, at.cells], most[at.cells, i]
    for i in range(at.legs):
        a, b = first[i], stop[i]
        out.value[at.leg + i] = edges[a] - edges[b]
        out.value_low[at.leg + i], out.value_high[at.leg + i] = -most[a, b], most[b, a]
    return gross, net, arrived


@compiled
def complement(price: float) -> float:
    """``1 - price`` as the nearest decimal, so that a price read from either side is the same number."""
    return float(np.rint((1.0 - price) * 1e10) / 1e10)


@compiled
def enclose(value: Floats, low: Floats, high: Floats) -> None:
    """Let bounds enclose their value and stay within [0, 1], where rounding says otherwise."""
    for i in range(value.size):
        value[i] = min(max(value[i], 0.0), 1.0)
        low[i] = min(max(low[i], 0.0), value[i])
        high[i] = max(min(high[i], 1.0), value[i])
