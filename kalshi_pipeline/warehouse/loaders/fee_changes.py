"""Landed answers of the fee change endpoints -> ``raw.series_fee_changes`` and ``raw.event_fee_changes``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import EVENT_FEE_CHANGES, SERIES_FEE_CHANGES
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import Parsed, content_hash, texts, without_repeats
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions


def load_series_fee_changes(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the versions of series' fee changes that the files hold and the table does not.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    fees = Parsed("item").text("fee_type", "fee_type").number("fee_multiplier", "fee_multiplier")
    return _load(con, files, SERIES_FEE_CHANGES, "series_fee_change_arr", fees, run_id=run_id)


def load_event_fee_changes(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the versions of events' fee changes that the files hold and the table does not; errors as for series."""
    fees = (
        Parsed("item")
        .text("event_ticker", "event_ticker")
        .text("fee_type_override", "fee_type_override")
        .number("fee_multiplier_override", "fee_multiplier_override")
    )
    return _load(con, files, EVENT_FEE_CHANGES, "event_fee_changes", fees, run_id=run_id)


def _load(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], table: Table, key: str, fees: Parsed, *, run_id: str
) -> WriteReport:
    rows = (
        fees.text("change_id", "id")
        .text("series_ticker", "series_ticker")
        .time("scheduled_ts", "scheduled_ts")
        .other({"observed_at": "received_at", "ingested_at": "received_at", "unit_id": "unit_id", "load": "run_id"})
    )
    content = [name for name in table.columns if name not in ("observed_at", "content_hash", "ingested_at", "unit_id")]
    change = struct(texts("id", *(name for name in content if name != "change_id")))
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW landed_fee_changes AS
        WITH items AS (
            SELECT * EXCLUDE (body), unnest(body.{key}) AS item FROM ({responses(files, struct({key: f"{change}[]"}))})
        ),
        parsed AS ({rows.sql("items")})
        SELECT * EXCLUDE (load), {content_hash(content)} AS content_hash
        FROM ({without_repeats("parsed", "change_id, load", "observed_at DESC")})
        """
    )
    return append_versions(con, table, "landed_fee_changes", run_id=run_id)
