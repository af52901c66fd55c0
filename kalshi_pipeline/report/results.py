"""What the research says, as one Markdown text: how much there is to judge by, what passed, and how good it was.

Nothing is computed here; figures come as they are stored, good or bad.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.report.scorecard import horizon_words, scorecard_markdown

_CALIBRATION = {
    "coverage_50": "50 % interval",
    "coverage_80": "80 %",
    "coverage_90": "90 %",
    "market_brier": "Brier, single markets",
    "market_brier_miscalibration": "miscalibration",
    "market_brier_discrimination": "discrimination",
    "market_brier_uncertainty": "uncertainty",
}


def results_markdown(labels: pa.Table, panel: pa.Table, scorecard: pa.Table, fold_sentences: Mapping[str, str]) -> str:
    """Put the results together.

    Args:
        labels: rows of ``research.event_labels``.
        panel: rows of ``research.event_feature_panel``.
        scorecard: rows of ``research.scorecard``.
        fold_sentences: what came of each pool of releases, by pool.
    """
    labelled = pc.sum(labels["has_label"]).as_py() or 0
    parts = [
        f"{labelled} of {len(labels)} ladders have an outcome.",
        "## What passed\n\n" + _passed(panel),
        "## Folds\n\n" + "\n".join(f"- {sentence}" for sentence in fold_sentences.values()),
        "## CRPS\n\nIn the unit of each release type; lower is better.\n\n" + scorecard_markdown(scorecard, "crps"),
        "## Log score\n\nOf the outcome's cell, in nats, floored at a probability of 0.001; lower is better.\n\n"
        + scorecard_markdown(scorecard, "log_score"),
        "## Calibration of the market\n\nCoverage is the share of outcomes in central intervals, by randomised PIT.\n\n"
        + _calibration(scorecard),
    ]
    return "\n\n".join(parts)


def _passed(panel: pa.Table) -> str:
    """Rows of the panel by horizon: how many have features, and what held the others back."""
    rows: dict[int, Counter[str]] = {}
    names = ("horizon_minutes", "missing_reason", "gate_reasons")
    for horizon, missing, gates in zip(*(panel[name].to_pylist() for name in names), strict=True):
        counted = rows.setdefault(horizon, Counter())
        counted[missing or "passed"] += 1
        if missing == "gated":
            counted.update(f"gate {gate}" for gate in gates)
    gates = sorted({name for counted in rows.values() for name in counted if name.startswith("gate ")})
    columns = ["passed", "gated", *gates, "no_snapshot", "not_trading"]
    heads = [name.removeprefix("gate ").replace("_", " ") for name in columns]
    lines = [f"| before | {' | '.join(heads)} |", "|---|" + "--:|" * len(columns)]
    for horizon in sorted(rows, reverse=True):
        figures = " | ".join(str(rows[horizon][name]) for name in columns)
        lines.append(f"| {horizon_words(horizon)} | {figures} |")
    return "\n".join([*lines, "", "A snapshot can fail several gates."])


def _calibration(scorecard: pa.Table) -> str:
    chosen = pc.and_(pc.equal(scorecard["scope"], "release_type"), pc.equal(scorecard["method"], "market"))
    found: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for row in scorecard.filter(chosen).to_pylist():
        found.setdefault((row["scope_value"], row["horizon_minutes"]), {})[row["metric"]] = row
    lines = [
        f"| release type | before | {' | '.join(_CALIBRATION.values())} | events |",
        "|---|---|" + "---|" * len(_CALIBRATION) + "--:|",
    ]
    for (kind, horizon), metrics in sorted(found.items(), key=lambda item: (item[0][0], -item[0][1])):
        cells = [kind, horizon_words(horizon), *(_estimate(metrics.get(name)) for name in _CALIBRATION)]
        lines.append(f"| {' | '.join(cells)} | {metrics['log_score']['n_events']} |")
    return "\n".join(lines)


def _estimate(row: Mapping[str, Any] | None) -> str:
    if row is None or row["estimate"] is None:
        return ""
    value = f"{row['estimate']:.3f}"
    return (
        value if row["estimate_low"] is None else f"{value} ({row['estimate_low']:.3f} to {row['estimate_high']:.3f})"
    )
