"""Counting violated constraints: of the raw mids before the repair, of what is published after it."""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.bands import Bands
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled
from kalshi_pipeline.distributions.layout import BUCKET, THRESHOLD, Layouts
from kalshi_pipeline.distributions.rules import VIOLATION_TOLERANCE


def violations_before(
    layouts: Layouts, layout_of: Ints, leg_pointer: Ints, bands: Bands
) -> tuple[Ints, Floats, Floats]:
    """Violations of the raw mids of two-sided books.

    A threshold ladder counts the strikes at which the mids rise, whichever way its markets are quoted; a bucket ladder
    counts one where the mids sum to more than 1, or to anything but 1 where every cell is priced; a mixed ladder counts
    the pairs in which the market that pays less often is dearer.

    Returns:
        Per snapshot: their number, the sum of their sizes in dollars, and ``|sum of the mids - 1|`` of bucket ladders
        whose cells are all priced (0 elsewhere).
    """
    snapshots = layout_of.size
    number, magnitude, delta = np.zeros(snapshots, dtype=np.int64), np.zeros(snapshots), np.zeros(snapshots)
    _before(
        layouts.kind,
        layouts.leg_pointer,
        layouts.cell_pointer,
        layouts.first,
        layouts.stop,
        layout_of,
        leg_pointer,
        np.where(bands.two_sided, bands.mid, np.nan),
        number,
        magnitude,
        delta,
    )
    return number, magnitude, delta


@compiled
def _before(
    kinds: Ints,
    layout_legs: Ints,
    layout_cells: Ints,
    first: Ints,
    stop: Ints,
    layout_of: Ints,
    leg_pointer: Ints,
    mid: Floats,
    number: Ints,
    magnitude: Floats,
    delta: Floats,
) -> None:
    widest = 2
    for layout in range(kinds.size):
        widest = max(widest, layout_cells[layout + 1] - layout_cells[layout])
    curve = np.empty(widest)
    for s in range(layout_of.size):
        layout = layout_of[s]
        base, begin = layout_legs[layout], leg_pointer[s]
        legs = leg_pointer[s + 1] - begin
        cells = layout_cells[layout + 1] - layout_cells[layout]
        if kinds[layout] == THRESHOLD:
            for i in range(legs):
                if stop[base + i] == cells:
                    curve[first[base + i]] = mid[begin + i]
                else:
                    curve[stop[base + i]] = 1.0 - mid[begin + i]
            before = 2.0
            for node in range(1, cells):
                if not np.isnan(curve[node]):
                    if curve[node] > before + VIOLATION_TOLERANCE:
                        number[s] += 1
                        magnitude[s] += curve[node] - before
                    before = curve[node]
        elif kinds[layout] == BUCKET:
            total, priced = 0.0, 0
            for i in range(legs):
                if not np.isnan(mid[begin + i]):
                    total += mid[begin + i]
                    priced += 1
            if priced == cells:
                delta[s] = abs(total - 1.0)
                number[s] = int(delta[s] > VIOLATION_TOLERANCE)
            elif total > 1.0 + VIOLATION_TOLERANCE:
                magnitude[s] = total - 1.0
                number[s] = 1
        else:
            for i in range(legs):
                for j in range(legs):
                    within = first[base + j] <= first[base + i] and stop[base + i] <= stop[base + j]
                    if i != j and within and mid[begin + i] > mid[begin + j] + VIOLATION_TOLERANCE:
                        number[s] += 1
                        magnitude[s] += mid[begin + i] - mid[begin + j]


@compiled
def violations_after(cell_pointer: Ints, probability: Floats, survival: Floats) -> Ints:
    """Violations of the published curve and masses, recounted from them alone.

    Counts rising steps of the survival, negative masses, masses that differ from the steps, and a sum that is not 1.
    """
    snapshots = cell_pointer.size - 1
    number = np.zeros(snapshots, dtype=np.int64)
    for s in range(snapshots):
        total = 0.0
        for cell in range(cell_pointer[s], cell_pointer[s + 1]):
            after = survival[cell + 1] if cell + 1 < cell_pointer[s + 1] else 0.0
            fall = survival[cell] - after
            total += probability[cell]
            number[s] += int(fall < -VIOLATION_TOLERANCE)
            number[s] += int(probability[cell] < -VIOLATION_TOLERANCE)
            number[s] += int(abs(probability[cell] - fall) > VIOLATION_TOLERANCE)
        number[s] += int(abs(total - 1.0) > VIOLATION_TOLERANCE)
    return number


def crossed(bands: Bands) -> Bools:
    """Which markets bid more than they ask."""
    return bands.two_sided & (bands.bid > bands.ask)
