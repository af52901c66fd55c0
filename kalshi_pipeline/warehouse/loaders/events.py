"""Landed answers of the events endpoints -> ``raw.events``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import EVENTS
from kalshi_pipeline.warehouse.across_rows import drop_repeats
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.parts import landed_table
from kalshi_pipeline.warehouse.loaders.wire import Parsed, content_hash, texts
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions

_CONTENT = (
    "event_ticker",
    "series_ticker",
    "title",
    "sub_title",
    "category",
    "mutually_exclusive",
    "collateral_return_type",
    "strike_date",
    "strike_period",
    "fee_type_override",
    "fee_multiplier_override",
)
_ONE = struct(texts(*_CONTENT, "last_updated_ts"))


def load_events(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the events' versions that the files hold and the table does not.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    rows = (
        Parsed("item")
        .text("event_ticker", "event_ticker")
        .text("series_ticker", "series_ticker")
        .text("title", "title")
        .text("sub_title", "sub_title")
        .text("category", "category")
        .boolean("mutually_exclusive", "mutually_exclusive")
        .text("collateral_return_type", "collateral_return_type")
        .time("strike_date", "strike_date")
        .text("strike_period", "strike_period")
        .text("fee_type_override", "fee_type_override")
        .number("fee_multiplier_override", "fee_multiplier_override")
        .time("last_updated_ts", "last_updated_ts")
        .other({"observed_at": "received_at", "ingested_at": "received_at", "unit_id": "unit_id", "load": "run_id"})
    )
    with landed_table(con, "listed_events", files, lambda part: rows.sql(f"({_listed(part)})")):
        drop_repeats(
            con, "listed_events", ("event_ticker", "load"), "last_updated_ts DESC NULLS LAST, observed_at DESC"
        )
        con.execute(
            "CREATE OR REPLACE TEMP VIEW landed_events AS "
            f"SELECT * EXCLUDE (load), {content_hash(_CONTENT)} AS content_hash FROM listed_events"
        )
        return append_versions(con, EVENTS, "landed_events", run_id=run_id)


def _listed(files: Sequence[Path]) -> str:
    """SQL for the event objects in the files, one a row, as ``item``."""
    body = struct({"events": f"{_ONE}[]", "event": _ONE})
    return f"""
        SELECT * EXCLUDE (body), unnest(coalesce(body.events, [body.event])) AS item
        FROM ({responses(files, body)})
    """
