"""The repair of a batch of snapshots: quotes of legs in, arbitrage-free masses of cells out.

Only the traffic between flat arrays and the solvers is here; each kind of ladder is solved in its own module.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions import bucket, mixed, threshold
from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled
from kalshi_pipeline.distributions.layout import BUCKET, THRESHOLD, Layouts


class Repaired(NamedTuple):
    """Repaired ladders. Bounds are sharp given the bands, widened by the arbitrage depth.

    Per cell (flat): ``probability``, its bounds, ``survival`` at the lower edge, its bounds. Per leg (flat): ``value``
    and its bounds, in the market's own YES terms. Per snapshot: arbitrage depth ``gross`` and ``net`` of fees in dollars,
    and whether the solver ``arrived``.
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
        *(np.empty(cells) for _ in range(6)),
        *(np.empty(legs) for _ in range(3)),
        *(np.empty(snapshots) for _ in range(2)),
        arrived=np.ones(snapshots, dtype=np.bool_),
    )
    bounds_only = np.isnan(bands.bid) & ~np.isnan(bands.ask)
    _repair(
        layouts.kind,
        layouts.leg_pointer,
        layouts.first,
        layouts.stop,
        layout_of,
        leg_pointer,
        cell_pointer,
        bands.lower,
        bands.upper,
        bands.mid,
        weight,
        bounds_only,
        rate,
        *out,
    )
    return out


@compiled
def complement(price: float) -> float:
    """``1 - price`` as the nearest decimal, so that a price read from either side is the same number."""
    return float(np.rint((1.0 - price) * 1e10) / 1e10)


