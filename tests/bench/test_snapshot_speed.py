"""How fast quotes become published rows: everything between the observations and the Arrow tables.

Seconds are those the processor spent on it, on one core.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.optimize import isotonic_regression

from kalshi_pipeline.distributions.observations import read_batch
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.snapshots import compute, evaluate
from kalshi_pipeline.ladders.tables import LadderTables
from tests.unit.distribution_kit import OPEN, ladders_of, thresholds

LADDERS, SNAPSHOTS, LEGS = 20, 2_500, 12


def observations() -> pa.Table:
    """Quotes of 20 ladders of 12 markets at 2,500 instants each."""
    rng = np.random.default_rng(0)
    rows = LADDERS * SNAPSHOTS * LEGS
    mid = np.sort(rng.random((LADDERS * SNAPSHOTS, LEGS)))[:, ::-1] + rng.normal(0, 0.03, (LADDERS * SNAPSHOTS, LEGS))
    half = rng.integers(1, 6, mid.shape) / 100
    start = int(datetime(2026, 6, 2, tzinfo=UTC).timestamp() * 1e6)
    asof = start + np.tile(np.repeat(np.arange(SNAPSHOTS), LEGS), LADDERS) * 900_000_000
    names = pa.array([f"KXCPIYOY-{ladder:03d}" for ladder in range(LADDERS)])
    one = pa.array(np.zeros(rows, dtype=np.int64))
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "ladder_id": names.take(pa.array(np.repeat(np.arange(LADDERS), SNAPSHOTS * LEGS))),
            "asof": pa.array(asof).cast(stamp),
            "snapshot_kind": pa.array(["grid"]).take(one),
            "leg_index": pa.array(np.tile(np.arange(LEGS), LADDERS * SNAPSHOTS)),
            "yes_bid": np.round(np.clip(mid - half, 0, 1), 2).ravel(),
            "yes_ask": np.round(np.clip(mid + half, 0, 1), 2).ravel(),
            "last_price": pa.nulls(rows, pa.float64()),
            "quote_kind": pa.array(["candle_close"]).take(one),
            "available_ts": pa.array(asof - rng.integers(0, 90_000_000, rows)).cast(stamp),
            "period_minutes": pa.array(np.ones(rows, dtype=np.int32)),
            "volume": rng.random(rows) * 100,
            "open_interest": rng.random(rows) * 1000,
        }
    )


@pytest.mark.benchmark(group="snapshots", timer=time.process_time)
def test_the_usual_way_snapshot_by_snapshot(benchmark: Any) -> None:
    """Mids, isotonic regression, masses and three moments in a loop; no bands, gates, tails or bounds."""
    count = 500
    frame = observations().select(["ladder_id", "asof", "yes_bid", "yes_ask"]).slice(0, count * LEGS).to_pandas()
    strikes = 2.5 + 0.1 * np.arange(LEGS)
    points = np.append(strikes, strikes[-1] + 0.1)

    def snapshot(quotes: pd.DataFrame) -> pd.Series:
        mid = ((quotes["yes_bid"] + quotes["yes_ask"]) / 2).fillna(0.5).to_numpy()
        curve = isotonic_regression(mid, increasing=False).x
        mass = -np.diff(np.concatenate([[1.0], curve, [0.0]]))
        mean = float(mass @ points)
        variance = float(mass @ (points - mean) ** 2)
        return pd.Series({"mean": mean, "std": variance**0.5, "median": points[np.searchsorted(mass.cumsum(), 0.5)]})

    made = benchmark.pedantic(
        lambda: [snapshot(quotes) for _, quotes in frame.groupby(["ladder_id", "asof"])], rounds=3, iterations=1
    )
    assert len(made) == count
    benchmark.extra_info["snapshots_per_second"] = round(count / benchmark.stats.stats.min)


def ladders() -> LadderTables:
    """The ladders of the observations."""
    strikes = [round(2.5 + 0.1 * leg, 1) for leg in range(LEGS)]
    events = [f"KXCPIYOY-{ladder:03d}" for ladder in range(LADDERS)]
    return ladders_of([market for event in events for market in thresholds(strikes, event=event, open_time=OPEN)])


@pytest.mark.benchmark(group="snapshots", timer=time.process_time)
def test_bands_repair_gates_moments_tails_and_bounds(benchmark: Any) -> None:
    tables = ladders()
    batch = read_batch(tables.ladders, tables.legs, observations())
    evaluate(batch, Rules())
    made = benchmark.pedantic(lambda: evaluate(batch, Rules()), rounds=7, iterations=1)
    assert not made.failed.all()
    benchmark.extra_info["snapshots_per_second"] = round(LADDERS * SNAPSHOTS / benchmark.stats.stats.min)


@pytest.mark.benchmark(group="snapshots", timer=time.process_time)
def test_observations_to_arrow_tables(benchmark: Any) -> None:
    tables, given = ladders(), observations()
    compute(tables.ladders, tables.legs, given)
    made = benchmark.pedantic(lambda: compute(tables.ladders, tables.legs, given), rounds=5, iterations=1)
    assert made.distributions.num_rows == LADDERS * SNAPSHOTS
    benchmark.extra_info["snapshots_per_second"] = round(LADDERS * SNAPSHOTS / benchmark.stats.stats.min)
