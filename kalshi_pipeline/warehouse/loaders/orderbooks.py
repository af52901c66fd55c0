"""Landed order books -> ``raw.orderbooks``: one row per price level and side, the best bid first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import ORDERBOOKS
from kalshi_pipeline.schemas.table import CONTRACTS, DOLLARS
from kalshi_pipeline.warehouse.loaders.days import of_days
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.parts import landed_table
from kalshi_pipeline.warehouse.loaders.wire import without_repeats
from kalshi_pipeline.warehouse.staging import ROW_FAULT, ROW_SOURCE
from kalshi_pipeline.warehouse.writing import WriteReport, write_partition

_LEVELS = "VARCHAR[][]"
#: Today's prices in dollars, and the whole cents of before.
_BOOK = {
    "orderbook_fp": struct({"yes_dollars": _LEVELS, "no_dollars": _LEVELS}),
    "orderbook": struct({"yes_dollars": _LEVELS, "no_dollars": _LEVELS, "yes": _LEVELS, "no": _LEVELS}),
}
#: The answer for many markets, and for the one that was asked for.
_BODY = struct({"orderbooks": f"{struct({'ticker': 'VARCHAR', **_BOOK})}[]", **_BOOK})


def load_orderbooks(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    days: Sequence[date],
    *,
    run_id: str,
    reasons: Mapping[date, str] | None = None,
) -> WriteReport:
    """Replace the order books of the days by those in the files; an empty side, however it is served, has no rows.

    Of a market that one response lists twice one book counts: the levels of both would make a book twice as deep.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.write_partition`.
    """
    with landed_table(con, "landed_levels", files, lambda part: f"FROM ({_levels(part)}) WHERE {of_days(days)}"):
        con.execute(
            """
            CREATE OR REPLACE TEMP VIEW landed_orderbooks AS
            SELECT *, row_number() OVER (
                PARTITION BY ticker, observed_at, side ORDER BY price DESC NULLS LAST
            )::INTEGER AS level
            FROM landed_levels
            """
        )
        return write_partition(con, ORDERBOOKS, "landed_orderbooks", partitions=days, run_id=run_id, reasons=reasons)


def _levels(files: Sequence[Path]) -> str:
    """SQL for the levels in the files, one a row, not yet numbered."""
    return f"""
        WITH books AS (
            SELECT * EXCLUDE (body), unnest(coalesce(
                body.orderbooks,
                [struct_pack(
                    ticker := context.tickers[1], orderbook_fp := body.orderbook_fp, orderbook := body.orderbook
                )]
            )) AS book
            FROM ({responses(files, _BODY)})
        ),
        named AS (
            SELECT *, book.ticker AS ticker FROM books
        ),
        single AS (
            {without_repeats("named", "ticker, unit_id, received_at", "book")}
        ),
        sides AS (
            SELECT *, 'yes' AS side, {_side("yes")} FROM single
            UNION ALL
            SELECT *, 'no' AS side, {_side("no")} FROM single
        ),
        levels AS (
            SELECT *, unnest(coalesce(dollars, cents)) AS rung, dollars IS NULL AS in_cents FROM sides
        )
        SELECT
            ticker,
            received_at AS observed_at,
            side,
            CASE WHEN in_cents
                THEN (TRY_CAST(rung[1] AS DECIMAL(12,4)) * 0.01::DECIMAL(3,2))::{DOLLARS}
                ELSE TRY_CAST(rung[1] AS {DOLLARS})
            END AS price,
            TRY_CAST(rung[2] AS {CONTRACTS}) AS count,
            received_at AS ingested_at,
            unit_id,
            received_at::DATE AS partition_date,
            CASE WHEN price IS NULL OR count IS NULL THEN 'price, count: unreadable' END AS {ROW_FAULT},
            CASE WHEN price IS NULL OR count IS NULL THEN to_json(rung) END AS {ROW_SOURCE}
        FROM levels
    """


def _side(side: str) -> str:
    """A side's levels: in dollars where it has any, else in cents; both NULL where it is empty."""
    dollars = f"coalesce(book.orderbook_fp.{side}_dollars, book.orderbook.{side}_dollars)"
    return f"{dollars} AS dollars, book.orderbook.{side} AS cents"
