"""Small tables for the HTML report, as the warehouse hands them over, and the page made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from kalshi_pipeline.report.page.contents import make_page
from kalshi_pipeline.report.page.sections import Page
from kalshi_pipeline.research.summary import OffLadder, Summary

NOW = datetime(2026, 6, 30, 20, tzinfo=UTC)
HOSTILE = "<script>alert('&')</script>"

_TYPES = {
    "words": pa.string(),
    "times": pa.timestamp("us", tz="UTC"),
    "days": pa.date32(),
    "counts": pa.int64(),
    "numbers": pa.float64(),
    "truths": pa.bool_(),
}


def _schema(**columns: str) -> pa.Schema:
    """A schema from the names of its columns by what they hold."""
    return pa.schema([(name, _TYPES[kind]) for kind, names in columns.items() for name in names.split()])


_SCHEMAS = {
    "runs": _schema(words="run_id datasets", times="written_at", days="first_day last_day", counts="days rows"),
    "coverage": _schema(words="series_ticker", days="day", counts="snapshots passed"),
    "gates": _schema(words="reason", days="day", counts="snapshots"),
    "quarantine": _schema(words="table_name reason", counts="rows", times="latest"),
    "snapshots": _schema(
        words="ladder_id event_ticker series_ticker role quote_kind outcome_text unit",
        times="asof anchor_ts",
        numbers="mean median q05 q95 mean_low mean_high outcome grid_step",
        counts="n_quoted n_legs",
    ),
    "cells": _schema(
        words="ladder_id", counts="cell_index", numbers="low_cut high_cut probability probability_low probability_high"
    ),
    "paths": _schema(words="ladder_id", times="asof", numbers="q05 q25 median q75 q95"),
    "scores": _schema(
        words="scope_value method metric",
        numbers="estimate estimate_low estimate_high difference difference_low difference_high",
        counts="n_events",
    ),
    "reliability": _schema(words="event_ticker", numbers="probability", truths="paid"),
    "pit": _schema(counts="tenth of_events", numbers="events"),
    "folds": _schema(
        words="pool not_built_reason",
        counts="folds least_train_groups most_train_groups tested_releases",
        times="first_test last_test",
    ),
}


def tables(**rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """The tables of a report with these rows; the ones that are not named are empty."""
    return {name: pa.Table.from_pylist(rows.get(name, []), schema=schema) for name, schema in _SCHEMAS.items()}


def snapshot(role: str, **values: Any) -> dict[str, Any]:
    """One chosen snapshot of a CPI ladder."""
    return {
        "ladder_id": f"KXCPI-{role}",
        "asof": NOW,
        "event_ticker": f"KXCPI-{role}",
        "series_ticker": "KXCPI",
        "mean": 0.21,
        "median": 0.2,
        "q05": 0.1,
        "q95": 0.4,
        "mean_low": 0.15,
        "mean_high": 0.27,
        "role": role,
        "anchor_ts": NOW + timedelta(days=10),
        "outcome": 0.3 if role == "latest" else None,
        "unit": "percent, month on month",
        "grid_step": 0.1,
        **values,
    }


def cells(ladder: str) -> list[dict[str, Any]]:
    """Four cells of a ladder; the one above 0.35 holds next to nothing."""
    edges = [None, 0.15, 0.25, 0.35, None]
    mass = [0.2, 0.5, 0.298, 0.002]
    return [
        {
            "ladder_id": ladder,
            "cell_index": index,
            "low_cut": edges[index],
            "high_cut": edges[index + 1],
            "probability": mass[index],
            "probability_low": mass[index] / 2,
            "probability_high": min(mass[index] * 1.5, 1.0),
        }
        for index in range(4)
    ]


def score(method: str, metric: str) -> dict[str, Any]:
    """One row of the scorecard."""
    row = {"scope_value": "CPI", "method": method, "metric": metric, "n_events": 60}
    row |= {"estimate": 0.08, "estimate_low": 0.0712, "estimate_high": 0.0899}
    if method == "market":
        return row
    return row | {"difference": 0.0212, "difference_low": -0.0112, "difference_high": 0.0312}


def proved(failures: Sequence[str] = ()) -> dict[str, Any]:
    """The record of the last proofs, one of them with these failures."""
    results = [
        {"name": "truncation", "trials": 25, "failed": 0, "failures": []},
        {"name": "row order", "trials": 25, "failed": len(failures), "failures": list(failures)},
        {"name": "fits learn from training alone", "trials": 0, "failed": 0, "failures": []},
    ]
    return {"proved_at": NOW, "cuts": 25, "seed": 7, "proofs": results}


def filled() -> dict[str, pa.Table]:
    """Tables with something in every section, some of it hostile."""
    days = [date(2026, 6, 1) + timedelta(days=n) for n in range(30)]
    path = [
        {"ladder_id": "KXCPI-next", "asof": NOW - timedelta(hours=n), "median": 0.2, "q05": 0.1, "q95": 0.4}
        for n in range(20, 0, -1)
    ]
    return tables(
        runs=[
            {"run_id": "0123456789", "written_at": NOW, "datasets": "candles, trades", "first_day": days[0]}
            | {"last_day": days[-1], "days": 30, "rows": 1234}
        ],
        coverage=[
            {"series_ticker": series, "day": day, "snapshots": 24, "passed": day.day % 25}
            for series in ("KXCPI", "KXHIGHCHI")
            for day in days
        ],
        gates=[{"day": day, "reason": "spread_wide", "snapshots": 1 + day.day} for day in days[:10]],
        quarantine=[{"table_name": "raw.candles", "reason": HOSTILE, "rows": 7, "latest": NOW}],
        snapshots=[snapshot("next"), snapshot("latest")],
        cells=[*cells("KXCPI-next"), *cells("KXCPI-latest")],
        paths=path,
        scores=[
            score(method, metric)
            for method in ("climatology", "fair_mids", "market", "uniform")
            for metric in ("brier", "coverage_50", "coverage_90", "crps", "log_score")
        ],
        reliability=[
            {"event_ticker": f"KXCPI-{n}", "probability": probability, "paid": paid}
            for n in range(10)
            for probability, paid in ((0.1, n < 2), (0.2, n < 2), (0.7, n < 8))
        ],
        pit=[{"tenth": tenth, "events": 6.0, "of_events": 60} for tenth in range(10)],
        folds=[
            {"pool": "CPI", "folds": 3, "least_train_groups": 40, "most_train_groups": 80, "tested_releases": 60}
            | {"first_test": NOW, "last_test": NOW},
            {"pool": "FOMC", "folds": 0, "tested_releases": 0, "not_built_reason": "only 8 release groups"},
        ],
    )


def summary(series: int = 2) -> Summary:
    """An account of a warehouse with some series."""
    counts = {"markets": 10, "on a ladder": 9, "ladders": 2, "snapshots": 100, "passed": 80, "outcomes": 1}
    return Summary(
        rows={"raw.candles": 10},
        by_series={f"KX{n}": counts for n in range(series)},
        gated={},
        off_ladder={"no_numeric_strike": OffLadder(1, (HOSTILE,))} if series else {},
        folds={"CPI": 3} if series else {},
        fold_sentences={"CPI": "CPI: 3 folds."} if series else {},
    )


def fresh() -> list[dict[str, Any]]:
    """Freshness of a reference table and of a fact."""
    return [
        {"dataset": "series", "days": None, "rows": 2, "quarantined": 0, "newest_day": None, "written_at": None},
        {"dataset": "candles", "days": 30, "rows": 9, "quarantined": 7, "newest_day": NOW.date(), "written_at": NOW},
    ]


def page(
    given: dict[str, pa.Table] | None = None, series: int = 2, *, source: str = "sandbox", failures: Sequence[str] = ()
) -> Page:
    """The page of some tables; without any, one with something in every section."""
    record = None if given else proved(failures)
    return make_page(given or filled(), summary(series), fresh(), source=source, made_at=NOW, proved=record)
