"""Landed answers of the trades endpoints -> ``raw.trades``."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import TRADES
from kalshi_pipeline.schemas.table import DOLLARS
from kalshi_pipeline.warehouse.loaders.days import PREFER_LIVE, of_days
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.parts import in_parts
from kalshi_pipeline.warehouse.loaders.wire import Parsed, count_fields, price_fields, texts
from kalshi_pipeline.warehouse.writing import WriteReport, write_partition

_TRADE = struct(
    {
        **texts("trade_id", "ticker", "created_time", "taker_outcome_side", "taker_side", "taker_book_side"),
        **texts("is_block_trade"),
        **count_fields("count"),
        **price_fields("yes_price", "no_price"),
    }
)


def load_trades(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    days: Sequence[date],
    *,
    run_id: str,
    reasons: Mapping[date, str] | None = None,
) -> WriteReport:
    """Replace the trades of the days by those in the files; one served twice, by either tier, counts once.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.write_partition`.
    """
    with closing(_staged(con, files, days)) as staged:
        return write_partition(con, TRADES, staged, partitions=days, run_id=run_id, reasons=reasons, prefer=PREFER_LIVE)


def _staged(con: duckdb.DuckDBPyConnection, files: Sequence[Path], days: Sequence[date]) -> Generator[str, None, None]:
    """The trades of the files, some responses at a time."""
    for part in in_parts(files):
        con.execute(f"CREATE OR REPLACE TEMP VIEW landed_trades AS {_rows(part, days)}")
        yield "landed_trades"


def _rows(files: Sequence[Path], days: Sequence[date]) -> str:
    rows = (
        Parsed("item")
        .text("trade_id", "trade_id")
        .text("ticker", "ticker")
        .time("created_time", "created_time")
        .count("count", "count")
        .price("yes_price", "yes_price")
        .price("no_price", "no_price")
        .text("taker_outcome_side", "taker_outcome_side", "taker_side")
        .text("taker_book_side", "taker_book_side")
        .boolean("is_block_trade", "is_block_trade")
        .other(
            {
                "tier": "coalesce(context.tier, 'live')",
                "ingested_at": "received_at",
                "unit_id": "unit_id",
                "partition_date": "created_time::DATE",
            }
        )
    )
    return f"""
        WITH items AS (
            SELECT * EXCLUDE (body), unnest(body.trades) AS item
            FROM ({responses(files, struct({"trades": f"{_TRADE}[]"}))})
        ),
        parsed AS ({rows.sql("items")})
        -- The two sides pay one dollar together.
        SELECT * REPLACE (coalesce(no_price, 1 - yes_price)::{DOLLARS} AS no_price)
        FROM parsed WHERE {of_days(days)}
        """
