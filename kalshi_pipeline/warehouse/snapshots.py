"""Reads of published snapshots that assets and checks share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from kalshi_pipeline.warehouse.sql import identifiers

_SNAPSHOTS = """
select ladder_id, "asof", partition_date, event_ticker, series_ticker, hard_gate_failed, mean
from research.implied_distributions
where partition_date between $first and $last
"""

_CELLS = """
with passed as (
    select ladder_id, "asof"
    from research.implied_distributions
    where partition_date between $first and $last and not hard_gate_failed
)
select c.ladder_id, c."asof", c.cell_index, c.high_cut, c.probability
from research.implied_cells as c
semi join passed as p on c.ladder_id = p.ladder_id and c."asof" = p."asof"
where c.partition_date between $first and $last
"""


def published_snapshots(con: duckdb.DuckDBPyConnection, days: Sequence[date], columns: Sequence[str]) -> pa.Table:
    """Some columns of the snapshots that are published of some days."""
    chosen = f"select {identifiers(columns)} from research.implied_distributions"
    return con.execute(f"{chosen} where list_contains($days, partition_date)", {"days": list(days)}).to_arrow_table()


def cells_by_day(con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, int]:
    """How many cells the snapshots of each day have; a day without any is left out."""
    counted = "select partition_date, count(*) from research.implied_cells where list_contains($days, partition_date)"
    return dict(con.execute(f"{counted} group by partition_date", {"days": list(days)}).fetchall())


def snapshots_with_cells(
    con: duckdb.DuckDBPyConnection, days: Sequence[date], before: timedelta
) -> tuple[pa.Table, pa.Table]:
    """The snapshots from some time before the days until their end, and the cells of those that passed their gates.

    Args:
        con: an open warehouse.
        days: partition days.
        before: how far back the earlier snapshots reach, in whole days rounded up.
    """
    window = {"first": min(days) - timedelta(days=-(-before // timedelta(days=1))), "last": max(days)}
    return con.execute(_SNAPSHOTS, window).to_arrow_table(), con.execute(_CELLS, window).to_arrow_table()
