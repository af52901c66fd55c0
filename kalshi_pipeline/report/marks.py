"""Marks that several pictures draw on axes of theirs: the mass of a ladder's cells, and what came true.

Missing values are left out, never drawn as 0. Whole pictures are in ``figures``, the shared look is in ``canvas``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from kalshi_pipeline.report import canvas

Numbers = Sequence[float | None]
Floats = npt.NDArray[np.float64]

#: Share of the mass that may stay beyond the horizontal axis, on either side.
_BEYOND = 0.001


def draw_mass(axes: Axes, lows: Numbers, highs: Numbers, mass: Numbers, *, unit: str, outcome: float | None) -> None:
    """Draw one bar per cell, at least one of which has a mass; of the empty cells at the ends only the first is shown.

    An open cell is as wide as a typical one, paler, and points outward.
    """
    low, high, weight = floats(lows), floats(highs), np.nan_to_num(floats(mass))
    open_cell = np.isnan(low) | np.isnan(high)
    width = float(np.median((high - low)[~open_cell])) if not open_cell.all() else 1.0
    left = np.where(np.isnan(low), high - width, low)
    right = np.where(np.isnan(high), low + width, high)
    below = np.cumsum(weight) - weight
    inside = np.flatnonzero((below + weight > _BEYOND) & (below < weight.sum() - _BEYOND))
    shown = np.zeros(len(weight), dtype=bool)
    shown[max(inside[0] - 1, 0) : inside[-1] + 2] = True
    gap = 0.08 * (right - left) if shown.sum() <= 40 else np.zeros(len(left))
    axes.bar(
        (left + gap / 2)[shown],
        weight[shown],
        width=(right - left - gap)[shown],
        align="edge",
        color=np.where(open_cell[shown], canvas.OPEN_CELL, canvas.BELIEF).tolist(),
    )
    for cell in np.flatnonzero(open_cell & (weight > _BEYOND)):
        axes.annotate(
            "←" if np.isnan(low[cell]) else "→",
            ((left[cell] + right[cell]) / 2, weight[cell]),
            xytext=(0, 1),
            textcoords="offset points",
            ha="center",
            color=canvas.BELIEF,
            fontsize=9,
        )
    canvas.probability_axis(axes, float(weight.max()) * (1.08 if outcome is None else 1.25))
    mark_outcome(axes, outcome, unit)
    canvas.number_axis(axes.xaxis)


def mark_outcome(axes: Axes, outcome: float | None, unit: str) -> None:
    """Draw an upright line where the outcome lies, if it is known, and write it beside the line."""
    if outcome is None:
        return
    axes.axvline(outcome, color=canvas.OUTCOME, linewidth=1.6)
    low, high = axes.get_xlim()
    side = "right" if outcome > (low + high) / 2 else "left"
    axes.annotate(
        f"settled {canvas.with_unit(outcome, unit)}",
        (outcome, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if side == "right" else 4, -3),
        textcoords="offset points",
        ha=side,
        va="top",
        color=canvas.OUTCOME,
        fontsize=8,
        path_effects=canvas.halo(),
    )


def floats(values: Numbers) -> Floats:
    """Values as floats, NaN where they are missing or infinite: matplotlib leaves those out."""
    found = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def nothing_passed(snapshots: int) -> str:
    """What a picture says that has no distribution to show."""
    if not snapshots:
        return "There are no snapshots yet."
    count = "The snapshot" if snapshots == 1 else f"None of the {snapshots:,} snapshots"
    return (
        f"{count} {'did not pass' if snapshots == 1 else 'passed'} the quality gates: there is no distribution to show."
    )


def same_length(what: str, **columns: Sequence[object]) -> None:
    """Check that the columns of a picture agree in length.

    Raises:
        ValueError: they do not; the message names each with its length.
    """
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(f"The columns of {what} differ in length: {lengths}.")
