"""The scorecard for people: a table in Markdown, and a picture of every method's loss against the market's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes

from kalshi_pipeline.report import canvas

_TITLE = "Scorecard"
#: Methods in order, with the names people read.
METHOD_NAMES = {
    "market": "market",
    "recalibrated": "recalibrated",
    "ridge": "ridge",
    "fair_mids": "fair mids",
    "naive_mids": "naive mids",
    "uniform": "uniform",
    "climatology": "climatology",
    "no_change": "no change",
}
_PANEL = (3.6, 2.3)
_UNIT_FREE = "log_score"

#: Release type and horizon of a panel, and its rows by method.
Panel: TypeAlias = tuple[tuple[str, int], list[dict[str, Any]]]


def scorecard_markdown(scorecard: pa.Table, metric: str = _UNIT_FREE) -> str:
    """One metric by release type, horizon and method, with intervals, differences, events and dates.

    Args:
        scorecard: rows of ``research.scorecard``.
        metric: a loss: ``log_score``, ``rps``, ``crps``, ``absolute_error`` or ``brier``.
    """
    rows = rows_of(scorecard, metric)
    if not rows:
        return f"No event has both a snapshot that passed the gates and an outcome yet: there is no {metric} to show."
    lines = [
        f"| release type | horizon | method | {metric} | 95 % interval | less the market's | 95 % interval | p "
        "| events | from | to |",
        "|---|--:|---|--:|---|--:|---|--:|--:|---|---|",
    ]
    for row in rows:
        cells = [row["scope_value"], horizon_words(row["horizon_minutes"]), METHOD_NAMES[row["method"]]]
        cells += [figure_words(row["estimate"]), interval_words(row["estimate_low"], row["estimate_high"])]
        cells += [figure_words(row["difference"]), interval_words(row["difference_low"], row["difference_high"])]
        cells += [_p_value(row["dm_p_value"]), str(row["n_events"])]
        cells += [f"{row[name]:%Y-%m-%d}" for name in ("first_anchor", "last_anchor")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def scorecard_picture(scorecard: pa.Table, metric: str = _UNIT_FREE, limit: int = 12) -> bytes:
    """Draw every method's loss with its interval, one panel per release type and horizon.

    Args:
        scorecard: rows of ``research.scorecard``.
        metric: a loss.
        limit: most panels; those with the most events come first.
    """
    chosen = panels(rows_of(scorecard, metric), limit)
    if not chosen:
        return canvas.empty_picture(_TITLE, "No event has both a passed snapshot and an outcome yet.")
    headline = f"{_TITLE}: mean {metric.replace('_', ' ')} with 95 % interval, lower is better"
    return panels_picture(chosen, headline, _mark_losses)


def panels_picture(
    chosen: Sequence[Panel], headline: str, mark: Callable[[Axes, Sequence[dict[str, Any]]], None]
) -> bytes:
    """Draw panels side by side, the methods of each one below the other.

    Args:
        chosen: at least one panel.
        headline: above all of them.
        mark: draws the rows of a panel, the first at height 0, the next at 1.
    """
    columns = min(len(chosen), 3)
    height = -(-len(chosen) // columns)
    figure = canvas.new_figure((columns * _PANEL[0], 0.4 + height * _PANEL[1]))
    canvas.headline(figure, headline)
    axes = figure.subplots(height, columns, squeeze=False).ravel()
    for panel, ((kind, horizon), own) in zip(axes, chosen, strict=False):
        mark(panel, own)
        panel.set_yticks(range(len(own)), [METHOD_NAMES[row["method"]] for row in own])
        panel.set_ylim(len(own) - 0.5, -0.5)
        panel.set_xlim(left=0)
        events = max(row["n_events"] for row in own)
        canvas.dress(panel, f"{kind}, {horizon_words(horizon)} before", f"{events} events")
        panel.grid(axis="x", color=canvas.RULE, linewidth=0.8)
    for panel in axes[len(chosen) :]:
        panel.set_axis_off()
    return canvas.png(figure)


def _mark_losses(panel: Axes, rows: Sequence[dict[str, Any]]) -> None:
    place = np.arange(len(rows))
    value, low, high = (
        np.array([row[name] for row in rows], dtype=np.float64)
        for name in ("estimate", "estimate_low", "estimate_high")
    )
    colours = [canvas.BELIEF if row["method"] == "market" else canvas.QUOTES for row in rows]
    panel.hlines(place, low, high, color=colours, linewidth=2.2)
    panel.scatter(value, place, color=colours, s=22, zorder=3, clip_on=False)


def panels(rows: list[dict[str, Any]], limit: int) -> list[Panel]:
    """Rows by release type and horizon: those with the most events, by type, the longest horizon first."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["scope_value"], row["horizon_minutes"]), []).append(row)
    most = sorted(found.items(), key=lambda item: -max(row["n_events"] for row in item[1]))[:limit]
    return sorted(most, key=lambda item: (item[0][0], -item[0][1]))


def horizon_words(minutes: int) -> str:
    """A horizon as people say it: ``7 d``, ``4 h``, ``15 min``."""
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def rows_of(scorecard: pa.Table, metric: str) -> list[dict[str, Any]]:
    """The rows of a metric by release type, the longest horizon first, methods in their order."""
    chosen = pc.and_(pc.equal(scorecard["metric"], metric), pc.equal(scorecard["scope"], "release_type"))
    rows: list[dict[str, Any]] = scorecard.filter(chosen).to_pylist()
    order = list(METHOD_NAMES)
    rows.sort(key=lambda row: (row["scope_value"], -row["horizon_minutes"], order.index(row["method"])))
    return rows


def figure_words(value: float | None) -> str:
    """A figure with three decimals; empty where there is none."""
    return "" if value is None else f"{value:.3f}".replace("-", "−")


def _p_value(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else figure_words(value)


def interval_words(low: float | None, high: float | None) -> str:
    """An interval by its ends; empty where there is none."""
    return "" if low is None else f"{figure_words(low)} to {figure_words(high)}"
