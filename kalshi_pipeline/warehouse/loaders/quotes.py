"""Landed snapshots of the open markets -> ``raw.quotes``: the top of each book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import QUOTES
from kalshi_pipeline.warehouse.across_rows import drop_repeats
from kalshi_pipeline.warehouse.loaders.days import of_days
from kalshi_pipeline.warehouse.loaders.listings import listed_markets
from kalshi_pipeline.warehouse.loaders.parts import landed_table
from kalshi_pipeline.warehouse.loaders.wire import Parsed
from kalshi_pipeline.warehouse.writing import WriteReport, write_partition


def load_quotes(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    days: Sequence[date],
    *,
    run_id: str,
    reasons: Mapping[date, str] | None = None,
) -> WriteReport:
    """Replace the quotes of the days by those in the files; empty sides are kept as served.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.write_partition`.
    """
    rows = (
        Parsed("item")
        .text("ticker", "ticker")
        .text("status", "status")
        .price("yes_bid", "yes_bid")
        .price("yes_ask", "yes_ask")
        .count("yes_bid_size", "yes_bid_size")
        .count("yes_ask_size", "yes_ask_size")
        .price("last_price", "last_price")
        .count("volume", "volume")
        .count("volume_24h", "volume_24h")
        .count("open_interest", "open_interest")
        .other(
            {
                "observed_at": "received_at",
                "ingested_at": "received_at",
                "unit_id": "unit_id",
                "partition_date": "received_at::DATE",
            }
        )
    )

    def of_part(part: Sequence[Path]) -> str:
        return f"FROM ({rows.sql(f'({listed_markets(part)})')}) WHERE {of_days(days)}"

    with landed_table(con, "landed_quotes", files, of_part):
        # Pages of one snapshot can overlap.
        drop_repeats(con, "landed_quotes", ("ticker", "unit_id"), "observed_at DESC")
        return write_partition(con, QUOTES, "landed_quotes", partitions=days, run_id=run_id, reasons=reasons)
