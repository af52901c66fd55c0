"""What every forecast has to beat: no change, climatology, even masses, and the mids as they stand.

The first two remember outcomes that were known at the instant; the others need only the ladder and its quotes. None of
them is fitted, so none needs a fold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled
from kalshi_pipeline.distributions.layout import BUCKET, THRESHOLD
from kalshi_pipeline.research.cases import Cases
from kalshi_pipeline.research.history import History
from kalshi_pipeline.research.scoring.forecasts import Forecasts, of_samples

#: Climatology: outcomes of the series' last releases, at most and at least so many of them.
CLIMATOLOGY_RELEASES = 60
CLIMATOLOGY_LEAST = 10


class Remembered(NamedTuple):
    """Forecasts from earlier outcomes, and the cases they are for; the others had too little to remember."""

    cases: Ints
    forecasts: Forecasts


def uniform_masses(cases: Cases) -> Floats:
    """The same mass on every cell of the ladder."""
    sizes = np.diff(cases.cells.pointer)
    return np.repeat(1.0 / sizes, sizes)


def naive_mids(cases: Cases) -> Floats:
    """Masses from the mids of all markets, renormalised; an empty side counts as 0 or 1.

    Returns:
        One mass per cell; NaN for all cells of a case whose mids say nothing, and of mixed ladders.
    """
    legs = cases.legs
    mid = (np.nan_to_num(legs.bid, nan=0.0) + np.nan_to_num(legs.ask, nan=1.0)) / 2
    return _masses(cases, mid)


def fair_mids(cases: Cases) -> Floats:
    """Masses from the mids of the two-sided markets only, renormalised; the others are taken for nothing.

    On a threshold ladder a missing market leaves its neighbours' difference, spread evenly over the cells in between.
    """
    return _masses(cases, (cases.legs.bid + cases.legs.ask) / 2)


def remembered(history: History, values: Floats, least: int) -> Remembered:
    """Equal mass on the outcomes of each case's history, where there are at least so many.

    Args:
        history: rows of the labels table by case.
        values: the labels' values.
        least: fewest outcomes that make a forecast.
    """
    sizes = np.diff(history.pointer)
    enough = sizes >= max(least, 1)
    kept = np.repeat(enough, sizes)
    pointer = np.concatenate([[0], np.cumsum(sizes[enough])]).astype(np.int64)
    return Remembered(np.flatnonzero(enough), of_samples(pointer, values[history.row[kept]]))


def _masses(cases: Cases, mid: Floats) -> Floats:
    out = np.empty(cases.cells.mass.size)
    legs, cells = cases.legs, cases.cells
    _mid_masses(cells.pointer, cells.low, cells.high, legs.pointer, legs.low, legs.high, mid, cases.kind, out)
    return out


@compiled
def _mid_masses(
    pointer: Ints,
    low: Floats,
    high: Floats,
    leg_pointer: Ints,
    leg_low: Floats,
    leg_high: Floats,
    mid: Floats,
    kind: Ints,
    out: Floats,
) -> None:
    for case in range(pointer.size - 1):
        base, cells = pointer[case], pointer[case + 1] - pointer[case]
        mass = out[base : base + cells]
        mass[:] = 0.0
        if kind[case] == BUCKET:
            for leg in range(leg_pointer[case], leg_pointer[case + 1]):
                if np.isnan(mid[leg]):
                    continue
                inside = 0
                for i in range(cells):
                    inside += int(low[base + i] >= leg_low[leg] and high[base + i] <= leg_high[leg])
                for i in range(cells):
                    if low[base + i] >= leg_low[leg] and high[base + i] <= leg_high[leg]:
                        mass[i] += mid[leg] / inside
        elif kind[case] == THRESHOLD:
            survival, quotes = np.zeros(cells + 1), np.zeros(cells + 1)
            survival[0], quotes[0], quotes[cells] = 1.0, 1.0, 1.0
            for leg in range(leg_pointer[case], leg_pointer[case + 1]):
                if np.isnan(mid[leg]):
                    continue
                upward = np.isinf(leg_high[leg])
                for i in range(1, cells):
                    if low[base + i] == (leg_low[leg] if upward else leg_high[leg]):
                        survival[i] += mid[leg] if upward else 1.0 - mid[leg]
                        quotes[i] += 1.0
            known = 0
            for i in range(1, cells + 1):
                if quotes[i] > 0.0:
                    drop = max(survival[known] / quotes[known] - survival[i] / quotes[i], 0.0)
                    for j in range(known, i):
                        mass[j] = drop / (i - known)
                    known = i
        total = mass.sum()
        mass /= total if total > 0.0 else np.nan
