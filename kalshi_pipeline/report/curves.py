"""Pictures of curves: a belief over time, a survival curve beside its quotes, and how reliable probabilities are.

Arrays go in and PNG bytes come out; a picture with nothing to show says why in words. Pictures of mass by cell are in
``figures``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.canvas import SIZE
from kalshi_pipeline.report.marks import Numbers, floats, mark_outcome, nothing_passed, same_length

#: More cuts than this are drawn without marks, and only where the curve is not sure.
_MANY, _SURE = 40, 0.002


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
    same_length("the fan", asof=asof, **{f"quantile {level:g}": values for level, values in quantiles.items()})
    lines = {level: floats(values) for level, values in sorted(quantiles.items())}
    known = np.isfinite(np.array(list(lines.values())).reshape(len(lines), len(asof))).any(axis=0)
    if not known.any():
        return canvas.empty_picture(title, nothing_passed(len(asof)), size)
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
        axes.axhline(outcome, color=canvas.OUTCOME, linewidth=1.6)
        settled = f"settled {canvas.with_unit(outcome, unit)}"
        _write(axes, settled, (0.0, outcome), ("axes fraction", "data"), (4, 4), color=canvas.OUTCOME)
    if anchor is not None:
        release = float(date2num(anchor))
        axes.axvline(release, color=canvas.SOFT_INK, linewidth=1, linestyle=(0, (4, 3)))
        style = {"ha": "right", "va": "top", "color": canvas.SOFT_INK}
        _write(axes, "release", (release, 1.0), ("data", "axes fraction"), (-4, -3), **style)
    canvas.dress(axes, title, canvas.and_unit("quantiles of the implied distribution", unit))
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
    lows: Numbers | None = None,
    highs: Numbers | None = None,
    title: str,
    subtitle: str = "",
    unit: str = "",
    outcome: float | None = None,
    size: tuple[float, float] = SIZE,
) -> bytes:
    """Draw a ladder as a survival curve: what was quoted at every cut, what no arbitrage leaves, what repair chose.

    Args:
        cuts: cuts of the ladder, ascending, in the unit of the settled number.
        bids: bid of "above the cut" in dollars; ``None`` where the side is empty.
        asks: ask, likewise. A mid is drawn where both sides are there.
        repaired: the repaired probability of exceeding the cut; ``None`` where it is not published.
        lows: least such probability that the quotes of the whole ladder admit.
        highs: greatest such probability.
        title: usually the event's ticker.
        subtitle: usually the instant.
        unit: unit of the cuts.
        outcome: what came true, if it is known.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length.
    """
    lows, highs = lows or [None] * len(cuts), highs or [None] * len(cuts)
    same_length("the survival curve", cuts=cuts, bids=bids, asks=asks, repaired=repaired, lows=lows, highs=highs)
    if not len(cuts):
        return canvas.empty_picture(title, "The ladder has no cut: there is no curve to show.", size)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    x, bid, ask, curve = floats(cuts), floats(bids), floats(asks), floats(repaired)
    low, high = floats(lows), floats(highs)
    if (np.isfinite(low) & np.isfinite(high)).any():
        axes.fill_between(x, low, high, color=canvas.BANDS[0], linewidth=0, label="no-arbitrage band")
    both, one = np.isfinite(bid) & np.isfinite(ask), np.isfinite(bid) ^ np.isfinite(ask)
    if both.any():
        axes.vlines(x[both], bid[both], ask[both], color=canvas.QUOTES, linewidth=6, alpha=0.35, label="bid to ask")
        marker = 5 if len(x) <= _MANY else 2.5
        axes.plot(x, (bid + ask) / 2, "o", ms=marker, mfc="white", mec=canvas.QUOTES, label="raw mid")
    if one.any():
        bottom, top = np.nan_to_num(bid, nan=0.0)[one], np.nan_to_num(ask, nan=1.0)[one]
        axes.vlines(x[one], bottom, top, color=canvas.QUOTES, linestyle=(0, (1, 2)), label="one side empty")
    if np.isfinite(curve).any():
        axes.plot(
            x, curve, "o-", color=canvas.BELIEF, linewidth=1.8, ms=3.5 if len(x) <= _MANY else 0, label="repaired"
        )
    if len(x) > _MANY:
        # Where everything is sure there is nothing to see.
        unsure = np.flatnonzero((curve > _SURE) & (curve < 1 - _SURE))
        if unsure.size:
            axes.set_xlim(x[max(unsure[0] - 3, 0)], x[min(unsure[-1] + 3, len(x) - 1)])
    said = canvas.and_unit("probability of more than", unit)
    canvas.dress(axes, title, f"{subtitle} · {said}" if subtitle else said)
    canvas.probability_axis(axes, 1.02)
    mark_outcome(axes, outcome, unit)
    canvas.number_axis(axes.xaxis)
    canvas.legend(figure)
    return canvas.png(figure)


def reliability_curve(
    forecast: Sequence[float],
    paid: Sequence[float],
    markets: Sequence[float],
    *,
    subtitle: str = "",
    size: tuple[float, float] = (5.2, 4.4),
) -> bytes:
    """Draw how often markets paid over the probability they had, beside the diagonal of a reliable market.

    Args:
        forecast: distinct probabilities, ascending; at least one.
        paid: how often markets of each paid, by isotonic regression.
        markets: markets of each, drawn as marks at the foot whose height grows with their number.
        subtitle: usually how many markets and events there are.
        size: width and height in inches.

    Raises:
        ValueError: the columns differ in length.
    """
    same_length("the reliability curve", forecast=forecast, paid=paid, markets=markets)
    figure = canvas.new_figure(size)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=canvas.QUOTES, linewidth=1, linestyle=(0, (4, 3)), label="as often as said")
    most = max(markets)
    axes.vlines(
        forecast,
        0,
        [0.02 + 0.08 * count / most for count in markets],
        color=canvas.BANDS[2],
        linewidth=1.2,
        label="markets (taller: more)",
    )
    few = "o" if len(forecast) <= _MANY else ""
    axes.plot(forecast, paid, color=canvas.BELIEF, linewidth=1.8, marker=few, markersize=3.5, label="paid")
    canvas.dress(axes, "Reliability", subtitle or "how often markets paid over the probability they had")
    canvas.probability_axis(axes, 1.02)
    axes.set_xlim(-0.01, 1.01)
    canvas.percents(axes.xaxis)
    axes.set_xlabel("probability a day before", fontsize=8, color=canvas.SOFT_INK)
    axes.set_ylabel("share that paid", fontsize=8, color=canvas.SOFT_INK)
    canvas.legend(figure)
    return canvas.png(figure)


def _write(
    axes: Axes, words: str, where: tuple[float, float], frame: tuple[str, str], nudge: tuple[int, int], **style: Any
) -> None:
    """Write words on top of data, ``nudge`` points from a place given in two coordinate frames."""
    axes.annotate(
        words,
        where,
        xycoords=frame,
        xytext=nudge,
        textcoords="offset points",
        fontsize=8,
        path_effects=canvas.halo(),
        **style,
    )


def _alone(known: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which known entries have no known neighbour: a band has no area there and needs a stroke."""
    alone = known.copy()
    alone[1:] &= ~known[:-1]
    alone[:-1] &= ~known[1:]
    return alone
