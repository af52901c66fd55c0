"""The picture of a whole ladder over time: every cell a row, every snapshot a column, its mass the shade.

Arrays go in and PNG bytes come out; a picture with nothing to show says why in words. Curves are in ``curves``, one
snapshot's mass is in ``figures``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.dates import date2num

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.canvas import SIZE
from kalshi_pipeline.report.marks import Numbers, floats, nothing_passed, same_length

#: White to the colour of belief and on to ink, so that a sure cell stands out in print, too.
_SHADES = LinearSegmentedColormap.from_list("belief", ["white", canvas.BANDS[1], canvas.BELIEF, "#0d3542"])

#: Share of the mass over all snapshots that may stay beyond the vertical axis, on either side.
_BEYOND = 0.002


def mass_heat_map(
    asof: Sequence[datetime],
    cuts: Sequence[Sequence[float]],
    mass: Sequence[Numbers | None],
    *,
    title: str,
    unit: str = "",
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw the probability of every cell of a ladder over time.

    A snapshot is drawn until the next one, but no longer than twice the usual distance, so that a gap stays a gap. Open
    cells are as wide as a typical one and set off by a dotted line.

    Args:
        asof: instants of the snapshots, in UTC, ascending.
        cuts: per snapshot, the edges between its cells, ascending; they may change as markets are listed.
        mass: per snapshot, the probability of each cell; ``None`` where a gate failed.
        title: usually the event's ticker.
        unit: unit of the cuts.
        outcome: what came true, if it is known.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length, or a snapshot has not one cell more than cuts.
    """
    same_length("the heat map", asof=asof, cuts=cuts, mass=mass)
    columns = [_Column(*row) for row in zip(asof, _ends(asof), cuts, mass, strict=True)]
    shown = [column for column in columns if column.mass is not None]
    if not shown:
        return canvas.empty_picture(title, nothing_passed(len(asof)), size)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    greatest = max(float(np.nanmax(floats(column.mass or ()))) for column in shown)
    # By the root of the mass: beside one sure cell, a mass spread over many would else be white.
    norm = PowerNorm(0.5, 0, greatest)
    for edges, run in groupby(columns, key=lambda column: (column.mass is not None, column.edges)):
        if edges[0]:
            _draw(axes, list(run), norm)
    gated = [column.begin for column in columns if column.mass is None]
    if gated:
        foot = np.full(len(gated), 0.015)
        axes.plot(gated, foot, "|", transform=axes.get_xaxis_transform(), color=canvas.QUOTES, label="gated")
    for edge in {column.cuts[0] for column in shown} | {column.cuts[-1] for column in shown}:
        axes.axhline(edge, color=canvas.SOFT_INK, linewidth=0.8, linestyle=(0, (1, 2)))
    if outcome is not None:
        axes.axhline(outcome, color=canvas.OUTCOME, linewidth=1.6, label=f"settled {canvas.with_unit(outcome, unit)}")
    canvas.dress(axes, title, canvas.and_unit("probability of every cell over time", unit))
    axes.grid(visible=False)
    axes.set_ylim(*_limits(shown, outcome))
    axes.set_xlim(columns[0].begin, columns[-1].end)
    canvas.number_axis(axes.yaxis)
    canvas.time_axis(axes)
    ticks = [greatest * share**2 for share in (0, 0.25, 0.5, 0.75, 1)]
    bar = figure.colorbar(axes.collections[0], ax=axes, pad=0.015, fraction=0.04, aspect=28, ticks=ticks)
    bar.minorticks_off()
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{float(f'{100 * value:.2g}'):g} %")
    bar.ax.tick_params(labelsize=8, colors=canvas.SOFT_INK, length=0)
    if axes.get_legend_handles_labels()[0]:
        canvas.legend(figure)
    return canvas.png(figure)


class _Column:
    """One snapshot: from when until when it is drawn, and its cells."""

    def __init__(self, begin: datetime, end: datetime, cuts: Sequence[float], mass: Numbers | None) -> None:
        if mass is not None and len(mass) != len(cuts) + 1:
            raise ValueError(f"The snapshot at {begin} has {len(mass)} cells and {len(cuts)} cuts; one more is needed.")
        self.begin, self.end = float(date2num(begin)), float(date2num(end))
        self.cuts = tuple(cuts)
        self.mass = mass

    @property
    def edges(self) -> tuple[float, ...]:
        """Edges of all cells, the open ones as wide as a typical one."""
        width = float(np.median(np.diff(self.cuts))) if len(self.cuts) > 1 else 1.0
        return (self.cuts[0] - width, *self.cuts, self.cuts[-1] + width) if self.cuts else (0.0, width)


def _ends(asof: Sequence[datetime]) -> list[datetime]:
    """Until when each snapshot is drawn."""
    steps = [after - before for before, after in pairwise(asof)]
    usual = sorted(steps)[len(steps) // 2] if steps else timedelta(hours=1)
    return [at + min(step, 2 * usual) for at, step in zip(asof, [*steps, usual][: len(asof)], strict=True)]


def _draw(axes: Axes, run: list[_Column], norm: Normalize) -> None:
    """Draw neighbouring snapshots of the same cells; a column without mass separates those that do not adjoin."""
    times: list[float] = []
    shades: list[Any] = []
    blank = np.full(len(run[0].edges) - 1, np.nan)
    for column in run:
        if times and times[-1] < column.begin - 1e-9:
            shades.append(blank)
            times.append(column.begin)
        elif not times:
            times.append(column.begin)
        shades.append(floats(column.mass or ()))
        times.append(column.end)
    axes.pcolormesh(times, run[0].edges, np.array(shades).T, cmap=_SHADES, norm=norm, rasterized=True)


def _limits(shown: list[_Column], outcome: float | None) -> tuple[float, float]:
    """From where to where cells hold mass worth showing, and the outcome."""
    lows, highs = [], []
    for column in shown:
        weight = np.nan_to_num(floats(column.mass or ()))
        below = np.cumsum(weight) - weight
        inside = np.flatnonzero((below + weight > _BEYOND) & (below < weight.sum() - _BEYOND))
        lows.append(column.edges[int(inside[0])])
        highs.append(column.edges[int(inside[-1]) + 1])
    low, high = min(lows), max(highs)
    if outcome is not None:
        low, high = min(low, outcome), max(high, outcome)
    margin = 0.02 * (high - low)
    return low - margin, high + margin
