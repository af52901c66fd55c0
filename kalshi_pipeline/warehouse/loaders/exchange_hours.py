"""Landed answers about the exchange itself -> ``raw.exchange_schedules`` and ``raw.exchange_statuses``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import EXCHANGE_SCHEDULES, EXCHANGE_STATUSES
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import Parsed, content_hash, texts
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions

_OBSERVED = {"observed_at": "received_at", "ingested_at": "received_at", "unit_id": "unit_id"}
_STATE = texts("description", "exchange_active", "trading_active", "exchange_estimated_resume_time")


def load_exchange_schedules(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the trading hours that the files hold where they differ from those known before.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    hours = struct({"standard_hours": "JSON", "maintenance_windows": "JSON"})
    content = ("standard_hours", "maintenance_windows")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW landed_exchange_schedules AS
        WITH schedules AS (
            SELECT
                'kalshi' AS exchange,
                body.schedule.standard_hours AS standard_hours,
                body.schedule.maintenance_windows AS maintenance_windows,
                received_at AS observed_at,
                received_at AS ingested_at,
                unit_id
            FROM ({responses(files, struct({"schedule": hours}))})
        )
        SELECT *, {content_hash(content)} AS content_hash FROM schedules
        """
    )
    return append_versions(con, EXCHANGE_SCHEDULES, "landed_exchange_schedules", run_id=run_id)


def load_exchange_statuses(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the state of the exchange and of its shards where it differs from the one known before; errors as above."""
    shard = {"exchange_index": "VARCHAR", **_STATE}
    body = struct({**shard, "exchange_index_statuses": f"{struct(shard)}[]"})
    rows = (
        Parsed("item")
        .text("description", "description")
        .boolean("exchange_active", "exchange_active")
        .boolean("trading_active", "trading_active")
        .time("estimated_resume_time", "exchange_estimated_resume_time")
        .other({"part": "coalesce('shard ' || item.exchange_index, 'exchange')", **_OBSERVED})
    )
    content = ("description", "exchange_active", "trading_active", "estimated_resume_time")
    whole = ", ".join(f"{name} := body.{name}" for name in shard)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW landed_exchange_statuses AS
        WITH items AS (
            SELECT
                * EXCLUDE (body),
                unnest(list_prepend(struct_pack({whole}), coalesce(body.exchange_index_statuses, []))) AS item
            FROM ({responses(files, body)})
        )
        SELECT *, {content_hash(content)} AS content_hash FROM ({rows.sql("items")})
        """
    )
    return append_versions(con, EXCHANGE_STATUSES, "landed_exchange_statuses", run_id=run_id)
