"""Repair of a mixed ladder: any set of intervals on one line.

Arbitrage depth, the range of every value and the bounds of the mean come from the system of differences
(``differences.py``); the least-squares step inside the bands is an active-set method on the same graph. All functions
work on one ladder; ``solve`` is the whole repair.

Where the weighted markets leave a value open, it takes the middle of the range that they and the bands leave it, as
on a threshold ladder.
"""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled
from kalshi_pipeline.distributions.differences import NOISE, depth, edges, ranges

#: Slack with which solved values are held while the open ones are placed.
_HOLD = 1e-13

#: Ranges narrower than this are points.
_POINT = 1e-9

#: Forces smaller than this, of weights scaled to at most 1, are none.
_FORCE = 1e-12

#: A pivot smaller than this share of what it began as has vanished.
_VANISHED = 1e-11


@compiled
def nearest(
    first: Ints,
    stop: Ints,
    target: Floats,
    weight: Floats,
    count: int,
    tail: Ints,
    head: Ints,
    length: Floats,
    survival: Floats,
) -> bool:
    """Weighted least squares of the targets inside the system, from a feasible start, in place.

    An active-set method. An active constraint ties two nodes together, so the active ones form a forest of groups
    that move as one. A step takes the groups to their least-squares optimum or to the next constraint in the way,
    which joins the forest; at an optimum, a constraint that holds the solution back is cut. Lowest numbers first, so
    it cannot cycle.

    Args:
        first: cell at which each market begins to pay.
        stop: cell from which it no longer does.
        target: mid of each market; not read where the weight is 0.
        weight: per market, scaled to at most 1.
        count: number of edges of the system.
        tail: tails.
        head: heads.
        length: lengths, widened.
        survival: a feasible S; receives the solution.

    Returns:
        Whether it arrived within its limit of steps.
    """
    nodes = survival.size
    active = np.zeros(count, dtype=np.bool_)
    group = np.empty(nodes, dtype=np.int64)
    pull = np.empty(nodes)
    move = np.empty(nodes)
    hessian = np.empty((nodes, nodes))
    for _ in range(50 * (count + nodes)):
        join(tail, head, active, group)
        forces(first, stop, target, weight, survival, pull)
        step(first, stop, weight, group, pull, hessian, move)
        reach, blocking = 1.0, -1
        for edge in range(count):
            rise = move[head[edge]] - move[tail[edge]]
            if rise > NOISE:
                room = max(length[edge] - (survival[head[edge]] - survival[tail[edge]]), 0.0)
                if room < reach * rise:
                    reach, blocking = room / rise, edge
        for node in range(nodes):
            survival[node] += reach * move[node]
        if blocking >= 0:
            active[blocking] = True
            continue
        forces(first, stop, target, weight, survival, pull)
        held = -1
        for edge in range(count):
            if active[edge] and tension(edge, tail, head, active, pull, group) < -_FORCE:
                held = edge
                break
        if held < 0:
            return True
        active[held] = False
    return False


@compiled
def join(tail: Ints, head: Ints, active: Bools, group: Ints) -> None:
    """Label the groups of nodes that active constraints tie together; S_0 and S_n, which never move, are group 0."""
    nodes = group.size
    for node in range(nodes):
        group[node] = node
    group[nodes - 1] = 0
    for edge in range(tail.size):
        if active[edge]:
            one, other = group[tail[edge]], group[head[edge]]
            kept, dropped = min(one, other), max(one, other)
            for node in range(nodes):
                if group[node] == dropped:
                    group[node] = kept


@compiled
def forces(first: Ints, stop: Ints, target: Floats, weight: Floats, survival: Floats, pull: Floats) -> None:
    """The force of the targets on every node: minus half the gradient of the weighted squares."""
    pull[:] = 0.0
    for i in range(first.size):
        if weight[i] > 0.0:
            force = weight[i] * (target[i] - survival[first[i]] + survival[stop[i]])
            pull[first[i]] += force
            pull[stop[i]] -= force