@compiled
def _repair(
    kinds: Ints,
    layout_legs: Ints,
    first: Ints,
    stop: Ints,
    layout_of: Ints,
    leg_pointer: Ints,
    cell_pointer: Ints,
    lower: Floats,
    upper: Floats,
    target: Floats,
    weight: Floats,
    bounds_only: Bools,
    rate: Floats,
    probability: Floats,
    probability_low: Floats,
    probability_high: Floats,
    survival: Floats,
    survival_low: Floats,
    survival_high: Floats,
    value: Floats,
    value_low: Floats,
    value_high: Floats,
    gross: Floats,
    net: Floats,
    arrived: Bools,
) -> None:
    widest = 2
    for s in range(layout_of.size):
        widest = max(widest, cell_pointer[s + 1] - cell_pointer[s], leg_pointer[s + 1] - leg_pointer[s])
    low, high, aim, heavy = np.empty(widest), np.empty(widest), np.empty(widest), np.empty(widest)
    block, span = np.empty((3, widest)), np.empty((2, widest), dtype=np.int64)
    role, scratch = np.empty(widest, dtype=np.int64), np.empty(2 * widest)
    for s in range(layout_of.size):
        legs = slice(leg_pointer[s], leg_pointer[s + 1])
        cells = slice(cell_pointer[s], cell_pointer[s + 1])
        n = cell_pointer[s + 1] - cell_pointer[s]
        begin = layout_legs[layout_of[s]]
        count = leg_pointer[s + 1] - leg_pointer[s]
        starts, stops = first[begin : begin + count], stop[begin : begin + count]
        q, q_low, q_high = probability[cells], probability_low[cells], probability_high[cells]
        surv, surv_low, surv_high = survival[cells], survival_low[cells], survival_high[cells]
        val, val_low, val_high = value[legs], value_low[legs], value_high[legs]
        kind = kinds[layout_of[s]]
        if kind == THRESHOLD:
            for i in range(count):
                leg = leg_pointer[s] + i
                if stops[i] == n:
                    at = starts[i] - 1
                    low[at], high[at], aim[at] = lower[leg], upper[leg], target[leg]
                else:
                    at = stops[i] - 1
                    low[at], high[at] = complement(upper[leg]), complement(lower[leg])
                    aim[at] = complement(target[leg])
                heavy[at] = weight[leg]
            m = n - 1
            gross[s], net[s] = threshold.solve(
                low[:m], high[:m], aim[:m], heavy[:m], rate[s], surv[1:], block[:, :m], span[:, :m]
            )
            surv[0] = surv_low[0] = surv_high[0] = 1.0
            surv_low[1:] = low[:m]
            surv_high[1:] = high[:m]
            for i in range(n):
                after, after_low, after_high = 0.0, 0.0, 0.0
                if i + 1 < n:
                    after, after_low, after_high = surv[i + 1], surv_low[i + 1], surv_high[i + 1]
                q[i] = surv[i] - after
                q_low[i] = max(surv_low[i] - after_high, 0.0)
                q_high[i] = surv_high[i] - after_low
            for i in range(count):
                if stops[i] == n:
                    at = starts[i]
                    val[i], val_low[i], val_high[i] = surv[at], surv_low[at], surv_high[at]
                else:
                    at = stops[i]
                    val[i], val_low[i], val_high[i] = 1.0 - surv[at], 1.0 - surv_high[at], 1.0 - surv_low[at]
        elif kind == BUCKET:
            low[:n], high[:n], heavy[:n], role[:n] = 0.0, 1.0, 0.0, bucket.FREE
            for i in range(count):
                leg, at = leg_pointer[s] + i, starts[i]
                low[at], high[at], aim[at], heavy[at] = lower[leg], upper[leg], target[leg], weight[leg]
                if weight[leg] > 0.0:
                    role[at] = bucket.WEIGHTED
                elif bounds_only[leg]:
                    role[at] = bucket.BOUND
            gross[s], net[s] = bucket.solve(low[:n], high[:n], aim[:n], heavy[:n], role[:n], rate[s], q, scratch)
            bucket.mass_bounds(low[:n], high[:n], q_low, q_high)
            bucket.survival_bounds(low[:n], high[:n], surv_low, surv_high)
            above = 0.0
            for i in range(n - 1, -1, -1):
                above += q[i]
                surv[i] = min(above, 1.0)
            surv[0] = 1.0
            for i in range(count):
                at = starts[i]
                val[i], val_low[i], val_high[i] = q[at], q_low[at], q_high[at]
        else:
            edges = np.empty(n + 1)
            most = np.empty((n + 1, n + 1))
            lower_net, upper_net = np.empty(count), np.empty(count)
            for i in range(count):
                bid, ask = lower[leg_pointer[s] + i], upper[leg_pointer[s] + i]
                lower_net[i] = bid - threshold.fee(bid, rate[s])
                upper_net[i] = ask + threshold.fee(ask, rate[s])
            gross[s], net[s], arrived[s] = mixed.solve(
                starts, stops, lower[legs], upper[legs], lower_net, upper_net, target[legs], weight[legs], edges, most
            )
            edges[0], edges[n] = 1.0, 0.0
            for i in range(n):
                edges[i + 1] = min(max(edges[i + 1], 0.0), edges[i])
                q[i] = edges[i] - edges[i + 1]
                q_low[i], q_high[i] = -most[i, i + 1], most[i + 1, i]
                surv[i], surv_low[i], surv_high[i] = edges[i], -most[i, n], most[n, i]
            for i in range(count):
                a, b = starts[i], stops[i]
                val[i], val_low[i], val_high[i] = edges[a] - edges[b], -most[a, b], most[b, a]
        enclose(q, q_low, q_high)
        enclose(surv, surv_low, surv_high)
        enclose(val, val_low, val_high)


@compiled
def enclose(value: Floats, low: Floats, high: Floats) -> None:
    """Let bounds enclose their value and stay within [0, 1], where rounding says otherwise."""
    for i in range(value.size):
        value[i] = min(max(value[i], 0.0), 1.0)
        low[i] = min(max(low[i], 0.0), value[i])
        high[i] = max(min(high[i], 1.0), value[i])
