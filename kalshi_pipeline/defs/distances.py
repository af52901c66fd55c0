"""The asset of distances: how far the belief of every ladder moved within an hour and within a day."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key, checked, schema_check
from kalshi_pipeline.defs.distributions import spec_of
from kalshi_pipeline.defs.partitions import DAILY, ONE_RUN, partition_days
from kalshi_pipeline.defs.snapshot_runs import runs_of_days
from kalshi_pipeline.distributions.changes import distances
from kalshi_pipeline.distributions.lags import LAGS
from kalshi_pipeline.schemas.distributions import (
    DISTRIBUTION_DISTANCES,
    IMPLIED_CELLS,
    IMPLIED_DISTRIBUTIONS,
)
from kalshi_pipeline.warehouse.frames import read_table, write_table
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.snapshots import cells_by_day, snapshots_with_cells
from kalshi_pipeline.warehouse.writing import WriteReport

#: How far back a snapshot is compared: the longest lag and its gap.
REACH = max(timedelta(minutes=lag.minutes + lag.max_gap_minutes) for lag in LAGS.values())


@dg.multi_asset(
    name="distribution_distances",
    specs=[
        spec_of(
            DISTRIBUTION_DISTANCES,
            # The days before are read as well. A partition mapping that said so would split a range into two runs.
            [asset_key(IMPLIED_DISTRIBUTIONS), asset_key(IMPLIED_CELLS)],
            "How far the distribution of every ladder moved since an hour and since a day before: divergences in nats, "
            "Wasserstein distance in the unit of the ladder. NULL with the reason where a gate failed.",
        )
    ],
    check_specs=[schema_check(DISTRIBUTION_DISTANCES)],
    partitions_def=DAILY,
    backfill_policy=ONE_RUN,
)
def distribution_distances(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Compare the snapshots of the days with those one lag before, and replace the days' rows."""
    days = partition_days(context)
    with warehouse.read() as con:
        known_ladders = read_table(con, "research.ladders")
        cells = cells_by_day(con, days)

    def write() -> dict[str, WriteReport]:
        total = WriteReport.empty(DISTRIBUTION_DISTANCES)
        for run in runs_of_days(days, cells):
            with warehouse.read() as con:
                snapshots = snapshots_with_cells(con, run, REACH)
            made = distances(known_ladders, *snapshots, run)
            with warehouse.write() as con:
                total += write_table(con, DISTRIBUTION_DISTANCES, made, partitions=run, run_id=context.run.run_id)
        return {DISTRIBUTION_DISTANCES.name: total}

    yield from checked(warehouse, [DISTRIBUTION_DISTANCES], write, days=days)
