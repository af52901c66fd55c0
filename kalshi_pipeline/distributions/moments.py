"""Mean, variance, skewness, kurtosis, entropy, quantiles and tail probabilities of masses on cells.

On a grid the mass of a cell lies evenly on its grid points; without one, evenly on its width. This adds the variance
inside the cells; it is not Sheppard's correction, which subtracts it. How the mass of an open cell lies is in
``tails.py``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled
from kalshi_pipeline.distributions.layout import Layouts
from kalshi_pipeline.distributions.segments import pointer_of

#: A cumulated probability this close to a quantile's level reaches it: rounding.
_REACHED = 1e-12


class Moments(NamedTuple):
    """Moments of a batch, one element per snapshot; NaN where undefined.

    Attributes:
        mean: in the unit of the ladder.
        variance: in its square.
        skew: third standardised moment; NaN where the variance is 0.
        excess_kurtosis: fourth standardised moment less 3; NaN where the variance is 0.
        entropy: of the cell masses, in nats.
        entropy_atoms: of the masses on the grid's atoms, in nats; NaN without a grid.
        mass_below: mass of the cell open below.
        mass_above: mass of the cell open above.
        mean_low: least mean that the bands admit; NaN where nothing caps it.
        mean_high: greatest mean that the bands admit; NaN where nothing caps it.
    """

    mean: Floats
    variance: Floats
    skew: Floats
    excess_kurtosis: Floats
    entropy: Floats
    entropy_atoms: Floats
    mass_below: Floats
    mass_above: Floats
    mean_low: Floats
    mean_high: Floats


def moments(
    layouts: Layouts,
    layout_of: Ints,
    cell_pointer: Ints,
    probability: Floats,
    survival_low: Floats,
    survival_high: Floats,
) -> Moments:
    """Moments and mean bounds of a batch of repaired snapshots.

    The bounds are sharp: the survival curves that meet all upper (lower) bounds at once are themselves admitted by the
    bands, and the mean grows with the curve; the mass of each cell then sits on its highest (lowest) value.

    Args:
        layouts: the ladders.
        layout_of: which of them each snapshot is of.
        cell_pointer: where each snapshot's cells begin.
        probability: mass per cell.
        survival_low: lower bound of the survival at each cell's lower edge.
        survival_high: upper bound of it.
    """
    out = Moments(*(np.empty(layout_of.size) for _ in Moments._fields))
    shapes = layouts.shapes
    _moments(
        layouts.cell_pointer,
        shapes.centre,
        shapes.variance,
        shapes.third,
        shapes.fourth,
        shapes.entropy,
        shapes.least,
        shapes.most,
        layout_of,
        cell_pointer,
        probability,
        survival_low,
        survival_high,
        *out,
    )
    return out


@compiled
def _moments(
    layout_cells: Ints,
    centre: Floats,
    inner_variance: Floats,
    inner_third: Floats,
    inner_fourth: Floats,
    inner_entropy: Floats,
    least: Floats,
    most: Floats,
    layout_of: Ints,
    cell_pointer: Ints,
    probability: Floats,
    survival_low: Floats,
    survival_high: Floats,
    mean: Floats,
    variance: Floats,
    skew: Floats,
    excess_kurtosis: Floats,
    entropy: Floats,
    entropy_atoms: Floats,
    mass_below: Floats,
    mass_above: Floats,
    mean_low: Floats,
    mean_high: Floats,
) -> None:
    for s in range(layout_of.size):
        base, begin = layout_cells[layout_of[s]], cell_pointer[s]
        cells = cell_pointer[s + 1] - begin
        first = 0.0
        for i in range(cells):
            # An empty open cell may have no centre; it has no say either.
            if probability[begin + i] > 0.0:
                first += probability[begin + i] * centre[base + i]
        second = third = fourth = of_cells = of_atoms = 0.0
        for i in range(cells):
            q = probability[begin + i]
            if q > 0.0:
                d, v = centre[base + i] - first, inner_variance[base + i]
                second += q * (d * d + v)
                third += q * (d * d * d + 3.0 * d * v + inner_third[base + i])
                fourth += q * (
                    d * d * d * d + 6.0 * d * d * v + 4.0 * d * inner_third[base + i] + inner_fourth[base + i]
                )
                of_cells -= q * np.log(q)
                of_atoms += q * inner_entropy[base + i]
        mean[s], variance[s] = first, second
        # Relative to the span of the cuts, a variance like this is rounding of a point mass.
        span = centre[base + cells - 1] - centre[base]
        if second > 1e-24 * span * span:
            skew[s] = third / second**1.5
            excess_kurtosis[s] = fourth / (second * second) - 3.0
        else:
            skew[s] = excess_kurtosis[s] = np.nan
        entropy[s] = max(of_cells, 0.0)
        entropy_atoms[s] = max(of_cells, 0.0) + of_atoms
        mass_below[s], mass_above[s] = probability[begin], probability[begin + cells - 1]
        mean_low[s] = _bound(survival_low[begin : begin + cells], least[base : base + cells])
        mean_high[s] = _bound(survival_high[begin : begin + cells], most[base : base + cells])


@compiled
def _bound(survival: Floats, value: Floats) -> float:
    """Mean of a survival curve whose every cell sits on one value; NaN where mass lies on an infinite one."""
    total = 0.0
    for i in range(survival.size):
        above = survival[i + 1] if i + 1 < survival.size else 0.0
        q = survival[i] - above
        if q > 0.0:
            total += q * value[i]
    return total if np.isfinite(total) else np.nan


def quantiles(
    layouts: Layouts, layout_of: Ints, cell_pointer: Ints, probability: Floats, levels: Floats
) -> tuple[Floats, Floats]:
    """Quantiles of a batch: the lowest grid point whose cumulated probability reaches the level.

    Without a grid, linear within the cell.

    Returns:
        Two arrays ``(snapshots, levels)``: the quantile, NaN where it falls in an open cell, and then the edge of that
        cell, NaN elsewhere.
    """
    value = np.full((layout_of.size, levels.size), np.nan)
    edge = np.full((layout_of.size, levels.size), np.nan)
    _quantiles(
        layouts.cell_pointer,
        layouts.low_cut,
        layouts.high_cut,
        layouts.step,
        layouts.shapes.atoms,
        layouts.shapes.least,
        layout_of,
        cell_pointer,
        probability,
        levels,
        value,
        edge,
    )
    return value, edge


@compiled
def _quantiles(
    layout_cells: Ints,
    low_cut: Floats,
    high_cut: Floats,
    step: Floats,
    atoms: Floats,
    least: Floats,
    layout_of: Ints,
    cell_pointer: Ints,
    probability: Floats,
    levels: Floats,
    value: Floats,
    edge: Floats,
) -> None:
    for s in range(layout_of.size):
        base, begin = layout_cells[layout_of[s]], cell_pointer[s]
        cells = cell_pointer[s + 1] - begin
        below, i = 0.0, 0
        for k in range(levels.size):
            while i < cells - 1 and below + probability[begin + i] < levels[k] - _REACHED:
                below += probability[begin + i]
                i += 1
            if i == 0:
                edge[s, k] = high_cut[base]
            elif i == cells - 1:
                edge[s, k] = low_cut[base + i]
            else:
                inside = min(max((levels[k] - below) / probability[begin + i], 0.0), 1.0)
                if atoms[base + i] > 0.0:
                    nth = max(np.ceil(inside * atoms[base + i] - _REACHED * atoms[base + i]), 1.0)
                    value[s, k] = least[base + i] + (nth - 1.0) * step[layout_of[s]]
                else:
                    value[s, k] = low_cut[base + i] + inside * (high_cut[base + i] - low_cut[base + i])


def tail_probabilities(
    layouts: Layouts, layout_of: Ints, cell_pointer: Ints, probability: Floats, survival: Floats
) -> tuple[Ints, Floats]:
    """P(X >= t) of a batch, for the thresholds of each ladder.

    Returns:
        Where each snapshot's thresholds begin, and the probabilities (flat); NaN where a threshold cuts an open cell.
    """
    sizes = np.diff(layouts.threshold_pointer)[layout_of]
    pointer = pointer_of(sizes)
    at = np.arange(pointer[-1]) - np.repeat(pointer[:-1], sizes)
    at = at + np.repeat(layouts.threshold_pointer[:-1][layout_of], sizes)
    cell = layouts.threshold_cell[at] + np.repeat(cell_pointer[:-1], sizes)
    # A threshold on a cut needs no part of a cell, hence no convention for an open one.
    whole = layouts.threshold_share[at] == 1.0
    part = (survival[cell] - probability[cell]) + layouts.threshold_share[at] * probability[cell]
    return pointer, np.clip(np.where(whole, survival[cell], part), 0.0, 1.0)
