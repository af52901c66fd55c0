"""The event panel: what was known of every release at each horizon before its anchor, one row each.

A row stands for exactly ``anchor - horizon``, never for another instant: purging separates training from test and
moves no feature. A snapshot that failed a gate is a missing value, as is one that was never taken; the row says which.
Labels are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kalshi_pipeline.research.columns import TIMESTAMP, Instants, instants, require, timestamps
from kalshi_pipeline.research.distance_features import DISTANCES, distance_features
from kalshi_pipeline.research.horizons import horizon_instants, tradable

Floats = npt.NDArray[np.float64]

#: Hours before an instant over which the activity of a ladder's quotes is counted.
ACTIVITY_HOURS = 24

#: Columns of a snapshot that are features as they are.
LEVELS = ("mean", "median", "std", "variance", "skew", "excess_kurtosis", "iqr", "entropy", "mass_below", "mass_above")
QUALITY = (
    "quality_score",
    "quality_coverage",
    "quality_spread",
    "quality_age",
    "quality_liquidity",
    "quality_consistency",
    "two_sided_share",
    "median_spread",
    "median_relative_spread",
    "median_age_seconds",
    "max_age_seconds",
    "arbitrage_depth",
    "violations_pre",
    "violation_magnitude",
    "move_l1",
    "liquidity_proxy",
)
#: What changes between horizons is told of these.
_MOVING = ("mean", "std", "entropy")
_CHANGES = (
    "delta_minutes",
    *(f"{name}_delta" for name in _MOVING),
    *(f"{name}_speed" for name in _MOVING),
    "drift_minutes",
    "mean_drift",
    "variance_collapse",
    "entropy_collapse",
)
_ACTIVITY = ("updates_per_hour", "active_share")

#: Every number a model may use; all of them are NULL where ``missing_reason`` is set.
FEATURES = (*LEVELS, "bound_width", *QUALITY, *_CHANGES, *_ACTIVITY, *DISTANCES)

_RELEASE = ("ladder_id", "event_ticker", "series_ticker", "release_id", "release_type", "release_group")
PANEL_SCHEMA = pa.schema(
    {
        **dict.fromkeys(_RELEASE, pa.string()),
        "horizon_minutes": pa.int32(),
        "asof": TIMESTAMP,
        "anchor_ts": TIMESTAMP,
        "minutes_to_release": pa.float64(),
        "missing_reason": pa.string(),
        "gate_reasons": pa.list_(pa.string()),
        "quote_kind": pa.string(),
        "latest_available_ts": TIMESTAMP,
        "method_version": pa.string(),
        **dict.fromkeys(FEATURES, pa.float64()),
    }
)
MISSING_REASONS = ("not_trading", "no_snapshot", "gated")
_NOT_TRADING, _NO_SNAPSHOT, _GATED, _PASSED = range(4)

_OF_RELEASE = (*_RELEASE, "anchor_ts", "release_ts", "open_time", "close_time", "known_at")
_OF_SNAPSHOT = ("hard_gate_failed", "gate_reasons", "quote_kind", "latest_available_ts", "method_version")
_READ = ("ladder_id", "asof", *_OF_SNAPSHOT, "mean_low", "mean_high", "n_legs", *LEVELS, *QUALITY)
_MINUTE = np.timedelta64(60_000_000, "us")
_HOUR_MICROS = 3.6e9


def build_panel(
    releases: pa.Table,
    distributions: pa.Table,
    activity: pa.Table,
    distances: pa.Table,
    horizons_minutes: Sequence[int],
) -> pa.Table:
    """Gather what was known of every ladder's release at each horizon.

    Deltas are against the nearest earlier horizon with a passed snapshot of the same method, speeds are deltas per
    hour; drift and collapse are against the earliest such horizon. A collapse is the share of the variance (entropy)
    that is gone: 0 is none, 1 is all.

    Args:
        releases: rows of ``research.releases``.
        distributions: rows of ``research.implied_distributions``; those at other instants are not used.
        activity: quote activity by ``ladder_id`` and ``asof`` over the :data:`ACTIVITY_HOURS` before the instant:
            ``updates`` (observations that changed a bid or an ask) and ``active_markets`` (markets with any).
        distances: rows of ``research.distribution_distances``; those at other instants are not used.
        horizons_minutes: minutes before the anchor.

    Returns:
        One row per ladder and horizon, as :data:`PANEL_SCHEMA`, ordered by ladder and horizon, the shortest first.

    Raises:
        ValueError: a column is missing, a snapshot holds a quote that came after its instant, or a distance is from a
            snapshot that is not a lag older.
    """
    require(releases, _OF_RELEASE, "The releases table")
    require(distributions, _READ, "The distributions table")
    require(activity, ("ladder_id", "asof", "updates", "active_markets"), "The activity table")
    releases = releases.sort_by("ladder_id")
    horizons = np.unique(np.array(list(horizons_minutes), dtype=np.int32))
    trading = ~np.isnat(horizon_instants(releases, horizons.tolist())).ravel()
    anchor = np.repeat(instants(releases, "anchor_ts"), horizons.size)
    asof = anchor - np.tile(horizons, len(releases)).astype(np.int64) * _MINUTE

    of_release = releases.take(pa.array(np.repeat(np.arange(len(releases)), horizons.size)))
    keys = pa.table({"ladder_id": of_release["ladder_id"], "asof": timestamps(asof)})
    snapshot = _rows_of(keys, distributions)
    found = distributions.take(snapshot)
    _refuse_late(found, asof)
    failed = np.asarray(found["hard_gate_failed"].fill_null(True).to_numpy(), dtype=np.bool_)
    present = np.asarray(snapshot.is_valid().to_numpy(zero_copy_only=False))
    state = np.where(~trading, _NOT_TRADING, np.where(~present, _NO_SNAPSHOT, np.where(failed, _GATED, _PASSED)))
    passed = state == _PASSED

    features = {name: _number(found, name, passed) for name in (*LEVELS, *QUALITY)}
    features["bound_width"] = _number(found, "mean_high", passed) - _number(found, "mean_low", passed)
    features |= _changes(features, found["method_version"], passed, horizons)
    features |= _activity(keys, activity, releases, asof, found, passed)
    for name, column in distance_features(distances).items():
        features[name] = _number(column.take(_rows_of(keys, column)), name, passed)
    columns: dict[str, Any] = {name: of_release[name] for name in _RELEASE}
    columns |= {
        "horizon_minutes": pa.array(np.tile(horizons, len(releases))),
        "asof": keys["asof"],
        "anchor_ts": timestamps(anchor),
        "minutes_to_release": _numbers((np.repeat(instants(releases, "release_ts"), horizons.size) - asof) / _MINUTE),
        "missing_reason": pa.array([*MISSING_REASONS, None]).take(pa.array(state)),
        **{name: found[name] for name in _OF_SNAPSHOT[1:]},
    }
    columns |= {name: _numbers(values) for name, values in features.items()}
    return pa.table({name: columns[name] for name in PANEL_SCHEMA.names}, schema=PANEL_SCHEMA)


def _rows_of(keys: pa.Table, table: pa.Table) -> pa.Array:
    """The row of ``table`` that bears each ladder and instant, NULL where there is none."""
    numbered = pa.table(
        {
            "ladder_id": table["ladder_id"].cast(pa.string()),
            "asof": table["asof"].cast(TIMESTAMP),
            "row": pa.array(np.arange(len(table))),
        }
    )
    wanted = keys.append_column("place", pa.array(np.arange(len(keys))))
    joined = wanted.join(numbered, ["ladder_id", "asof"], join_type="left outer").sort_by("place")
    if len(joined) != len(keys):
        raise ValueError("A ladder has two snapshots at one instant; its distributions are not unique.")
    return joined["row"].combine_chunks()


def _refuse_late(found: pa.Table, asof: Instants) -> None:
    late = np.flatnonzero(instants(found, "latest_available_ts") > asof)
    if late.size:
        row = found.slice(int(late[0]), 1).to_pylist()[0]
        raise ValueError(
            f"The snapshot of {row['ladder_id']} at {row['asof']} holds a quote of {row['latest_available_ts']}; "
            "nothing after an instant may be in its features."
        )


def _number(table: pa.Table, name: str, passed: npt.NDArray[np.bool_]) -> Floats:
    """A column as doubles, NaN where it is NULL or the snapshot is missing."""
    values = np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.where(passed, values, np.nan)


def _numbers(values: Floats) -> pa.Array:
    """Doubles as a column, NULL where not finite."""
    return pa.array(values, mask=~np.isfinite(values))


def _changes(
    features: Mapping[str, Floats], method: pa.ChunkedArray, passed: npt.NDArray[np.bool_], horizons: npt.NDArray[Any]
) -> dict[str, Floats]:
    """Deltas, speeds, drift and collapse, by looking back from every horizon to the longer ones."""
    shape = (-1, horizons.size)
    codes = method.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    version, there = codes.reshape(shape), passed.reshape(shape)
    level = {name: features[name].reshape(shape) for name in ("mean", "std", "entropy", "variance")}
    out = {name: np.full(there.shape, np.nan) for name in _CHANGES}
    previous = np.full(there.shape[0], -1)
    earliest = np.full(there.shape[0], -1)
    row = np.arange(there.shape[0])
    for column in range(horizons.size - 1, -1, -1):
        same = there[:, column] & (previous >= 0)
        same &= version[row, previous] == version[:, column]
        old, first = row[same], earliest[same]
        delta = (horizons[previous[same]] - horizons[column]).astype(np.float64)
        out["delta_minutes"][same, column] = delta
        for name in _MOVING:
            change = level[name][same, column] - level[name][old, previous[same]]
            out[f"{name}_delta"][same, column] = change
            out[f"{name}_speed"][same, column] = change / delta * 60
        out["drift_minutes"][same, column] = horizons[first] - horizons[column]
        out["mean_drift"][same, column] = level["mean"][same, column] - level["mean"][old, first]
        for name in ("variance", "entropy"):
            begun = level[name][old, first]
            left = np.divide(level[name][same, column], begun, out=np.full(begun.size, np.nan), where=begun > 0)
            out[f"{name}_collapse"][same, column] = 1 - left
        # A change of method begins the history anew.
        fresh = there[:, column] & ~same
        earliest[fresh] = column
        previous[there[:, column]] = column
    return {name: values.ravel() for name, values in out.items()}


def _activity(
    keys: pa.Table,
    activity: pa.Table,
    releases: pa.Table,
    asof: Instants,
    found: pa.Table,
    passed: npt.NDArray[np.bool_],
) -> dict[str, Floats]:
    """Updates per hour of trading within the window, and the share of the expected markets that moved at all."""
    counted = activity.take(_rows_of(keys, activity))
    first, _ = tradable(releases)
    opened = np.repeat(first, len(keys) // max(len(releases), 1))
    since = np.maximum(opened, asof - ACTIVITY_HOURS * 60 * _MINUTE)
    hours = (asof.astype(np.int64) - since.astype(np.int64)) / _HOUR_MICROS
    expected = _number(found, "n_legs", passed)
    rate = np.divide(
        _number(counted, "updates", passed), hours, out=np.full(asof.size, np.nan), where=np.asarray(hours > 0)
    )
    return {"updates_per_hour": rate, "active_share": _number(counted, "active_markets", passed) / expected}
