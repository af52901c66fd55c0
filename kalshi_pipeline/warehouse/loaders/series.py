"""Landed answers of the series endpoints -> ``raw.series``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import SERIES
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import Parsed, content_hash, texts, without_repeats
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions

_ONE = {
    **texts("ticker", "title", "category", "frequency", "fee_type", "fee_multiplier", "last_updated_ts"),
    "tags": "JSON",
    "settlement_sources": "JSON",
}
_CONTENT = (
    "series_ticker",
    "title",
    "category",
    "frequency",
    "tags",
    "settlement_sources",
    "fee_type",
    "fee_multiplier",
)


def load_series(con: duckdb.DuckDBPyConnection, files: Sequence[Path], *, run_id: str) -> WriteReport:
    """Add the series' versions that the files hold and the table does not.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    rows = (
        Parsed("item")
        .text("series_ticker", "ticker")
        .text("title", "title")
        .text("category", "category")
        .text("frequency", "frequency")
        .json("tags", "tags")
        .json("settlement_sources", "settlement_sources")
        .text("fee_type", "fee_type")
        .number("fee_multiplier", "fee_multiplier")
        .time("last_updated_ts", "last_updated_ts")
        .other({"observed_at": "received_at", "ingested_at": "received_at", "unit_id": "unit_id", "load": "run_id"})
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW landed_series AS
        WITH responses AS ({responses(files, struct({"series": "JSON"}))}),
        items AS (
            SELECT * EXCLUDE (body), unnest(from_json(
                -- One series is served as an object, several as a list.
                CASE json_type(body.series) WHEN 'ARRAY' THEN body.series ELSE json_array(body.series) END,
                '["{struct(_ONE)}"]'
            )) AS item
            FROM responses
        ),
        parsed AS ({rows.sql("items")})
        SELECT * EXCLUDE (load), {content_hash(_CONTENT)} AS content_hash
        FROM ({without_repeats("parsed", "series_ticker, load", "observed_at DESC")})
        """
    )
    return append_versions(con, SERIES, "landed_series", run_id=run_id)
