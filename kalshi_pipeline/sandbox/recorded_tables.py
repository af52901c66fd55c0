"""A recording's bars and trades as arrays, market by market: whole ticks, whole hundredths of a contract.

An absent bid is an empty side (0), an absent ask too (a dollar), an absent trade price no price; absent volumes and
open interests become 0, because the wire has no word for unknown ones. Not here: reading files (``recorded_files``).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.sandbox.recorded_files import Recording
from kalshi_pipeline.sandbox.world import DOLLAR, NO_PRICE, Candles, Ints, Ticks, Trades, WorldError

_OHLC = ("open", "high", "low", "close")
_ORDER = ("period_interval", "ticker", "end_period_ts")


def candles_of(recording: Recording) -> dict[tuple[str, int], Candles]:
    """Bars by market and length (minutes).

    Raises:
        WorldError: a price is not between 0 and 1 dollar.
    """
    table = recording.tables["candles"].sort_by([(name, "ascending") for name in _ORDER])
    if not len(table):
        return {}
    tickers, minutes = table["ticker"].to_numpy(), table["period_interval"].to_numpy()
    end = table["end_period_ts"].to_numpy().astype(np.int64)
    bid = np.stack([_ticks(recording, table, f"yes_bid_{name}", 0) for name in _OHLC])
    ask = np.stack([_ticks(recording, table, f"yes_ask_{name}", DOLLAR) for name in _OHLC])
    price = np.stack([_ticks(recording, table, f"price_{name}", NO_PRICE) for name in (*_OHLC, "mean", "previous")])
    volume, interest = (_hundredths(table, name) for name in ("volume", "open_interest"))
    change = (tickers[1:] != tickers[:-1]) | (minutes[1:] != minutes[:-1])
    edges = np.concatenate(([0], np.flatnonzero(change) + 1, [len(table)])).tolist()
    whole = Candles(end, bid, ask, price, volume, interest)
    return {(str(tickers[first]), int(minutes[first])): whole.rows(first, last) for first, last in pairwise(edges)}


def trades_of(recording: Recording) -> dict[str, Trades]:
    """Trades by market.

    Raises:
        WorldError: a price is not between 0 and 1 dollar.
    """
    table = recording.tables["trades"]
    if not len(table):
        return {}
    table = table.sort_by([("ticker", "ascending"), ("created_time", "ascending"), ("trade_id", "ascending")])
    tickers = table["ticker"].to_numpy()
    micros = pc.cast(pc.cast(table["created_time"], pa.timestamp("us", "UTC")), pa.int64()).to_numpy()
    price = _ticks(recording, table, "yes_price", NO_PRICE)
    count = _hundredths(table, "count")
    taker_yes = np.asarray(pc.equal(table["taker_outcome_side"], "yes").fill_null(True))
    ids = table["trade_id"].to_pylist()
    edges = np.concatenate(([0], np.flatnonzero(tickers[1:] != tickers[:-1]) + 1, [len(table)])).tolist()
    return {
        str(tickers[a]): Trades(micros[a:b], price[a:b], count[a:b], taker_yes[a:b], tuple(ids[a:b]))
        for a, b in pairwise(edges)
    }


def _ticks(recording: Recording, table: pa.Table, column: str, missing: int) -> Ticks:
    values = table[column].to_numpy().astype(np.float64)
    ticks = np.where(np.isnan(values), missing, np.rint(values * DOLLAR))
    bad = (ticks > DOLLAR) | (ticks < min(missing, 0))
    if bad.any():
        raise WorldError(f"{recording.folder}: {column} holds {values[bad][0]}; prices are dollars between 0 and 1.")
    return ticks.astype(np.int16)


def _hundredths(table: pa.Table, column: str) -> Ints:
    values = table[column].to_numpy().astype(np.float64)
    return np.where(np.isnan(values), 0, np.rint(values * 100)).astype(np.int64)
