"""Landed candlesticks, of every endpoint and in both dialects -> ``raw.candles``."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.schemas.raw import CANDLES
from kalshi_pipeline.warehouse.arrow_slot import arrow_slots
from kalshi_pipeline.warehouse.drift import DriftReport
from kalshi_pipeline.warehouse.loaders.days import PREFER_LIVE, of_days
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.single_pass import Apart, KnownResponses, read_known
from kalshi_pipeline.warehouse.loaders.wire import NAMES, Parsed, count_fields, price_fields
from kalshi_pipeline.warehouse.opening import second_connection
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

#: Bars that are staged together: a row group of the database, which is the least that its threads share.
_BARS_AT_ONCE = 122_880


def load_candles(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    days: Sequence[date],
    *,
    run_id: str,
    reasons: Mapping[date, str] | None = None,
    drift: DriftReport | None = None,
) -> WriteReport:
    """Replace the bars of the days by those in the files; a bar served twice, by either tier, counts once.

    A bar that had not ended when the response was received is no bar yet and stays out; empty sides are kept as served.

    Args:
        con: a connection inside a transaction.
        files: landed files; they are read once.
        days: the days to replace.
        run_id: the run that loads.
        reasons: why a day is as it is, where there is something to say.
        drift: takes in what differs about the responses from their known form.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.write_partition`.
    """
    with (
        second_connection(con) as source,
        closing(_staged(source, files, days, DriftReport() if drift is None else drift)) as staged,
    ):
        return write_partition(
            con, CANDLES, staged, partitions=days, run_id=run_id, reasons=reasons, prefer=PREFER_LIVE, source=source
        )


def _staged(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], days: Sequence[date], drift: DriftReport
) -> Generator[str, None, None]:
    """The rows of the files, some responses at a time: first those of known form, then all others."""
    with TemporaryDirectory() as folder, arrow_slots(con) as put:
        apart = Apart(Path(folder))
        for tier, bars in _together(read_known("candles", files, drift, apart, _bars)):
            name = f"known_bars_{tier}"
            put(name, bars)
            con.execute(f"CREATE OR REPLACE TEMP VIEW landed_candles AS {_rows(_known_items(name), days, tier)}")
            yield "landed_candles"
        # Without any there is still a relation: that of no rows.
        for others in [[file] for file in apart.files] or [[]]:
            con.execute(f"CREATE OR REPLACE TEMP VIEW landed_candles AS {_rows(_every_form(others), days)}")
            yield "landed_candles"


def _together(tables: Iterable[tuple[str, pa.Table]]) -> Iterator[tuple[str, pa.Table]]:
    """Neighbouring bars of one tier, about :data:`_BARS_AT_ONCE` at a time."""
    held: list[pa.Table] = []
    held_tier = ""
    for tier, bars in tables:
        if held and (tier != held_tier or sum(map(len, held)) >= _BARS_AT_ONCE):
            yield held_tier, pa.concat_tables(held)
            held = []
        held_tier = tier
        held.append(bars)
    if held:
        yield held_tier, pa.concat_tables(held)


def _bars(known: KnownResponses) -> pa.Table:
    """The bars of the responses: ticker and struct of each, and what the envelope says."""
    if known.tier == "historical":
        markets, of_response = known.bodies, pa.array(range(len(known.bodies)), pa.int32())
        tickers = markets.field("ticker")
    else:
        lists = known.bodies.field("markets")
        markets, of_response = lists.flatten(), pc.list_parent_indices(lists)
        tickers = markets.field("market_ticker")
    bars = markets.field("candlesticks")
    of_market = pc.list_parent_indices(bars)
    envelopes = known.envelopes.take(of_response.take(of_market))
    return envelopes.append_column("ticker", tickers.take(of_market)).append_column("item", bars.flatten())


def _known_items(name: str) -> str:
    return f"SELECT * REPLACE (received_at::TIMESTAMPTZ AS received_at) FROM {name}"


def _every_form(files: Sequence[Path]) -> str:
    """SQL for the bars of any endpoint, dialect and era."""
    return f"""
        WITH markets AS (
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
            FROM ({responses(files, _BODY)})
        )
        SELECT * EXCLUDE (bars), unnest(bars) AS item FROM markets
        """


def _rows(items: str, days: Sequence[date], tier: str | None = None) -> str:
    """SQL for the table's rows from bars: of the known form of a tier, or of any form."""
    without = ("min", "max") if tier == "historical" else ()
    rows = Parsed("item", NAMES[tier] if tier else None).number("end_ts", "end_period_ts", "BIGINT")
    for side in ("yes_bid", "yes_ask", "price"):
        for name in (*_OHLC, *(_TRADED if side == "price" else ())):
            if name not in without:
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
            **{f"price_{name}": "NULL" for name in without},
        }
    )
    return f"""
        WITH items AS ({items}),
        parsed AS ({rows.sql("items")}),
        placed AS (
            SELECT
                * EXCLUDE (end_ts),
                to_timestamp(end_ts) AS bucket_end,
                CASE WHEN period_minutes = 1440
                    -- Daily bars start at midnight US Eastern; on days the clocks change they have 23 or 25 hours.
                    THEN date_trunc('day', bucket_end AT TIME ZONE {_ET} - INTERVAL 1 MICROSECOND) AT TIME ZONE {_ET}
                    ELSE to_timestamp(end_ts - 60 * period_minutes)
                END AS bucket_start,
                -- A bar that ends at midnight belongs to the day before. Whole numbers: calendar arithmetic is slow.
                DATE 'epoch' + ((end_ts - 1) // 86400)::INTEGER AS partition_date
            FROM parsed
        )
        FROM placed WHERE {of_days(days)} AND (bucket_end <= ingested_at OR bucket_end IS NULL)
        """
