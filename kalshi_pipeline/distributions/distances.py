"""How far one distribution is from another on the same cells: information in nats, and mass times way.

Masses go in as matrices, one row a pair of snapshots and one column a cell. How snapshots of different cells are
brought onto the same ones is in ``common_cells``; which snapshots are compared is in ``lags``.
"""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats
from kalshi_pipeline.distributions.tails import Shapes

#: Added to both masses of a cell before the logarithm of their ratio, so that an empty cell has a finite price.
EPSILON = 1e-12


def kullback_leibler(mass: Floats, base: Floats, epsilon: float = EPSILON) -> Floats:
    """Information gained by believing ``mass`` instead of ``base``: the sum of ``(p + e) log((p + e) / (q + e))``.

    Where cells lie alike inside (they do on common cells), this is the divergence on the grid's atoms, too.

    Args:
        mass: masses, ``(pairs, cells)``.
        base: masses to compare with, likewise.
        epsilon: the e.

    Returns:
        Nats, one per pair; rounding below 0 is 0.
    """
    p, q = mass + epsilon, base + epsilon
    return np.asarray(np.maximum((p * np.log(p / q)).sum(axis=1), 0.0))


def jensen_shannon(mass: Floats, base: Floats) -> Floats:
    """Half the divergences of both from their mixture: symmetric, within ``[0, log 2]``, not its square root.

    Args:
        mass: masses, ``(pairs, cells)``.
        base: masses to compare with, likewise.

    Returns:
        Nats, one per pair.
    """
    middle = (mass + base) / 2
    total = np.zeros(mass.shape[0])
    for side in (mass, base):
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.where(side > 0.0, side * np.log(side / middle), 0.0).sum(axis=1)
    return np.clip(total / 2, 0.0, np.log(2.0))


def wasserstein(mass: Floats, base: Floats, cuts: Floats, shapes: Shapes) -> Floats:
    """Least mass times way that turns one distribution into the other: the integral of ``|F - G|``.

    Inside a cell mass lies as the moments take it: evenly on the cell's grid points (evenly on its width without a
    grid), beyond the outer cuts in the atoms of the tail convention. The result is exact for these, so it is never less
    than the distance of the means.

    Args:
        mass: masses, ``(pairs, cells)``.
        base: masses to compare with, likewise.
        cuts: edges between the cells, ascending; one fewer than cells.
        shapes: how mass lies inside each cell.

    Returns:
        In the unit of the cuts, one per pair; NaN where a tail that differs has no place.
    """
    differ = np.cumsum(mass - base, axis=1)[:, :-1]  # F - G at the cuts
    below = _tail(differ[:, 0], float(cuts[0] - shapes.centre[0]))
    above = _tail(differ[:, -1], float(shapes.centre[-1] - cuts[-1]))
    inner = _inside(differ[:, :-1], differ[:, 1:], np.diff(cuts), shapes.atoms[1:-1])
    return np.asarray(below + inner.sum(axis=1) + above)


def _tail(differ: Floats, way: float) -> Floats:
    """Both tails have the same atoms, so the difference of their masses goes the mean way."""
    return np.where(differ == 0.0, 0.0, np.abs(differ) * way)


def _inside(left: Floats, right: Floats, width: Floats, atoms: Floats) -> Floats:
    """Integral of ``|F - G|`` over closed cells at whose cuts it is ``left`` and ``right``.

    Without a grid the difference is a straight line. With n atoms it goes in n equal steps, half a grid step from
    either cut: the trapezoid sum of ``|left + (right - left) k / n|``, which differs from the line's integral only in
    the step in which the line crosses 0.
    """
    a, b = np.abs(left), np.abs(right)
    crosses = left * right < 0.0
    both = np.where(crosses, a + b, 1.0)
    line = np.where(crosses, (a**2 + b**2) / (2 * both), (a + b) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.where(crosses, a / both * atoms, 0.0)
        within = place - np.floor(place)
        # Over the crossing step the trapezoid has (u + v) / 2 where the line has (u² + v²) / (2 (u + v)), u and v being
        # the ends of the step: within and 1 - within of the rise of one step.
        excess = np.where(crosses & (atoms > 0.0), both / atoms**2 * within * (1.0 - within), 0.0)
    return np.asarray(width * (line + excess))
