"""How mass lies inside a cell: evenly between two cuts, in geometric atoms beyond the outer ones.

The second is a convention, never an observation. Its name, its ratio and the caps of the support are stored with every
row, and nothing that rests on it alone is published without a flag.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor, inf, isnan, log, nan
from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats

#: Number of atoms of a tail that nothing caps.
ENDLESS = 2**31

#: Terms of a geometric series below this share of the first are left out.
_NEGLIGIBLE = 1e-18


class Tail(NamedTuple):
    """Mean, central moments and entropy of a unit of tail mass, in steps outward from its first atom."""

    mean: float
    variance: float
    third: float
    fourth: float
    entropy: float


class Shapes(NamedTuple):
    """How a unit of mass lies inside every cell of a ladder, one element per cell.

    Attributes:
        centre: mean, in the unit of the ladder.
        variance: second central moment.
        third: third central moment.
        fourth: fourth central moment.
        entropy: of the atoms, in nats; NaN without a grid.
        atoms: how many grid points lie in the cell; 0 without a grid, and 0 in open cells, which have no inner order.
        least: lowest value of the cell; -inf where nothing caps it.
        most: highest value of the cell; inf where nothing caps it.
    """

    centre: Floats
    variance: Floats
    third: Floats
    fourth: Floats
    entropy: Floats
    atoms: Floats
    least: Floats
    most: Floats


def convention(step: float | None, ratio: float, low: float | None, high: float | None) -> str:
    """The tail convention in words, as stored with every row."""
    where = "grid atoms" if step is not None else "atoms one typical cell apart"
    caps = " and ".join(name for name, cap in (("below", low), ("above", high)) if cap is not None)
    return f"geometric {ratio:g} on {where}, " + (f"truncated at the support cap {caps}" if caps else "not truncated")


def geometric_shares(ratio: float, atoms: int) -> Floats:
    """Shares of a unit of tail mass, from the first atom outward.

    Args:
        ratio: between 0 and 1.
        atoms: how many the support holds; terms too small to matter are left out.
    """
    terms = min(atoms, max(1, ceil(log(_NEGLIGIBLE) / log(ratio))))
    share = np.exp(np.arange(terms, dtype=np.float64) * log(ratio))
    return np.asarray(share / share.sum())


@lru_cache(maxsize=4096)
def geometric_tail(ratio: float, atoms: int) -> Tail:
    """Moments of geometric proportions ``1, ratio, ratio², ...`` over a number of atoms, renormalised.

    Args:
        ratio: between 0 and 1.
        atoms: how many the support holds; terms too small to matter are left out.
    """
    share = geometric_shares(ratio, atoms)
    step = np.arange(share.size, dtype=np.float64)
    mean = float(share @ step)
    off = step - mean
    inside = share[share > 0]
    return Tail(
        mean, float(share @ off**2), float(share @ off**3), float(share @ off**4), float(-inside @ np.log(inside))
    )


class TailRule(NamedTuple):
    """What the tails of a ladder rest on: the arguments of :func:`cell_shapes` beside its cuts."""

    step: float | None
    ratio: float
    support_low: float | None
    support_high: float | None


def tail_atoms(cuts: Floats, rule: TailRule, outward: float) -> tuple[Floats, Floats]:
    """The atoms beyond an outer cut, from the cut outward: their places and their shares of a unit of mass there.

    Args:
        cuts: edges between cells, ascending.
        rule: what the tails rest on.
        outward: -1 for the tail below, 1 for the tail above.
    """
    cut, cap = (float(cuts[0]), rule.support_low) if outward < 0 else (float(cuts[-1]), rule.support_high)
    pitch = _pitch(cuts, rule.step)
    share = geometric_shares(rule.ratio, _atoms(cut + outward * pitch / 2, outward, cap, pitch))
    return cut + outward * pitch * (np.arange(share.size, dtype=np.float64) + 0.5), share


def cell_shapes(
    cuts: Floats, step: float | None, ratio: float, support_low: float | None, support_high: float | None
) -> Shapes:
    """The shapes of all cells of a ladder, from the cell open below to the cell open above.

    Args:
        cuts: edges between cells, ascending.
        step: grid step; ``None`` where unknown: then inner cells are uniform and the tails' atoms one typical (median)
            cell width apart.
        ratio: geometric ratio of the tails.
        support_low: lowest value the number can take; ``None`` where none is registered.
        support_high: highest value the number can take; ``None`` where none is registered.
    """
    width = np.diff(cuts)
    pitch = _pitch(cuts, step)
    shapes = Shapes(*(np.zeros(cuts.size + 1) for _ in Shapes._fields))
    inner = slice(1, -1)
    shapes.centre[inner] = (cuts[:-1] + cuts[1:]) / 2
    if step is not None:
        n = np.rint(width / step)
        shapes.variance[inner] = (n**2 - 1) * step**2 / 12
        shapes.fourth[inner] = (n**2 - 1) * (3 * n**2 - 7) * step**4 / 240
        shapes.entropy[inner] = np.log(n)
        shapes.atoms[inner] = n
        shapes.least[inner], shapes.most[inner] = cuts[:-1] + step / 2, cuts[1:] - step / 2
    else:
        shapes.variance[inner] = width**2 / 12
        shapes.fourth[inner] = width**4 / 80
        shapes.entropy[:] = np.nan
        shapes.least[inner], shapes.most[inner] = cuts[:-1], cuts[1:]
    for cell, cut, outward, cap in ((0, cuts[0], -1.0, support_low), (-1, cuts[-1], 1.0, support_high)):
        _place_tail(shapes, cell, float(cut), outward, cap, pitch, ratio, on_grid=step is not None)
    return shapes


def _place_tail(
    shapes: Shapes,
    cell: int,
    cut: float,
    outward: float,
    cap: float | None,
    pitch: float,
    ratio: float,
    *,
    on_grid: bool,
) -> None:
    """Fill in an open cell: atoms from half a pitch beyond the cut to the cap, at least one of them."""
    start = cut + outward * pitch / 2
    atoms = _atoms(start, outward, cap, pitch)
    end = outward * inf if atoms == ENDLESS else start + outward * pitch * (atoms - 1)
    tail = geometric_tail(ratio, atoms)
    shapes.centre[cell] = start + outward * pitch * tail.mean
    shapes.variance[cell] = pitch**2 * tail.variance
    shapes.third[cell] = outward * pitch**3 * tail.third
    shapes.fourth[cell] = pitch**4 * tail.fourth
    shapes.entropy[cell] = tail.entropy if on_grid else nan
    if not on_grid and cap is not None:
        start, end = cut, outward * max(outward * cap, outward * cut)
    shapes.least[cell], shapes.most[cell] = (end, start) if outward < 0 else (start, end)


def _pitch(cuts: Floats, step: float | None) -> float:
    """Distance of a tail's atoms: the grid step, else one typical cell; NaN where there is neither."""
    width = np.diff(cuts)
    return step if step is not None else float(np.median(width)) if width.size else nan


def _atoms(start: float, outward: float, cap: float | None, pitch: float) -> int:
    """How many atoms a tail has up to its cap, at least one."""
    if cap is None or isnan(pitch):
        return ENDLESS
    return max(1, floor(outward * (cap - start) / pitch + 1 + 1e-6))
