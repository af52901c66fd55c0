"""The scorecard: how good every method was, by series, release type and horizon, and how sure that is.

Every figure stands beside the number of events behind it. Intervals and tests treat a release group as one observation.
Metrics in a unit are told only where all events share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.research.cases import Cases
from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.evaluation import METHODS, RESULT_SCHEMA, Made
from kalshi_pipeline.research.scoring.inference import (
    Interval,
    bootstrap_means,
    cluster_sums,
    diebold_mariano,
)
from kalshi_pipeline.research.scoring.reliability import corp
from kalshi_pipeline.research.scoring.scores import COVERAGES, coverage
from kalshi_pipeline.research.single_markets import Markets, single_markets
from kalshi_pipeline.research.slices import Slice, slices

SCORECARD_SCHEMA = pa.schema(
    {
        "scope": pa.string(),
        "scope_value": pa.string(),
        "horizon_minutes": pa.int32(),
        "method": pa.string(),
        "metric": pa.string(),
        "estimate": pa.float64(),
        "estimate_low": pa.float64(),
        "estimate_high": pa.float64(),
        "n_events": pa.int32(),
        "n_groups": pa.int32(),
        "difference": pa.float64(),
        "difference_low": pa.float64(),
        "difference_high": pa.float64(),
        "dm_statistic": pa.float64(),
        "dm_p_value": pa.float64(),
        "n_paired_events": pa.int32(),
        "block_groups": pa.int32(),
        "first_anchor": TIMESTAMP,
        "last_anchor": TIMESTAMP,
    }
)
LOSSES = ("crps", "absolute_error", "log_score", "rps", "brier")
_IN_UNITS = ("crps", "absolute_error")
_CORP = ("market_brier", "market_brier_miscalibration", "market_brier_discrimination", "market_brier_uncertainty")
METRICS = (*LOSSES, *(f"coverage_{level:.0%}".rstrip("%") for level in COVERAGES), *_CORP)

REFERENCE = "market"
_ROUNDING = 1e-12


def build_scorecard(results: pa.Table, cases: Cases, forecasts: Sequence[Made]) -> pa.Table:
    """Average the results.

    Args:
        results: rows of ``research.walkforward_results``.
        cases: the cases behind them.
        forecasts: what every method said of them, for the reliability of single markets.

    Returns:
        :data:`SCORECARD_SCHEMA`. ``difference`` is the method's loss less the market's on the events that have both:
        above zero the market was better. Coverage is that of the randomised PIT. The ``market_brier`` metrics are of
        single markets, at the probability the method's distribution gives to each, decomposed by isotonic
        recalibration.
    """
    frame = results.select([n for n in RESULT_SCHEMA.names if n not in ("fold_id", "asof")]).to_pandas()
    for level in COVERAGES:
        name = f"coverage_{level:.0%}".rstrip("%")
        frame[name] = coverage(frame["pit_low"].to_numpy(), frame["pit_high"].to_numpy(), level)
    frame["case"] = _case_numbers(frame, cases)
    markets = {of_method.method: of_method for of_method in single_markets(cases, forecasts)}
    rows: list[dict[str, Any]] = []
    for part in slices(frame):
        rows += _figures(part)
        rows += _reliability(part, markets, len(cases))
    return pa.Table.from_pylist(rows, schema=SCORECARD_SCHEMA)


def _case_numbers(frame: pd.DataFrame, cases: Cases) -> Ints:
    """The position of every result's case."""
    keys = ["ladder_id", "horizon_minutes"]
    known = pd.MultiIndex.from_frame(cases.table.select(keys).to_pandas())
    return np.asarray(known.get_indexer(pd.MultiIndex.from_frame(frame[keys])), dtype=np.int64)


