"""The repair of a batch of snapshots: quotes of legs in, arbitrage-free masses of cells out.

Only the traffic between flat arrays and the solvers is here; each kind of ladder is solved in a module of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions import bucket, mixed, threshold
from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled
from kalshi_pipeline.distributions.layout import BUCKET, MIXED, THRESHOLD, Layouts


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


class Places(NamedTuple):
    """Where snapshots stand in the flat arrays: first leg of the layout, first leg and their number, first cell and
    their number; one element per snapshot.
    """

    layout: Ints
    leg: Ints
    legs: Ints
    cell: Ints
    cells: Ints


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
    places = Places(
        layouts.leg_pointer[layout_of], leg_pointer[:-1], np.diff(leg_pointer), cell_pointer[:-1], np.diff(cell_pointer)
    )
    kind = layouts.kind[layout_of]
    # A kind that does not occur is not compiled either.
    if (which := np.flatnonzero(kind == THRESHOLD)).size:
        _repair_thresholds(which, places, quotes, rate, scratch, out)
    if (which := np.flatnonzero(kind == BUCKET)).size:
        _repair_buckets(which, places, quotes, rate, scratch, out)
    if (which := np.flatnonzero(kind == MIXED)).size:
        _repair_mixed(which, places, quotes, rate, out)
    enclose(out.probability, out.probability_low, out.probability_high)
    enclose(out.survival, out.survival_low, out.survival_high)
    enclose(out.value, out.value_low, out.value_high)
    return out


@compiled
def _repair_thresholds(which: Ints, places: Places, legs: Legs, rate: Floats, scratch: Scratch, out: Repaired) -> None:
    """Repair ladders of half-lines, each with an edge of its own: leg and edge between cells correspond."""
    lower, upper, target, weight, curve = scratch.lower, scratch.upper, scratch.target, scratch.weight, scratch.value
    for s in which:
        base, first_leg, cells = places.layout[s], places.leg[s], places.cells[s]
        strikes = cells - 1
        for i in range(places.legs[s]):
            leg = first_leg + i
            if legs.stop[base + i] == cells:
                strike = legs.first[base + i] - 1
                lower[strike], upper[strike], target[strike] = legs.lower[leg], legs.upper[leg], legs.target[leg]
            else:
                strike = legs.stop[base + i] - 1
                lower[strike], upper[strike] = complement(legs.upper[leg]), complement(legs.lower[leg])
                target[strike] = complement(legs.target[leg])
            weight[strike] = legs.weight[leg]
        out.gross[s], out.net[s] = threshold.solve(
            strikes, lower, upper, target, weight, rate[s], curve, scratch.block, scratch.span
        )
        before, before_low, before_high = 1.0, 1.0, 1.0
        for i in range(cells):
            cell = places.cell[s] + i
            after, after_low, after_high = 0.0, 0.0, 0.0
            if i < strikes:
                after, after_low, after_high = curve[i], lower[i], upper[i]
            out.survival[cell], out.survival_low[cell], out.survival_high[cell] = before, before_low, before_high
            out.probability[cell] = before - after
            out.probability_low[cell], out.probability_high[cell] = before_low - after_high, before_high - after_low
            before, before_low, before_high = after, after_low, after_high
        for i in range(places.legs[s]):
            leg = first_leg + i
            if legs.stop[base + i] == cells:
                strike = legs.first[base + i] - 1
                out.value[leg], out.value_low[leg], out.value_high[leg] = curve[strike], lower[strike], upper[strike]
            else:
                strike = legs.stop[base + i] - 1
                out.value[leg] = 1.0 - curve[strike]
                out.value_low[leg], out.value_high[leg] = 1.0 - upper[strike], 1.0 - lower[strike]


@compiled
def _repair_buckets(which: Ints, places: Places, legs: Legs, rate: Floats, scratch: Scratch, out: Repaired) -> None:
    """Repair ladders of disjoint intervals: each leg is one cell; cells without a leg are free."""
    lower, upper, target, weight, mass = scratch.lower, scratch.upper, scratch.target, scratch.weight, scratch.value
    low, high, role = scratch.block[0], scratch.block[1], scratch.role
    for s in which:
        base, first_leg, first_cell, cells = places.layout[s], places.leg[s], places.cell[s], places.cells[s]
        for i in range(cells):
            lower[i], upper[i], weight[i], role[i] = 0.0, 1.0, 0.0, bucket.FREE
        for i in range(places.legs[s]):
            leg, at = first_leg + i, legs.first[base + i]
            lower[at], upper[at], target[at], weight[at] = (
                legs.lower[leg],
                legs.upper[leg],
                legs.target[leg],
                legs.weight[leg],
            )
            if legs.weight[leg] > 0.0:
                role[at] = bucket.WEIGHTED
            elif legs.no_bid[leg]:
                role[at] = bucket.BOUND
        out.gross[s], out.net[s] = bucket.solve(
            cells, lower, upper, target, weight, role, rate[s], mass, scratch.points
        )
        bucket.survival_bounds(cells, lower, upper, low, high)
        above = 0.0
        for i in range(cells - 1, -1, -1):
            above += mass[i]
            cell = first_cell + i
            out.survival[cell] = above if i > 0 else 1.0
            out.survival_low[cell], out.survival_high[cell] = low[i], high[i]
        bucket.mass_bounds(cells, lower, upper, low, high)
        for i in range(cells):
            cell = first_cell + i
            out.probability[cell], out.probability_low[cell], out.probability_high[cell] = mass[i], low[i], high[i]
        for i in range(places.legs[s]):
            leg, at = first_leg + i, legs.first[base + i]
            out.value[leg], out.value_low[leg], out.value_high[leg] = mass[at], low[at], high[at]


@compiled
def _repair_mixed(which: Ints, places: Places, legs: Legs, rate: Floats, out: Repaired) -> None:
    """Repair all other ladders."""
    for s in which:
        base, cells = places.layout[s], places.cells[s]
        here = slice(places.leg[s], places.leg[s] + places.legs[s])
        first, stop = legs.first[base : base + places.legs[s]], legs.stop[base : base + places.legs[s]]
        lower, upper = legs.lower[here], legs.upper[here]
        lower_net, upper_net = np.empty(lower.size), np.empty(lower.size)
        for i in range(lower.size):
            lower_net[i] = lower[i] - threshold.fee(lower[i], rate[s])
            upper_net[i] = upper[i] + threshold.fee(upper[i], rate[s])
        curve, most = np.empty(cells + 1), np.empty((cells + 1, cells + 1))
        out.gross[s], out.net[s], out.arrived[s] = mixed.solve(
            first, stop, lower, upper, lower_net, upper_net, legs.target[here], legs.weight[here], curve, most
        )
        curve[0], curve[cells] = 1.0, 0.0
        for i in range(cells):
            cell = places.cell[s] + i
            # The solver keeps the curve from rising up to rounding; here it does not rise at all.
            curve[i + 1] = min(max(curve[i + 1], 0.0), curve[i])
            out.probability[cell] = curve[i] - curve[i + 1]
            out.probability_low[cell], out.probability_high[cell] = -most[i, i + 1], most[i + 1, i]
            out.survival[cell] = curve[i]
            out.survival_low[cell], out.survival_high[cell] = -most[i, cells], most[cells, i]
        for i in range(lower.size):
            a, b, leg = first[i], stop[i], places.leg[s] + i
            out.value[leg] = curve[a] - curve[b]
            out.value_low[leg], out.value_high[leg] = -most[a, b], most[b, a]


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