@compiled
def step(first: Ints, stop: Ints, weight: Floats, group: Ints, pull: Floats, hessian: Floats, move: Floats) -> None:
    """The move of every node that takes the groups to their optimum; none along directions that cost nothing.

    Elimination without pivoting, which a weighted Laplacian does not need; a pivot that vanishes belongs to groups that
    are tied to nothing fixed.
    """
    nodes = group.size
    hessian[:] = 0.0
    move[:] = 0.0
    for node in range(nodes):
        move[group[node]] += pull[node]
    for i in range(first.size):
        a, b = group[first[i]], group[stop[i]]
        if weight[i] > 0.0 and a != b:
            hessian[a, a] += weight[i]
            hessian[b, b] += weight[i]
            hessian[a, b] -= weight[i]
            hessian[b, a] -= weight[i]
    for k in range(1, nodes):
        whole = 0.0
        for i in range(first.size):
            a, b = group[first[i]], group[stop[i]]
            if a != b and (a == k or b == k):
                whole += weight[i]
        if hessian[k, k] <= _VANISHED * whole:
            hessian[k, k] = 0.0
            continue
        for row in range(k + 1, nodes):
            ratio = hessian[row, k] / hessian[k, k]
            if ratio != 0.0:
                for column in range(k, nodes):
                    hessian[row, column] -= ratio * hessian[k, column]
                move[row] -= ratio * move[k]
    move[0] = 0.0
    for k in range(nodes - 1, 0, -1):
        if hessian[k, k] == 0.0:
            move[k] = 0.0
        else:
            for column in range(k + 1, nodes):
                move[k] -= hessian[k, column] * move[column]
            move[k] /= hessian[k, k]
    for node in range(nodes - 1, -1, -1):
        move[node] = move[group[node]]


@compiled
def tension(edge: int, tail: Ints, head: Ints, active: Bools, pull: Floats, group: Ints) -> float:
    """The multiplier of an active constraint: the force on what hangs on it; negative where it holds that back."""
    active[edge] = False
    join(tail, head, active, group)
    active[edge] = True
    hanging = head[edge] if group[head[edge]] != 0 else tail[edge]
    force = 0.0
    for node in range(group.size):
        if group[node] == group[hanging]:
            force += pull[node]
    return force if hanging == head[edge] else -force


@compiled
def solve(
    first: Ints,
    stop: Ints,
    lower: Floats,
    upper: Floats,
    lower_net: Floats,
    upper_net: Floats,
    target: Floats,
    weight: Floats,
    survival: Floats,
    most: Floats,
) -> tuple[float, float, bool]:
    """Repair one ladder.

    Args:
        first: cell at which each market begins to pay.
        stop: cell from which it no longer does.
        lower: bids, 0 where there is none.
        upper: asks, 1 where there is none.
        lower_net: bids less fees.
        upper_net: asks plus fees.
        target: mids; not read where the weight is 0.
        weight: per market; 0 where the market only bounds.
        survival: receives S at the edges of the cells, one more than cells.
        most: receives the sharp bounds of all differences, ``most[u, v] >= S_v - S_u``.

    Returns:
        Arbitrage depth gross and net of fees, in dollars, and whether the least-squares step arrived.
    """
    nodes = survival.size
    size = 2 * first.size + nodes + 1
    tail, head = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    length, slope = np.empty(size), np.empty(size, dtype=np.int64)
    count = edges(first, stop, lower_net, upper_net, nodes, tail, head, length, slope)
    net = depth(nodes, count, tail, head, length, slope)
    edges(first, stop, lower, upper, nodes, tail, head, length, slope)
    gross = depth(nodes, count, tail, head, length, slope)
    for edge in range(count):
        length[edge] += slope[edge] * gross
    ranges(nodes, count, tail, head, length, most)
    for node in range(nodes):
        survival[node] = 0.5 * (most[nodes - 1, node] - most[node, nodes - 1])
    heaviest = weight.max()
    if heaviest <= 0.0:
        return gross, net, True
    arrived = nearest(first, stop, target, weight / heaviest, count, tail, head, length, survival)
    _place_open(first, stop, weight, nodes, count, tail, head, length, survival)
    return gross, net, arrived


@compiled
def _place_open(
    first: Ints,
    stop: Ints,
    weight: Floats,
    nodes: int,
    count: int,
    tail: Ints,
    head: Ints,
    length: Floats,
    survival: Floats,
) -> None:
    """Put what the weighted markets leave open in the middle of its range, the weighted ones held at their values."""
    held = length.copy()
    for i in range(first.size):
        if weight[i] > 0.0:
            value = survival[first[i]] - survival[stop[i]]
            held[2 * i] = value + _HOLD
            held[2 * i + 1] = -value + _HOLD
    reach = np.empty((nodes, nodes))
    ranges(nodes, count, tail, head, held, reach)
    widest = 0.0
    for node in range(nodes):
        widest = max(widest, reach[nodes - 1, node] + reach[node, nodes - 1])
    if widest > _POINT:
        for node in range(nodes):
            survival[node] = 0.5 * (reach[nodes - 1, node] - reach[node, nodes - 1])