def _figures(part: Slice) -> Iterator[dict[str, Any]]:
    rows = part.rows
    one_unit = rows["unit"].nunique(dropna=False) == 1
    metrics = [metric for metric in METRICS if metric not in _CORP and (one_unit or metric not in _IN_UNITS)]
    found = {metric: rows[metric].to_numpy(dtype=np.float64) for metric in metrics}
    case = rows["case"].to_numpy()
    reference = _rows_of(part, REFERENCE)
    of_market = np.full(case.max(initial=-1) + 1, np.nan)
    for method in METHODS:
        at = _rows_of(part, method)
        if not at.size:
            continue
        cluster, members = part.cluster[at], _members(part, at)
        gaps: dict[str, Floats] = {}
        for metric in metrics:
            if metric in LOSSES and method != REFERENCE:
                of_market[case[reference]] = found[metric][reference]
                gap = found[metric][at] - of_market[case[at]]
                # Equal scores differ by rounding alone; a test would take that for a result.
                gaps[metric] = np.where(np.abs(gap) < _ROUNDING, 0.0, gap)
        intervals = _means(part, [*(found[metric][at] for metric in metrics), *gaps.values()], cluster)
        of_gap = dict(zip(gaps, intervals[len(metrics) :], strict=True))
        for metric, interval in zip(metrics, intervals, strict=False):
            row = {**_head(part, method, metric), **members, **_estimate(interval)}
            row |= {"n_events": int(np.isfinite(found[metric][at]).sum())}
            if metric in gaps:
                row |= _difference(part, gaps[metric], cluster, of_gap[metric])
            yield row


def _rows_of(part: Slice, method: str) -> Ints:
    return np.asarray(np.flatnonzero(part.rows["method"].to_numpy() == method), dtype=np.int64)


def _members(part: Slice, at: Ints) -> dict[str, Any]:
    """How many events and groups some rows are of, and from when to when."""
    anchors = part.rows["anchor_ts"].iloc[at]
    counted = {"n_events": len(at), "n_groups": len(np.unique(part.cluster[at]))}
    return {**counted, "first_anchor": anchors.min(), "last_anchor": anchors.max()}


def _head(part: Slice, method: str, metric: str) -> dict[str, Any]:
    return {
        "scope": part.scope,
        "scope_value": part.value,
        "horizon_minutes": part.horizon,
        "method": method,
        "metric": metric,
        "block_groups": part.length,
    }


def _means(part: Slice, values: Sequence[Floats], cluster: Ints) -> list[Interval]:
    return bootstrap_means([cluster_sums(each, cluster, part.clusters) for each in values], part.times_drawn)


def _estimate(found: Interval) -> dict[str, float | None]:
    mean, low, high = found
    return {"estimate": _number(mean), "estimate_low": _number(low), "estimate_high": _number(high)}


def _difference(part: Slice, values: Floats, cluster: Ints, found: Interval) -> dict[str, Any]:
    sums, counts = cluster_sums(values, cluster, part.clusters)
    if not counts.any():
        return {"n_paired_events": 0}
    test = diebold_mariano(sums[counts > 0] / counts[counts > 0], part.overlap)
    mean, low, high = found
    return {
        "difference": _number(mean),
        "difference_low": _number(low),
        "difference_high": _number(high),
        "dm_statistic": _number(test.statistic),
        "dm_p_value": _number(test.p_value),
        "n_paired_events": int(counts.sum()),
    }


def _reliability(part: Slice, markets: Mapping[str, Markets], cases: int) -> Iterator[dict[str, Any]]:
    case = part.rows["case"].to_numpy()
    for method, of_method in markets.items():
        at = _rows_of(part, method)
        cluster = np.full(cases, -1, dtype=np.int64)
        cluster[case[at]] = part.cluster[at]
        own = np.flatnonzero(cluster[of_method.case] >= 0)
        if not own.size:
            continue
        probability, paid = of_method.probability[own], of_method.paid[own]
        found = corp(probability, paid)
        [interval] = _means(part, [(probability - paid) ** 2], cluster[of_method.case[own]])
        values = (found.score, found.miscalibration, found.discrimination, found.uncertainty)
        members = _members(part, at)
        for metric, value in zip(_CORP, values, strict=True):
            row = {**_head(part, method, metric), **members, "estimate": value}
            yield {**row, **_estimate(interval)} if metric == _CORP[0] else row


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
