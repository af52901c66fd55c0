"""The compiled walks over a forecast's pieces: its CRPS and PIT, its CDF at points, its mean.

All of them see a distribution function as what it is: flat between atoms, with a jump at each; rising evenly inside
an even piece. Nothing is sampled.
"""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled
from kalshi_pipeline.research.scoring.forecasts import ATOMS, EVEN, TAIL_BELOW

#: Values this close to an atom, in steps, are the atom: rounding of decimals.
SAME_ATOM = 1e-6


@compiled
def _flat(begin: float, end: float, below: float, y: float) -> float:
    """Integral of ``(F - 1{t >= y})²`` over a stretch on which F is constant."""
    if y <= begin:
        return (end - begin) * (below - 1.0) ** 2
    if y >= end:
        return (end - begin) * below**2
    return (y - begin) * below**2 + (end - y) * (below - 1.0) ** 2


@compiled
def _stairs(value: float, rise: float, steps: float, width: float) -> float:
    """Integral of the square of a staircase: ``steps`` treads of ``width``, from ``value``, each higher by ``rise``."""
    middle = value + rise * (steps - 1.0) / 2.0
    return width * (steps * middle**2 + rise**2 * steps * (steps**2 - 1.0) / 12.0)


@compiled
def _slope(first: float, last: float, width: float) -> float:
    """Integral of the square of a straight line from ``first`` to ``last`` over ``width``."""
    return width * (first * first + first * last + last * last) / 3.0


@compiled
def _position(start: float, step: float, index: int, kind: int) -> float:
    return start - step * index if kind == TAIL_BELOW else start + step * index


@compiled
def crps_and_pit(
    pointer: Ints,
    kind: Ints,
    start: Floats,
    step: Floats,
    count: Ints,
    mass: Floats,
    ratio: Floats,
    outcome: Floats,
    crps: Floats,
    pit_low: Floats,
    pit_high: Floats,
) -> None:
    """Write per forecast the CRPS, and F just below and at the outcome."""
    for forecast in range(pointer.size - 1):
        y = outcome[forecast]
        total, below, left, at = 0.0, 0.0, 0.0, 0.0
        last = y
        begun = False
        for piece in range(pointer[forecast], pointer[forecast + 1]):
            m, n = mass[piece], count[piece]
            if m <= 0.0:
                continue
            s, d, k = start[piece], step[piece], kind[piece]
            lowest = _position(s, d, n - 1, k) if k == TAIL_BELOW else s
            if not begun:
                last, begun = min(y, lowest), True
            if k == EVEN:
                total += _flat(last, s, below, y)
                inside = min(max((y - s) / d, 0.0), 1.0)
                middle, top = below + m * inside, below + m
                total += _slope(below, middle, d * inside) + _slope(middle - 1.0, top - 1.0, d * (1.0 - inside))
                left += m * inside
                at += m * inside
                below, last = top, s + d
            elif k == ATOMS:
                total += _flat(last, s, below, y)
                each = m / n
                # Treads between the atoms; y splits one of them.
                whole = min(max((y - s) / d, 0.0), n - 1.0)
                before = np.floor(whole)
                total += _stairs(below + each, each, before, d)
                after = n - 1.0 - before
                if after > 0.0:
                    part = whole - before
                    value = below + each * (before + 1.0)
                    total += d * (part * value**2 + (1.0 - part) * (value - 1.0) ** 2)
                    total += _stairs(value + each - 1.0, each, after - 1.0, d)
                reached = (y - s) / d
                atoms_below = min(max(np.ceil(reached - SAME_ATOM), 0.0), float(n))
                atoms_upto = min(max(np.floor(reached + SAME_ATOM) + 1.0, 0.0), float(n))
                left += each * atoms_below
                at += each * max(atoms_upto, atoms_below)
                below, last = below + m, s + d * (n - 1)
            else:
                scale = m * (1.0 - ratio[piece]) / (1.0 - ratio[piece] ** n)
                for i in range(n):
                    index = n - 1 - i if k == TAIL_BELOW else i
                    x = _position(s, d, index, k)
                    share = scale * ratio[piece] ** index
                    total += _flat(last, x, below, y)
                    if x < y - SAME_ATOM * d:
                        left += share
                    if x <= y + SAME_ATOM * d:
                        at += share
                    below, last = below + share, x
        if y > last:
            total += y - last
        crps[forecast], pit_low[forecast], pit_high[forecast] = total, min(left, 1.0), min(at, 1.0)


@compiled
def cdf(
    pointer: Ints,
    kind: Ints,
    start: Floats,
    step: Floats,
    count: Ints,
    mass: Floats,
    ratio: Floats,
    point_pointer: Ints,
    point: Floats,
    out: Floats,
) -> None:
    """Write the mass strictly below every point of every forecast; an atom next to a point counts as at it."""
    for forecast in range(pointer.size - 1):
        for place in range(point_pointer[forecast], point_pointer[forecast + 1]):
            x, total = point[place], 0.0
            for piece in range(pointer[forecast], pointer[forecast + 1]):
                m, n, s, d = mass[piece], count[piece], start[piece], step[piece]
                if m <= 0.0:
                    continue
                if kind[piece] == EVEN:
                    total += m * min(max((x - s) / d, 0.0), 1.0)
                elif kind[piece] == ATOMS:
                    reached = (x - s) / d - SAME_ATOM
                    total += m / n * min(max(np.ceil(reached), 0.0), float(n))
                else:
                    scale = m * (1.0 - ratio[piece]) / (1.0 - ratio[piece] ** n)
                    for i in range(n):
                        if _position(s, d, i, kind[piece]) < x - SAME_ATOM * d:
                            total += scale * ratio[piece] ** i
            out[place] = min(total, 1.0)


@compiled
def mean(
    pointer: Ints, kind: Ints, start: Floats, step: Floats, count: Ints, mass: Floats, ratio: Floats, out: Floats
) -> None:
    """Write the mean of every forecast."""
    for forecast in range(pointer.size - 1):
        total = 0.0
        for piece in range(pointer[forecast], pointer[forecast + 1]):
            m, n, s, d = mass[piece], count[piece], start[piece], step[piece]
            if m <= 0.0:
                continue
            if kind[piece] == EVEN:
                total += m * (s + d / 2.0)
            elif kind[piece] == ATOMS:
                total += m * (s + d * (n - 1) / 2.0)
            else:
                scale = m * (1.0 - ratio[piece]) / (1.0 - ratio[piece] ** n)
                for i in range(n):
                    total += scale * ratio[piece] ** i * _position(s, d, i, kind[piece])
        out[forecast] = total
