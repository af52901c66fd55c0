"""Landed candlesticks, of every endpoint and in both dialects -> ``raw.candles``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import CANDLES
from kalshi_pipeline.warehouse.loaders.days import PREFER_LIVE, of_days
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import Parsed, count_fields, price_fields
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
_ET = "'America/New_York'"


def load_candles(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    days: Sequence[date],
    *,
    run_id: str,
    reasons: Mapping[date, str] | None = None,
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
            SELECT
                * EXCLUDE (body),
                unnest(coalesce(
                    body.market_tickers,
                    list_transform(body.markets, lambda market: market.market_ticker),
                    -- The answer about a single market may leave its ticker out: it is the one that was asked for.
                    [coalesce(body.ticker, context.tickers[1])]
                )) AS ticker,
                unnest(coalesce(
                    body.market_candlesticks,
                    list_transform(body.markets, lambda market: market.candlesticks),
                    [body.candlesticks]
                )) AS bars
            FROM responses
        ),
        items AS (SELECT * EXCLUDE (bars), unnest(bars) AS item FROM markets),
        parsed AS ({rows.sql("items")}),
        placed AS (
            SELECT
                * EXCLUDE (end_ts),
                to_timestamp(end_ts) AS bucket_end,
                CASE WHEN period_minutes = 1440
                    -- Daily bars start at midnight US Eastern; on days the clocks change they have 23 or 25 hours.
                    THEN date_trunc('day', bucket_end AT TIME ZONE {_ET} - INTERVAL 1 MICROSECOND) AT TIME ZONE {_ET}
                    ELSE bucket_end - to_minutes(period_minutes)
                END AS bucket_start,
                -- A bar that ends at midnight belongs to the day before.
                (bucket_end - INTERVAL 1 MICROSECOND)::DATE AS partition_date
            FROM parsed
        )
        SELECT * FROM placed WHERE {of_days(days)} AND (bucket_end <= ingested_at OR bucket_end IS NULL)
        """
    )
    return write_partition(
        con, CANDLES, "landed_candles", partitions=days, run_id=run_id, reasons=reasons, prefer=PREFER_LIVE
    )
