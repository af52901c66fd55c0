"""Sections that judge: how good forecasts were, how reliable the market's probabilities are, and what was proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from kalshi_pipeline.report import canvas
from kalshi_pipeline.report.curves import reliability_curve
from kalshi_pipeline.report.page.cards import moment
from kalshi_pipeline.report.page.sections import Grid, Picture, Section
from kalshi_pipeline.research.scoring.reliability import Corp, corp

_NOTHING = "Nothing has been scored yet."


def scorecard(table: pa.Table | None) -> Section:
    """How every method did a day before the release; ``table`` as ``warehouse.report_tables`` reads it."""
    intro = (
        "How forecasts a day before the release did: means over events with their 95 % intervals, lower is better, and "
        "the log score beyond the market's on the same events (above 0 the market was better). CRPS is in the unit of "
        "the release; the last columns are shares of outcomes in central intervals."
    )
    if table is None or not table.num_rows:
        return Section("scores", "Scorecard", intro, empty=_NOTHING)
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault((row["scope_value"], row["method"]), {})[row["metric"]] = row
    rows = [
        [
            over,
            method.replace("_", " "),
            f"{max(row['n_events'] for row in metrics.values()):,}",
            _estimate(metrics.get("log_score")),
            _estimate(metrics.get("log_score"), "difference"),
            *(_estimate(metrics.get(name)) for name in ("crps", "brier")),
            *(_share(metrics.get(name)) for name in ("coverage_50", "coverage_90")),
        ]
        for (over, method), metrics in sorted(found.items(), key=_market_first)
    ]
    heads = ["over", "method", "events", "log score", "beyond the market", "CRPS", "Brier", "in 50 %", "in 90 %"]
    return Section("scores", "Scorecard", intro, grid=Grid(heads, rows, frozenset({2, 7, 8})))


def places(table: pa.Table | None) -> Section:
    """Where outcomes fell in the market's distribution; ``table`` holds ``tenth, events, of_events``."""
    intro = (
        "Where outcomes fell in the market's distribution a day before (PIT), by tenths of its probability. A well "
        "calibrated market has about as many in each."
    )
    if table is None or not table.num_rows:
        return Section("calibration", "Where outcomes fell", intro, empty=_NOTHING)
    found = table.to_pylist()
    rows = [
        [
            f"{10 * row['tenth']} to {10 * row['tenth'] + 10}\u00a0%",
            f"{row['of_events'] / 10:.1f}",
            f"{row['events']:.1f}",
        ]
        for row in found
    ]
    most = max(row["events"] for row in found)
    grid = Grid(["tenth", "expected", "events"], rows, frozenset({1, 2}), bars=[row["events"] / most for row in found])
    said = f"{found[0]['of_events']:,} events; one whose place is an interval counts in parts."
    return Section("calibration", "Where outcomes fell", intro, grid=grid, lines=[said])


def reliability(table: pa.Table | None) -> Section:
    """How often markets paid that were given a probability; ``table`` holds ``probability, paid, event_ticker``."""
    title = "Reliability"
    intro = (
        "How often single markets paid, by the probability they had a day before. Probabilities are grouped by "
        "isotonic regression (CORP), so that no bins are chosen; a reliable market pays as often as it says."
    )
    if table is None or not table.num_rows:
        return Section("reliability", title, intro, empty=_NOTHING)
    found = corp(table["probability"].to_numpy(), table["paid"].to_numpy(zero_copy_only=False))
    groups = _groups(found)
    rows = [
        [_percents(group["low"], group["high"]), f"{group['markets']:,.0f}", _percent(group["said"]), _percent(paid)]
        for group, paid in groups
    ]
    events = len(table["event_ticker"].unique())
    said = f"{table.num_rows:,} markets of {events:,} events"
    parts = (
        f"{said}: a Brier score of {found.score:.4f} = {found.miscalibration:.4f} miscalibration − "
        f"{found.discrimination:.4f} discrimination + {found.uncertainty:.4f} uncertainty. Markets of one event move "
        "together, so that there is less to learn from them than their number says."
    )
    picture = Picture(
        canvas.data_uri(
            reliability_curve(
                found.forecast.tolist(), found.recalibrated.tolist(), found.weight.tolist(), subtitle=said
            )
        ),
        f"Reliability curve of {said}: how often they paid, over the probability they had; the table below has its "
        "steps",
    )
    grid = Grid(["probability", "markets", "mean", "paid"], rows, frozenset({1, 2, 3}))
    return Section("reliability", title, intro, grid=grid, picture=picture, lines=[parts])


def proofs(record: Mapping[str, Any] | None) -> Section:
    """What was proved last; ``record`` as ``proving.last_record`` reads it, or ``None``."""
    title = "Proofs"
    intro = (
        "Whether anything looked ahead: results built again from what was known at random instants, stored rows "
        "looked through, models fitted again without their tests."
    )
    if record is None:
        empty = "Nothing has been proved yet; the command kalshi-pipeline prove does that, and its results stand here."
        return Section("proofs", title, intro, empty=empty)
    results: Sequence[Mapping[str, Any]] = record["proofs"]
    rows = [
        [
            proof["name"],
            "failed" if proof["failed"] else "passed" if proof["trials"] else "nothing to try",
            f"{proof['trials']:,}",
            f"{proof['failed']:,}",
        ]
        for proof in results
    ]
    passed = sum(row[1] == "passed" for row in rows)
    lines = [
        f"{passed} of {len(rows)} proofs passed on {moment(record['proved_at'])}, at {record['cuts']} random instants "
        f"(seed {record['seed']}).",
        *(f"{proof['name']}: {failure}" for proof in results for failure in proof["failures"]),
    ]
    grid = Grid(["proof", "verdict", "trials", "failed"], rows, frozenset({2, 3}))
    return Section("proofs", title, intro, grid=grid, lines=lines)


def _groups(found: Corp) -> list[tuple[dict[str, float], float]]:
    """The steps of a reliability curve: probabilities that belong together, and how often they paid."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(found.recalibrated) > 0]))
    groups = []
    for start, end in zip(starts, [*starts[1:], found.forecast.size], strict=True):
        forecast, weight = found.forecast[start:end], found.weight[start:end]
        group = {
            "low": float(forecast[0]),
            "high": float(forecast[-1]),
            "markets": float(weight.sum()),
            "said": float(np.average(forecast, weights=weight)),
        }
        groups.append((group, float(found.recalibrated[start])))
    return groups


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f}\u00a0%"


def _percents(low: float, high: float) -> str:
    first, last = f"{100 * low:.1f}", f"{100 * high:.1f}"
    return f"{first}\u00a0%" if first == last else f"{first} to {last}\u00a0%"


def _market_first(entry: tuple[tuple[str, str], object]) -> tuple[str, bool, str]:
    (over, method), _ = entry
    return over, method != "market", method


def _share(row: Mapping[str, Any] | None) -> str:
    return "" if row is None or row["estimate"] is None else f"{100 * row['estimate']:.0f}\u00a0%"


def _estimate(row: Mapping[str, Any] | None, name: str = "estimate") -> str:
    if row is None or row[name] is None:
        return ""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    value = canvas.number(float(f"{row[name]:.3g}"))
    if low is None or high is None:
        return value
    return f"{value} [{canvas.number(float(f'{low:.3g}'))}, {canvas.number(float(f'{high:.3g}'))}]"
