"""Landed candlesticks, of every endpoint and in both dialects -> ``raw.candles``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import CANDLES
from kalshi_pipeline.warehouse.loaders.days import of_days
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import Parsed, count_fields, price_fields, without_repeats
from kalshi_pipeline.warehouse.writing import WriteReport, write_partition

_OHLC = ("open", "high", "low", "close")
_TRADED = ("mean", "previous", "min", "max")
_BAR = struct(
    {
        "end_period_ts": "VARCHAR",
        "yes_bid": struct(price_fields(*_OHLC)),
        "yes_ask": struct(price_fields(*_OHLC)),
        "price": struct(price_fields(*_OHLC, *_TRADED)),
        **count_fields("volume", "open_interest"),
    }
)
#: The answers of the event, the single-market (live and historical) and the batch endpoint.
_BODY = struct(
    {
        "market_tickers": "VARCHAR[]",
        "market_candlesticks": f"{_BAR}[][]",
        "ticker": "VARCHAR",
        "candlesticks": f"{_BAR}[]",
        "markets": f"STRUCT(market_ticker VARCHAR, candlesticks {_BAR}[])[]",
    }
)
_EASTERN = "'America/New_York'"


def load_candles(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    days: Sequence[date],
    *,
    run_id: str,
    reason: str | None = None,
) -> WriteReport:
    """Replace the bars of the days by those in the files; a bar served twice, by either tier, counts once.

    A bar that had not ended when the response was received is no bar yet and stays out; empty sides are kept as served.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.write_partition`.
    """
    rows = Parsed("item").number("end_ts", "end_period_ts", "BIGINT")
    for side in ("yes_bid", "yes_ask", "price"):
        for name in (*_OHLC, *(_TRADED if side == "price" else ())):
            rows.price(f"{side}_{name}", f"{side}.{name}")
    rows.count("volume", "volume").count("open_interest", "open_interest").other(
        {
            "ticker": "ticker",
            "source": "'api_event'",
            "period_minutes": "context.period_minutes",
            "quote_kind": "coalesce(context.quote_kind, 'candle_close')",
            "tier": "coalesce(context.tier, 'live')",
            "ingested_at": "received_at",
            "unit_id": "unit_id",
        }
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW landed_candles AS
        WITH responses AS ({responses(files, _BODY)}),
        markets AS (
            SELECT * EXCLUDE (body), unnest(body.market_tickers) AS ticker, unnest(body.market_candlesticks) AS bars
            FROM responses WHERE body.market_candlesticks IS NOT NULL
            UNION ALL
            SELECT * EXCLUDE (body), coalesce(body.ticker, context.tickers[1]), body.candlesticks
            FROM responses WHERE body.candlesticks IS NOT NULL
            UNION ALL
            SELECT * EXCLUDE (body, market), market.market_ticker, market.candlesticks
            FROM (SELECT *, unnest(body.markets) AS market FROM responses)
        ),
        items AS (SELECT * EXCLUDE (bars), unnest(bars) AS item FROM markets),
        parsed AS ({rows.sql("items")}),
        placed AS (
            SELECT
                * EXCLUDE (end_ts),
                to_timestamp(end_ts) AS bucket_end,
                CASE WHEN period_minutes = 1440
                    -- Daily bars run from midnight to midnight US Eastern: 23 or 25 hours when the clocks change.
                    THEN (bucket_end AT TIME ZONE {_EASTERN} - INTERVAL 1 DAY) AT TIME ZONE {_EASTERN}
                    ELSE bucket_end - to_minutes(period_minutes)
                END AS bucket_start,
                -- A bar that ends at midnight belongs to the day before.
                (bucket_end - INTERVAL 1 MICROSECOND)::DATE AS partition_date
            FROM parsed
        ),
        asked AS (FROM placed WHERE {of_days(days)} AND (bucket_end <= ingested_at OR bucket_end IS NULL))
        {without_repeats("asked", "ticker, period_minutes, bucket_end", "tier = 'live' DESC, ingested_at DESC, unit_id")}
        """
    )
    return write_partition(con, CANDLES, "landed_candles", partitions=days, run_id=run_id, reason=reason)
