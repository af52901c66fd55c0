"""How fast quotes in the file become committed snapshots, and how long the compiled kernels take to start.

Figures to read: ``snapshots_per_second`` and ``first_snapshot_seconds`` in the extra column; ``per_processor_second``
counts the seconds of all cores together and hardly depends on what else the machine does.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kalshi_pipeline.distributions.asof import observations_as_of
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.snapshots import compute
from kalshi_pipeline.research.horizons import snapshot_instants
from kalshi_pipeline.schemas.distributions import IMPLIED_CELLS, IMPLIED_DISTRIBUTIONS, LADDER_QUOTES
from kalshi_pipeline.warehouse.frames import read_table, write_table
from kalshi_pipeline.warehouse.reading import quotes_of_legs
from tests.integration.snapshot_warehouse import SnapshotWarehouse
from tests.unit.distribution_kit import thresholds

LADDERS, LEGS, DAYS, MINUTES = 40, 12, 10, 15
FIRST = datetime(2026, 6, 8, tzinfo=UTC)
TABLES = (IMPLIED_DISTRIBUTIONS, IMPLIED_CELLS, LADDER_QUOTES)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotWarehouse]:
    """A file with 40 ladders of 12 markets, quoted every 15 minutes for ten days: one chunk of the asset."""
    strikes = [round(2.5 + 0.1 * leg, 1) for leg in range(LEGS)]
    markets = [market for ladder in range(LADDERS) for market in thresholds(strikes, event=f"KXCPIYOY-{ladder:03d}")]
    with SnapshotWarehouse.at(tmp_path_factory.mktemp("bench"), markets, []) as made:
        rng = np.random.default_rng(0)
        instants = DAYS * 1440 // MINUTES
        rows = instants * len(markets)
        mid = np.sort(rng.random((instants * LADDERS, LEGS)))[:, ::-1] + rng.normal(0, 0.03, (instants * LADDERS, LEGS))
        half = rng.integers(1, 6, mid.shape) / 100
        at = int(FIRST.timestamp() * 1e6) + np.repeat(np.arange(instants), len(markets)) * MINUTES * 60_000_000
        quotes = pa.table(
            {
                "ticker": pa.array([market["ticker"] for market in markets] * instants),
                "available_ts": pa.array(at - 30_000_000).cast(pa.timestamp("us", tz="UTC")),
                "yes_bid": np.round(np.clip(mid - half, 0, 1), 2).ravel(),
                "yes_ask": np.round(np.clip(mid + half, 0, 1), 2).ravel(),
                "volume": rng.random(rows) * 100,
                "open_interest": rng.random(rows) * 100,
            }
        )
        with made.warehouse.write() as con:
            con.register("incoming", quotes)
            con.execute(
                "insert into marts.quotes by name select *, 'order_book' as quote_kind, 'live_snapshot' as source, "
                "available_ts::date as partition_date from incoming order by available_ts"
            )
        yield made


@pytest.mark.benchmark(group="committed")
def test_quotes_in_the_file_to_committed_rows(benchmark: Any, warehouse: SnapshotWarehouse) -> None:
    days = [(FIRST + timedelta(days=day)).date() for day in range(DAYS)]
    with warehouse.warehouse.read() as con:
        ladders, legs = read_table(con, "research.ladders"), read_table(con, "research.ladder_legs")
    instants = snapshot_instants(ladders, days, grid_minutes=MINUTES, horizons_minutes=())

    spent: list[float] = []

    def run() -> None:
        begin = time.process_time()
        with warehouse.warehouse.read() as con:
            observations = observations_as_of(legs, instants, partial(quotes_of_legs, con))
        made = compute(ladders, legs, observations, Rules(), threads=2)
        with warehouse.warehouse.write() as con:
            for table, rows in zip(TABLES, made, strict=True):
                write_table(con, table, rows, partitions=days, run_id="bench")
        spent.append(time.process_time() - begin)

    def forget() -> None:
        with warehouse.warehouse.write() as con:
            for table in TABLES:
                con.execute(f"delete from {table.qualified_name}")

    run()
    benchmark.pedantic(run, setup=forget, rounds=3, iterations=1)
    benchmark.extra_info["snapshots_per_second"] = round(instants.num_rows / benchmark.stats.stats.min)
    benchmark.extra_info["per_processor_second"] = round(instants.num_rows / min(spent))
    assert warehouse.value("select count(*) from research.implied_distributions") == instants.num_rows


_FIRST_SNAPSHOT = """
import time
from tests.unit.distribution_kit import around, ladders_of, observe, computed, thresholds
markets = thresholds([2.8, 3.0, 3.2])
tables = ladders_of(markets)
rows = observe(tables, around(markets, [0.9, 0.5, 0.1]))
begin = time.perf_counter()
computed(tables, rows)
print(time.perf_counter() - begin)
"""


@pytest.mark.benchmark(group="cold start")
def test_the_first_snapshot_of_a_process_with_kernels_in_the_cache(benchmark: Any, repo_root: Path) -> None:
    def first() -> float:
        done = subprocess.run(
            [sys.executable, "-c", _FIRST_SNAPSHOT], cwd=repo_root, capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    first()
    seconds = [first() for _ in range(3)]
    benchmark.pedantic(first, rounds=1, iterations=1)
    benchmark.extra_info["first_snapshot_seconds"] = round(min(seconds), 2)
