"""Slow, obvious references for the repair: enumeration, linear programmes, optimality conditions.

Nothing here shares code or method with the kernels. A ladder is given as intervals of cells ``[first, stop)`` with
quotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog, nnls

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ladder:
    """Markets on cells: market i pays on cells ``first[i] .. stop[i] - 1``; an empty side is 0 or 1, no target NaN."""

    cells: int
    first: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    bid: Floats
    ask: Floats
    target: Floats
    weight: Floats

    @property
    def payoff(self) -> Floats:
        """Matrix from cell masses to market values."""
        cell = np.arange(self.cells)
        return ((cell >= self.first[:, None]) & (cell < self.stop[:, None])).astype(float)


def survival_by_enumeration(bid: Floats, ask: Floats, target: Floats, weight: Floats) -> Floats:
    """Best non-increasing S within ``[bid, ask]``, by trying every way to cut the strikes into blocks of one value.

    A block's value is the point of the interval its bands share that is nearest to its weighted mean.
    """
    n = target.size
    best, best_cost = np.full(n, np.nan), np.inf
    for cuts in product((False, True), repeat=n - 1):
        blocks = np.cumsum([0, *cuts])
        values = []
        for block in range(blocks[-1] + 1):
            inside = blocks == block
            low, high = bid[inside].max(), ask[inside].min()
            if low > high + 1e-15:
                break
            mean = np.average(target[inside], weights=weight[inside])
            values.append(min(max(mean, low), max(high, low)))
        else:
            curve = np.array(values)[blocks]
            if (np.diff(curve) <= 0).all():
                cost = float(weight @ (curve - target) ** 2)
                if cost < best_cost:
                    best, best_cost = curve, cost
    return best


def depth_by_programme(ladder: Ladder, fee_rate: float = 0.0) -> float:
    """Least e at which masses exist whose market values lie within ``[bid - e, ask + e]``, by linear programming.

    An empty side is no quote: it bounds nothing and is not widened.
    """
    bid = ladder.bid - fee_rate * ladder.bid * (1 - ladder.bid)
    ask = ladder.ask + fee_rate * ladder.ask * (1 - ladder.ask)
    payoff, quoted_bid, quoted_ask = ladder.payoff, ladder.bid > 0, ladder.ask < 1
    column = -np.ones((ladder.first.size, 1))
    upper = np.vstack([np.hstack([-payoff, column])[quoted_bid], np.hstack([payoff, column])[quoted_ask]])
    bound = np.concatenate([-bid[quoted_bid], ask[quoted_ask]])
    cost = np.append(np.zeros(ladder.cells), 1.0)
    total = np.append(np.ones(ladder.cells), 0.0)[None, :]
    solved = linprog(cost, A_ub=upper, b_ub=bound, A_eq=total, b_eq=[1.0], bounds=(0, None), method="highs")
    assert solved.success, solved.message
    return float(solved.x[-1])


def mean_bounds_by_programme(ladder: Ladder, depth: float, least: Floats, most: Floats) -> tuple[float, float]:
    """Least and greatest mean the bands admit, by linear programming; every cell on its lowest or highest value."""
    payoff = ladder.payoff
    upper = np.vstack([payoff, -payoff])
    # A hair of slack: at the depth itself the bands meet in a point, which rounding would miss.
    slack = 1e-13
    bound = np.concatenate([np.minimum(ladder.ask + depth, 1.0) + slack, -np.maximum(ladder.bid - depth, 0.0) + slack])
    ends = []
    for cost in (least, -most):
        solved = linprog(
            cost, A_ub=upper, b_ub=bound, A_eq=np.ones((1, ladder.cells)), b_eq=[1.0], bounds=(0, 1), method="highs"
        )
        assert solved.success, solved.message
        ends.append(abs(1.0) * solved.fun)
    return float(ends[0]), float(-ends[1])


def optimality_residual(ladder: Ladder, mass: Floats, depth: float, near: float = 1e-9) -> float:
    """How far masses are from the least-squares optimum inside the bands: the residual of its KKT conditions.

    The problem is convex, so the conditions are sufficient: masses are feasible, and the gradient is a combination of
    active constraints with the right signs (found by non-negative least squares). Weights are scaled to at most 1.

    Returns:
        The largest of constraint violation and stationarity residual.
    """
    weighted = ladder.weight > 0
    payoff = ladder.payoff
    value = payoff @ mass
    low, high = np.maximum(ladder.bid - depth, 0.0), np.minimum(ladder.ask + depth, 1.0)
    violation = max(
        float(np.max(low - value, initial=0.0)),
        float(np.max(value - high, initial=0.0)),
        float(np.max(-mass, initial=0.0)),
        abs(float(mass.sum()) - 1.0),
    )
    if not weighted.any():
        return violation
    weight = ladder.weight / ladder.weight.max()
    gradient = payoff[weighted].T @ (weight[weighted] * (value[weighted] - ladder.target[weighted]))
    ones = np.ones(ladder.cells)
    normals = [
        *(-payoff[value - low <= near]),
        *(payoff[high - value <= near]),
        *(-np.eye(ladder.cells)[mass <= near]),
        ones,
        -ones,
    ]
    _, residual = nnls(np.column_stack(normals), -gradient, maxiter=10_000)
    return max(violation, float(residual))


def ladder_of(
    cells: int, intervals: Sequence[tuple[int, int]], bid: Floats, ask: Floats, target: Floats, weight: Floats
) -> Ladder:
    """A ladder from intervals of cells."""
    edges = np.array(intervals, dtype=np.int64).reshape(-1, 2)
    return Ladder(cells, edges[:, 0], edges[:, 1], bid, ask, target, weight)
