"""Reliability for people: what every method's probabilities of single markets were worth, as a table and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from matplotlib.axes import Axes

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.scorecard import (
    METHOD_NAMES,
    figure_words,
    horizon_words,
    interval_words,
    panels,
    panels_picture,
    rows_of,
)

_TITLE = "Reliability"
_SCORE = "market_brier"
_PARTS = ("miscalibration", "discrimination", "uncertainty")


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
    headline = f"{_TITLE} of single markets: miscalibration (red), discrimination (blue)"
    return panels_picture(chosen, headline, _mark_parts)


def _mark_parts(panel: Axes, rows: Sequence[dict[str, Any]]) -> None:
    for part, colour in zip(_PARTS[:2], (canvas.OUTCOME, canvas.BELIEF), strict=True):
        panel.scatter([row[part] for row in rows], range(len(rows)), color=colour, s=22, zorder=3, clip_on=False)


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
