"""Pictures of implied distributions as PNG bytes: over time, as a survival curve, as mass by cell, several at once.

A picture with nothing to show says why in words. The marks are in ``marks``, the shared look is in ``canvas``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.dates import date2num

from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.canvas import SIZE
from kalshi_pipeline.report.marks import Numbers, draw_mass, floats, mark_outcome

_NOTHING_PASSED = "None of {count} snapshots passed the quality gates: there is no distribution to show."


def distribution_fan(
    asof: Sequence[datetime],
    quantiles: Mapping[float, Numbers],
    *,
    title: str,
    unit: str = "",
    anchor: datetime | None = None,
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw how a belief narrows toward its release: nested bands of quantiles around the median.

    Args:
        asof: instants of the snapshots, in UTC, ascending.
        quantiles: by level in (0, 1), one value per snapshot; ``None`` where it is not published. Levels ``q`` and
            ``1 - q`` form a band. A snapshot without any value is marked as gated at the foot of the picture.
        title: usually the event's ticker.
        unit: unit of the values.
        anchor: the instant the snapshots lead up to.
        outcome: what came true, if it is known.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length.
    """
    _same_length("the fan", asof=asof, **{f"quantile {level:g}": values for level, values in quantiles.items()})
    lines = {level: floats(values) for level, values in sorted(quantiles.items())}
    known = np.isfinite(np.array(list(lines.values())).reshape(len(lines), len(asof))).any(axis=0)
    if not known.any():
        return canvas.empty_picture(title, _NOTHING_PASSED.format(count=len(asof)), size)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    when = np.asarray(date2num(asof))
    bands = [(low, high) for low in lines for high in lines if low < 0.5 and abs(low + high - 1) < 1e-9]
    for number, (low, high) in enumerate(bands):
        lower, upper = lines[low], lines[high]
        shade = canvas.BANDS[min(number, len(canvas.BANDS) - 1)]
        axes.fill_between(when, lower, upper, color=shade, linewidth=0, label=f"{100 * low:g}–{100 * high:g} %")
        alone = _alone(np.isfinite(lower) & np.isfinite(upper))
        axes.vlines(when[alone], lower[alone], upper[alone], color=shade, linewidth=5)
    if 0.5 in lines:
        few = "o" if known.sum() <= 30 else ""
        axes.plot(when, lines[0.5], color=canvas.BELIEF, linewidth=1.8, marker=few, markersize=3.5, label="median")
    if not known.all():
        foot = np.full((~known).sum(), 0.015)
        axes.plot(when[~known], foot, "|", transform=axes.get_xaxis_transform(), color=canvas.QUOTES, label="gated")
    if outcome is not None:
        mark_outcome(axes, outcome, unit, level=True)
    if anchor is not None:
        _mark_anchor(axes, anchor)
    canvas.dress(axes, title, _and_unit("quantiles of the implied distribution", unit))
    canvas.number_axis(axes.yaxis)
    canvas.time_axis(axes)
    axes.margins(x=0.03)
    canvas.legend(figure)
    return canvas.png(figure)


def survival_picture(
    cuts: Sequence[float],
    bids: Numbers,
    asks: Numbers,
    repaired: Numbers,
    *,
    title: str,
    unit: str = "",
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw a threshold ladder: what was quoted at every cut, and the survival curve repaired from it.

    Args:
        cuts: cuts of the ladder, ascending, in the unit of the settled number.
        bids: bid of "above the cut" in dollars; ``None`` where the side is empty.
        asks: ask, likewise. A mid is drawn where both sides are there.
        repaired: the repaired probability of exceeding the cut; ``None`` where it is not published.
        title: usually the event's ticker and the instant.
        unit: unit of the cuts.
        outcome: what came true, if it is known.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length.
    """
    _same_length("the survival curve", cuts=cuts, bids=bids, asks=asks, repaired=repaired)
    if not len(cuts):
        return canvas.empty_picture(title, "The ladder has no cut: there is no curve to show.", size)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    x, bid, ask, curve = floats(cuts), floats(bids), floats(asks), floats(repaired)
    both, one = np.isfinite(bid) & np.isfinite(ask), np.isfinite(bid) ^ np.isfinite(ask)
    if both.any():
        axes.vlines(x[both], bid[both], ask[both], color=canvas.QUOTES, linewidth=6, alpha=0.35, label="bid to ask")
        axes.plot(x, (bid + ask) / 2, "o", ms=5, mfc="white", mec=canvas.QUOTES, label="raw mid")
    if one.any():
        bottom, top = np.nan_to_num(bid, nan=0.0)[one], np.nan_to_num(ask, nan=1.0)[one]
        axes.vlines(x[one], bottom, top, color=canvas.QUOTES, linestyle=(0, (1, 2)), label="one side empty")
    if np.isfinite(curve).any():
        axes.plot(x, curve, "o-", color=canvas.BELIEF, linewidth=1.8, ms=3.5, label="repaired")
    canvas.dress(axes, title, _and_unit("probability of more than", unit))
    canvas.probability_axis(axes, 1.02)
    mark_outcome(axes, outcome, unit)
    canvas.number_axis(axes.xaxis)
    canvas.legend(figure)
    return canvas.png(figure)


def mass_picture(
    lows: Numbers,
    highs: Numbers,
    mass: Numbers,
    *,
    title: str,
    subtitle: str = "",
    unit: str = "",
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw the probability of every cell of a ladder; open cells are paler and point outward.

    Args:
        lows: lower edges of the cells, ascending; ``None`` where a cell is open below.
        highs: upper edges; ``None`` where a cell is open above.
        mass: probability of each cell; ``None`` where it is not published.
        title: usually the event's ticker.
        subtitle: usually the instant and the mean.
        unit: unit of the edges.
        outcome: what came true, if it is known.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length.
    """
    _same_length("the mass", lows=lows, highs=highs, mass=mass)
    if not np.isfinite(floats(mass)).any():
        return canvas.empty_picture(title, _NOTHING_PASSED.format(count=1), size)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    draw_mass(axes, lows, highs, mass, unit=unit, outcome=outcome)
    canvas.dress(axes, title, subtitle or _and_unit("probability by cell", unit))
    return canvas.png(figure)


