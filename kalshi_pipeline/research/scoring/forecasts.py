"""Forecasts as flat pieces of mass: atoms on a grid, even density, geometric tails, single points.

One form for the market's distribution and for every baseline, so that all are scored by the same code. How mass lies
in an open cell is the convention of ``distributions.tails``, told here piece by piece.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled
from kalshi_pipeline.distributions.tails import ENDLESS

#: Kinds of pieces.
EVEN, ATOMS, TAIL_BELOW, TAIL_ABOVE = range(4)

#: Atoms of a tail below this share of its mass are left out.
_NEGLIGIBLE = 1e-15


@compiled
def _running(pointer: Ints, mass: Floats, out: Floats) -> None:
    """Sum from the first cell of each forecast: one sum over all of them would round by their number."""
    for forecast in range(pointer.size - 1):
        total = 0.0
        for cell in range(pointer[forecast], pointer[forecast + 1]):
            out[cell] = total
            total += mass[cell]


@dataclass(frozen=True)
class Cells:
    """Masses on the cells of ladders, one forecast after the other.

    Per forecast: ``pointer`` (where its cells begin, and the end), ``step`` of the grid (NaN without one),
    ``tail_ratio``, ``support_low`` and ``support_high`` (NaN without a cap). Per cell: ``low`` and ``high`` edge
    (infinite where open) and ``mass``.
    """

    pointer: Ints
    low: Floats
    high: Floats
    mass: Floats
    step: Floats
    tail_ratio: Floats
    support_low: Floats
    support_high: Floats

    def with_mass(self, mass: Floats) -> Cells:
        """The same cells with other masses."""
        return replace(self, mass=mass)

    def take(self, forecasts: Ints) -> Cells:
        """The cells of some forecasts, in the order given."""
        sizes = np.diff(self.pointer)[forecasts]
        pointer = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        at = np.arange(pointer[-1]) - np.repeat(pointer[:-1], sizes) + np.repeat(self.pointer[:-1][forecasts], sizes)
        return Cells(
            pointer=pointer,
            low=self.low[at],
            high=self.high[at],
            mass=self.mass[at],
            step=self.step[forecasts],
            tail_ratio=self.tail_ratio[forecasts],
            support_low=self.support_low[forecasts],
            support_high=self.support_high[forecasts],
        )

    @property
    def below(self) -> Floats:
        """Mass of a forecast's cells below each of them."""
        out = np.empty(self.mass.size)
        _running(self.pointer, self.mass, out)
        return out

    @property
    def owner(self) -> Ints:
        """The forecast of every cell."""
        return np.repeat(np.arange(self.pointer.size - 1), np.diff(self.pointer))

    def cell_of(self, value: Floats) -> Ints:
        """The flat position of the cell each forecast's value lies in; cells include their lower edge."""
        inside = (self.low <= value[self.owner]) & (value[self.owner] < self.high)
        position = np.full(self.pointer.size - 1, -1)
        position[self.owner[inside]] = np.flatnonzero(inside)
        return position


@dataclass(frozen=True)
class Forecasts:
    """Forecast distributions as pieces in ascending order, flat by ``pointer``.

    Per piece: its ``kind``; ``start``, the lowest value of an even piece or of atoms, and for a tail the atom next to
    the cut; ``step``, the width of an even piece and the distance of atoms otherwise; ``count`` of atoms; ``mass``;
    ``ratio`` of a tail's atoms.
    """

    pointer: Ints
    kind: Ints
    start: Floats
    step: Floats
    count: Ints
    mass: Floats
    ratio: Floats

    def __len__(self) -> int:
        return self.pointer.size - 1

    def shifted(self, by: Floats) -> Forecasts:
        """Every forecast moved by its own amount."""
        return replace(self, start=self.start + np.repeat(by, np.diff(self.pointer)))


def of_cells(cells: Cells) -> Forecasts:
    """Lay the mass of cells out: on the grid's atoms, evenly without a grid, geometrically in open cells.

    Without a grid and with a single cut nothing says how wide a tail is: its pieces then have NaN for a step, and so
    have its scores.
    """
    owner = cells.owner
    step, below, above = cells.step[owner], np.isinf(cells.low), np.isinf(cells.high)
    width = cells.high - cells.low
    pitch = np.where(np.isfinite(cells.step), cells.step, _typical_width(cells, width))[owner]
    cut = np.where(below, cells.high, cells.low)
    outward = np.where(below, -1.0, 1.0)
    tail = below | above
    start = np.where(tail, cut + outward * pitch / 2, np.where(np.isfinite(step), cells.low + step / 2, cells.low))
    cap = np.where(below, cells.support_low[owner], cells.support_high[owner])
    with np.errstate(invalid="ignore"):
        reach = np.floor(outward * (cap - start) / pitch + 1 + 1e-6)
        inner = np.where(np.isfinite(step), np.rint(width / step), 1)
    terms = np.ceil(np.log(_NEGLIGIBLE) / np.log(cells.tail_ratio))[owner]
    atoms = np.minimum(np.where(np.isfinite(reach), np.maximum(reach, 1), ENDLESS), terms)
    inner_kind = np.where(np.isfinite(step), ATOMS, EVEN)
    return Forecasts(
        pointer=cells.pointer,
        kind=np.where(below, TAIL_BELOW, np.where(above, TAIL_ABOVE, inner_kind)).astype(np.int64),
        start=start,
        step=np.where(tail, pitch, np.where(np.isfinite(step), step, width)),
        count=np.where(tail, atoms, np.where(np.isfinite(inner), inner, 1)).astype(np.int64),
        mass=cells.mass,
        ratio=cells.tail_ratio[owner],
    )


def of_samples(pointer: Ints, values: Floats) -> Forecasts:
    """Equal mass on values seen before; a single one is a point forecast.

    Args:
        pointer: where each forecast's values begin, and the end.
        values: the values, in any order within a forecast.
    """
    sizes = np.diff(pointer)
    owner = np.repeat(np.arange(sizes.size), sizes)
    values = values[np.lexsort((values, owner))]
    one = np.ones(values.size)
    return Forecasts(
        pointer=pointer,
        kind=np.full(values.size, ATOMS, dtype=np.int64),
        start=values,
        step=one,
        count=one.astype(np.int64),
        mass=1.0 / sizes[owner],
        ratio=one / 2,
    )


def _typical_width(cells: Cells, width: Floats) -> Floats:
    """Median width of each forecast's inner cells; NaN where it has none."""
    bounds = zip(cells.pointer[:-1], cells.pointer[1:], strict=True)
    if np.isfinite(cells.step).all():
        return cells.step
    return np.array([np.median(width[a + 1 : b - 1]) if b - a > 2 else np.nan for a, b in bounds])
