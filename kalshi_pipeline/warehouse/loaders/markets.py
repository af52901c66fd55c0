"""Landed answers of the markets endpoints -> ``raw.markets``: specifications, without prices and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import MARKETS
from kalshi_pipeline.warehouse.across_rows import drop_repeats
from kalshi_pipeline.warehouse.loaders.listings import listed_markets
from kalshi_pipeline.warehouse.loaders.parts import landed_table
from kalshi_pipeline.warehouse.loaders.wire import Parsed, content_hash
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions

#: Not content: when and where a version was seen, and the exchange's own time of change.
_NOT_CONTENT = ("updated_time", "tier", "observed_at", "content_hash", "ingested_at", "unit_id")

#: Where both tiers serve a market, the newer row counts, the live one where they are equally new.
NEWEST = "updated_time DESC NULLS LAST, tier = 'live' DESC, observed_at DESC, unit_id"


def load_markets(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the markets' versions that the files hold and the table does not.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    rows = (
        Parsed("item")
        .text("ticker", "ticker")
        .text("event_ticker", "event_ticker")
        .text("market_type", "market_type")
        .text("title", "title")
        .text("yes_sub_title", "yes_sub_title")
        .text("no_sub_title", "no_sub_title")
        .text("status", "status")
        .time("created_time", "created_time")
        .time("updated_time", "updated_time")
        .time("open_time", "open_time")
        .time("close_time", "close_time")
        .time("expected_expiration_time", "expected_expiration_time")
        .time("latest_expiration_time", "latest_expiration_time")
        .time("occurrence_datetime", "occurrence_datetime")
        .number("settlement_timer_seconds", "settlement_timer_seconds", "BIGINT")
        .text("strike_type", "strike_type")
        .number("floor_strike", "floor_strike")
        .number("cap_strike", "cap_strike")
        .text("functional_strike", "functional_strike")
        .json("custom_strike", "custom_strike")
        .boolean("can_close_early", "can_close_early")
        .text("rules_primary", "rules_primary")
        .text("rules_secondary", "rules_secondary")
        .text("price_level_structure", "price_level_structure")
        .json("price_ranges", "price_ranges")
        .price("notional_value", "notional_value")
        .other(
            {
                # A market object does not name its series: it was listed under it.
                "series_ticker": "context.series_ticker",
                "tier": "coalesce(context.tier, 'live')",
                "observed_at": "received_at",
                "ingested_at": "received_at",
                "unit_id": "unit_id",
                "load": "run_id",
            }
        )
    )
    content = [name for name in MARKETS.columns if name not in _NOT_CONTENT]
    with landed_table(con, "listed_markets", files, lambda part: rows.sql(f"({listed_markets(part)})")):
        drop_repeats(con, "listed_markets", ("ticker", "load"), NEWEST)
        con.execute(
            "CREATE OR REPLACE TEMP VIEW landed_markets AS "
            f"SELECT * EXCLUDE (load), {content_hash(content)} AS content_hash FROM listed_markets"
        )
        return append_versions(con, MARKETS, "landed_markets", run_id=run_id)
