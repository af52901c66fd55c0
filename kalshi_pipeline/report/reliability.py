"""Reliability for people: what every method's probabilities of single markets were worth, as a table and a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.scorecard import (
    METHOD_NAMES,
    figure_words,
    horizon_words,
    interval_words,
    panels,
    rows_of,
)

_TITLE = "Reliability"
_SCORE = "market_brier"
_PARTS = ("miscalibration", "discrimination", "uncertainty")
_PANEL = (3.6, 2.3)


def reliability_markdown(scorecard: pa.Table) -> str:
    """The Brier score of single markets and its parts, by release type, horizon and method.

    Args:
        scorecard: rows of ``research.scorecard``.
    """
    rows = _rows(scorecard)
    if not rows:
        return "No event has both a snapshot that passed the gates and an outcome yet: nothing can be reliable."
    lines = [
        f"| release type | horizon | method | Brier | 95 % interval | {' | '.join(_PARTS)} | events |",
        "|---|--:|---|--:|---|" + "--:|" * (len(_PARTS) + 1),
    ]
    for row in rows:
        cells = [row["scope_value"], horizon_words(row["horizon_minutes"]), METHOD_NAMES[row["method"]]]
        cells += [figure_words(row["estimate"]), interval_words(row["estimate_low"], row["estimate_high"])]
        cells += [*(figure_words(row[part]) for part in _PARTS), str(row["n_events"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def reliability_picture(scorecard: pa.Table, limit: int = 12) -> bytes:
    """Draw what recalibration would save of every method's score, and what the method knew, side by side.

    Args:
        scorecard: rows of ``research.scorecard``.
        limit: most panels; those with the most events come first.
    """
    chosen = panels(_rows(scorecard), limit)
    if not chosen:
        return canvas.empty_picture(_TITLE, "No event has both a passed snapshot and an outcome yet.")
    columns = min(len(chosen), 3)
    height = -(-len(chosen) // columns)
    figure = canvas.new_figure((columns * _PANEL[0], 0.4 + height * _PANEL[1]))
    canvas.headline(figure, f"{_TITLE} of single markets: miscalibration (red), discrimination (blue)")
    axes = figure.subplots(height, columns, squeeze=False).ravel()
    for panel, (key, own) in zip(axes, chosen, strict=False):
        place = np.arange(len(own))
        for part, colour in zip(_PARTS[:2], (canvas.OUTCOME, canvas.BELIEF), strict=True):
            panel.scatter([row[part] for row in own], place, color=colour, s=22, zorder=3, clip_on=False)
        panel.set_yticks(place, [METHOD_NAMES[row["method"]] for row in own])
        panel.set_ylim(len(own) - 0.5, -0.5)
        panel.set_xlim(left=0)
        canvas.dress(panel, f"{key[0]}, {horizon_words(key[1])} before", f"{max(r['n_events'] for r in own)} events")
        panel.grid(axis="x", color=canvas.RULE, linewidth=0.8)
    for panel in axes[len(chosen) :]:
        panel.set_axis_off()
    return canvas.png(figure)


def _rows(scorecard: pa.Table) -> list[dict[str, Any]]:
    """The rows of the score, each with its parts."""
    parts = {
        part: {
            (row["scope_value"], row["horizon_minutes"], row["method"]): row["estimate"]
            for row in rows_of(scorecard, f"{_SCORE}_{part}")
        }
        for part in _PARTS
    }
    rows = rows_of(scorecard, _SCORE)
    for row in rows:
        key = row["scope_value"], row["horizon_minutes"], row["method"]
        row |= {part: parts[part][key] for part in _PARTS}
    return rows
