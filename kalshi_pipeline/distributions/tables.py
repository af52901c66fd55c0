"""The columns of what the room hands out, in stored order."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from kalshi_pipeline.distributions.arrow import TIMESTAMP

#: Published quantiles: column and level.
QUANTILES = {"q05": 0.05, "q10": 0.10, "q25": 0.25, "median": 0.50, "q75": 0.75, "q90": 0.90, "q95": 0.95}

_NAMES = pa.list_(pa.string())


class SnapshotTables(NamedTuple):
    """Implied distributions (one row a snapshot), their cells, and the quotes they come from."""

    distributions: pa.Table
    cells: pa.Table
    quotes: pa.Table


def _schema(**columns: str) -> pa.Schema:
    types = {
        "text": pa.string(),
        "time": TIMESTAMP,
        "day": pa.date32(),
        "count": pa.int32(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "names": _NAMES,
        "numbers": pa.list_(pa.float64()),
    }
    return pa.schema({name: types[kind] for name, kind in columns.items()})


DISTRIBUTION_SCHEMA = _schema(
    ladder_id="text",
    asof="time",
    partition_date="day",
    event_ticker="text",
    series_ticker="text",
    release_type="text",
    snapshot_kind="text",
    minutes_to_anchor="number",
    kind="text",
    confidence="text",
    method_version="text",
    n_legs="count",
    n_quoted="count",
    n_two_sided="count",
    n_live="count",
    n_cells="count",
    quote_kind="text",
    latest_available_ts="time",
    coverage="number",
    two_sided_share="number",
    median_age_seconds="number",
    max_age_seconds="number",
    stale_cutoff_seconds="number",
    median_spread="number",
    median_relative_spread="number",
    arbitrage_depth="number",
    arbitrage_depth_net="number",
    hard_gate_failed="flag",
    gate_reasons="names",
    quality_low="flag",
    quality_score="number",
    quality_coverage="number",
    quality_spread="number",
    quality_age="number",
    quality_liquidity="number",
    quality_consistency="number",
    liquidity_proxy="number",
    flags="names",
    violations_pre="count",
    violations_post="count",
    violation_magnitude="number",
    renormalisation_delta="number",
    move_l1="number",
    move_l2="number",
    move_max="number",
    mean_low="number",
    mean_high="number",
    cut_low="number",
    cut_high="number",
    mass_below="number",
    mass_above="number",
    tail_convention="text",
    support_low="number",
    support_high="number",
    tail_dominated="flag",
    tail_probabilities="numbers",
    mean="number",
    variance="number",
    std="number",
    skew="number",
    excess_kurtosis="number",
    entropy="number",
    entropy_atoms="number",
    **{column: "number" for name in QUANTILES for column in (name, f"{name}_edge")},
    iqr="number",
)

CELL_SCHEMA = _schema(
    ladder_id="text",
    asof="time",
    cell_index="count",
    partition_date="day",
    low_cut="number",
    high_cut="number",
    probability="number",
    probability_low="number",
    probability_high="number",
    survival="number",
    survival_low="number",
    survival_high="number",
    method_version="text",
)

QUOTE_SCHEMA = _schema(
    ladder_id="text",
    asof="time",
    leg_index="count",
    partition_date="day",
    ticker="text",
    quote_kind="text",
    available_ts="time",
    age_seconds="number",
    period_minutes="count",
    stale_cutoff_seconds="number",
    yes_bid="number",
    yes_ask="number",
    last_price="number",
    mid="number",
    tight_low="number",
    tight_high="number",
    repaired="number",
    moved="number",
    weight="number",
    covered="flag",
    method_version="text",
)

DISTANCE_SCHEMA = _schema(
    ladder_id="text",
    asof="time",
    lag="text",
    partition_date="day",
    event_ticker="text",
    series_ticker="text",
    earlier_asof="time",
    gap_seconds="number",
    kl="number",
    js="number",
    wasserstein="number",
    mean_change="number",
    reason="text",
    method_version="text",
)
