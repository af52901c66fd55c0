"""The repair of a batch of snapshots: quotes of legs in, arbitrage-free masses of cells out.

Only the traffic between flat arrays and the solvers is here; each kind of ladder is solved in a module of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions import bucket, mixed, threshold
from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled, index
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

    ``bid`` is NaN where there is none, ``lower`` 0.
    """

    first: Ints
    stop: Ints
    lower: Floats
    upper: Floats
    target: Floats
    weight: Floats
    bid: Floats


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
    low: Floats
    high: Floats
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
    per_cell, per_leg, per_snapshot = np.empty((6, cells)), np.empty((3, legs)), np.empty((2, snapshots))
    out = Repaired._make((*per_cell, *per_leg, *per_snapshot, np.ones(snapshots, dtype=np.bool_)))
    widest = max(int(np.diff(layouts.cell_pointer).max(initial=2)), int(np.diff(layouts.leg_pointer).max(initial=2)))
    scratch = Scratch(
        lower=np.empty(widest),
        upper=np.empty(widest),
        target=np.empty(widest),
        weight=np.empty(widest),
        value=np.empty(widest),
        role=np.empty(widest, dtype=np.int64),
        low=np.empty(widest),
        high=np.empty(widest),
        points=np.empty(2 * widest),
    )
    quotes = Legs(layouts.first, layouts.stop, bands.lower, bands.upper, bands.mid, weight, bands.bid)
    places = Places(
        layouts.leg_pointer[layout_of], leg_pointer[:-1], np.diff(leg_pointer), cell_pointer[:-1], np.diff(cell_pointer)
    )
    kind = layouts.kind[layout_of]
    # A kind that does not occur is not compiled either.
    if (which := np.flatnonzero(kind == THRESHOLD)).size:
        _repair_thresholds(
            which, places, quotes, _legs_by_strike(layouts), rate, scratch, threshold.blocks_for(widest), out
        )
    if (which := np.flatnonzero(kind == BUCKET)).size:
        _repair_buckets(which, places, quotes, rate, scratch, out)
    if (which := np.flatnonzero(kind == MIXED)).size:
        _repair_mixed(which, places, quotes, rate, out)
    return out


def _legs_by_strike(layouts: Layouts) -> Ints:
    """The legs of each layout by the edge of their half-line, as places within the layout; flat like the legs."""
    sizes = np.diff(layouts.leg_pointer)
    layout = np.repeat(np.arange(sizes.size), sizes)
    upward = layouts.stop == np.diff(layouts.cell_pointer)[layout]
    edge = np.where(upward, layouts.first, layouts.stop)
    return np.lexsort((edge, layout)) - layouts.leg_pointer[layout]


@compiled
def _repair_thresholds(
    which: Ints,
    places: Places,
    legs: Legs,
    by_strike: Ints,
    rate: Floats,
    scratch: Scratch,
    blocks: threshold.Blocks,
    out: Repaired,
) -> None:
    """Repair ladders of half-lines, each with an edge of its own: leg and edge between cells correspond.

    What is written needs no enclosing: the solver's curve lies in its bands and falls, bit for bit.
    """
    lower, upper, target, weight, curve = scratch.lower, scratch.upper, scratch.target, scratch.weight, scratch.value
    for s in which:
        base, first_leg, first_cell = index(places.layout[s]), index(places.leg[s]), index(places.cell[s])
        cells = places.cells[s]
        strikes = cells - 1
        for strike in range(strikes):
            place = index(by_strike[base + index(strike)])
            leg = first_leg + place
            if legs.stop[base + place] == cells:
                lower[strike], upper[strike], target[strike] = legs.lower[leg], legs.upper[leg], legs.target[leg]
            else:
                lower[strike], upper[strike] = complement(legs.upper[leg]), complement(legs.lower[leg])
                target[strike] = complement(legs.target[leg])
            weight[strike] = legs.weight[leg]
        out.gross[s], out.net[s] = threshold.solve(strikes, lower, upper, target, weight, rate[s], curve, blocks)
        before, before_low, before_high = 1.0, 1.0, 1.0
        for i in range(cells):
            cell = first_cell + index(i)
            out.survival[cell], out.survival_low[cell], out.survival_high[cell] = before, before_low, before_high
            after, after_low, after_high = 0.0, 0.0, 0.0
            if i < strikes:
                after, after_low, after_high = curve[i], lower[i], upper[i]
                place = index(by_strike[base + index(i)])
                leg = first_leg + place
                if legs.stop[base + place] == cells:
                    out.value[leg], out.value_low[leg], out.value_high[leg] = after, after_low, after_high
                else:
                    out.value[leg] = 1.0 - after
                    out.value_low[leg], out.value_high[leg] = 1.0 - after_high, 1.0 - after_low
            mass = before - after
            out.probability[cell] = mass
            out.probability_low[cell] = min(max(before_low - after_high, 0.0), mass)
            out.probability_high[cell] = max(min(before_high - after_low, 1.0), mass)
            before, before_low, before_high = after, after_low, after_high


@compiled
def _repair_buckets(which: Ints, places: Places, legs: Legs, rate: Floats, scratch: Scratch, out: Repaired) -> None:
    """Repair ladders of disjoint intervals: each leg is one cell; cells without a leg are free."""
    lower, upper, target, weight, mass = scratch.lower, scratch.upper, scratch.target, scratch.weight, scratch.value
    low, high, role = scratch.low, scratch.high, scratch.role
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
            elif np.isnan(legs.bid[leg]):
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
        enclose(places, s, out)


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
        enclose(places, s, out)


@compiled
def complement(price: float) -> float:
    """``1 - price`` as the nearest decimal, so that a price read from either side is the same number."""
    return float(np.rint((1.0 - price) * 1e10) / 1e10)


@compiled
def enclose(places: Places, snapshot: int, out: Repaired) -> None:
    """Let the bounds of a snapshot enclose their values and stay within [0, 1], where rounding says otherwise."""
    first, stop = places.cell[snapshot], places.cell[snapshot] + places.cells[snapshot]
    _enclose(first, stop, out.probability, out.probability_low, out.probability_high)
    _enclose(first, stop, out.survival, out.survival_low, out.survival_high)
    first, stop = places.leg[snapshot], places.leg[snapshot] + places.legs[snapshot]
    _enclose(first, stop, out.value, out.value_low, out.value_high)


@compiled
def _enclose(first: int, stop: int, value: Floats, low: Floats, high: Floats) -> None:
    for i in range(first, stop):
        value[i] = min(max(value[i], 0.0), 1.0)
        low[i] = min(max(low[i], 0.0), value[i])
        high[i] = max(min(high[i], 1.0), value[i])
