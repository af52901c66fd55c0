"""Landed answers of the markets endpoints -> ``raw.settlements``: outcomes, and when they could be known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import SETTLEMENTS
from kalshi_pipeline.warehouse.across_rows import drop_repeats
from kalshi_pipeline.warehouse.loaders.listings import listed_markets
from kalshi_pipeline.warehouse.loaders.markets import NEWEST
from kalshi_pipeline.warehouse.loaders.parts import landed_table
from kalshi_pipeline.warehouse.loaders.wire import Parsed, content_hash
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions

_OUTCOME = ("result", "settlement_value", "expiration_value")
_CONTENT = ("ticker", "event_ticker", "series_ticker", "status", *_OUTCOME, "settlement_ts")


def load_settlements(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the outcomes' versions that the files hold and the table does not; markets without a result have none.

    An outcome is known from its settlement time on, where the exchange gives one, else from when it was first seen. An
    outcome that replaces another one was not known while the other was still seen, whatever its settlement time says.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    rows = (
        Parsed("item")
        .text("ticker", "ticker")
        .text("event_ticker", "event_ticker")
        .text("status", "status")
        .text("result", "result")
        .price("settlement_value", "settlement_value")
        .time("settlement_ts", "settlement_ts")
        .text("expiration_value", "expiration_value")
        .time("updated_time", "updated_time")
        .other(
            {
                "series_ticker": "context.series_ticker",
                "tier": "coalesce(context.tier, 'live')",
                "observed_at": "received_at",
                "ingested_at": "received_at",
                "unit_id": "unit_id",
                "load": "run_id",
            }
        )
    )

    def settled(part: Sequence[Path]) -> str:
        return f"FROM ({rows.sql(f'({listed_markets(part)})')}) WHERE result IS NOT NULL"

    with landed_table(con, "listed_outcomes", files, settled):
        drop_repeats(con, "listed_outcomes", ("ticker", "load"), NEWEST)
        con.execute(_LEARNED)
        return append_versions(con, SETTLEMENTS, "landed_settlements", run_id=run_id)


_HASHED = f"hash({', '.join(_OUTCOME)})"
_LEARNED = f"""
    CREATE OR REPLACE TEMP VIEW landed_settlements AS
    WITH outcomes AS (
        SELECT * EXCLUDE (load, tier, updated_time), {content_hash(_CONTENT)} AS content_hash FROM listed_outcomes
    ),
    seen AS (
        SELECT ticker, observed_at, {_HASHED} AS outcome FROM outcomes
        UNION
        SELECT ticker, observed_at, {_HASHED} FROM raw.settlements
    ),
    others AS (
        SELECT ticker, seen.observed_at, max(other.observed_at) AS last_seen
        FROM seen JOIN seen AS other USING (ticker)
        WHERE other.observed_at < seen.observed_at AND other.outcome <> seen.outcome
        GROUP BY ALL
    ),
    dated AS (
        SELECT *, settlement_ts IS NOT NULL AND (last_seen IS NULL OR last_seen < settlement_ts) AS by_exchange
        FROM outcomes LEFT JOIN others USING (ticker, observed_at)
    )
    SELECT
        * EXCLUDE (last_seen, by_exchange),
        CASE WHEN by_exchange THEN settlement_ts ELSE observed_at END AS learned_at,
        CASE WHEN by_exchange THEN 'settlement_ts' ELSE 'observed_at' END AS learned_at_basis
    FROM dated
"""
