"""Candle requests: the window rules of the exchange, and the bodies of the four endpoints.

Windows are by the end of a bar, both ends included, and nothing is served before it has ended. Not here: the bytes of
a bar (``wire_candles``).
"""

from __future__ import annotations

import numpy as np
import orjson
from starlette.requests import Request

from kalshi_pipeline.sandbox.bars import bucket_ends
from kalshi_pipeline.sandbox.errors import bad_request, not_found
from kalshi_pipeline.sandbox.query import flag, window, words
from kalshi_pipeline.sandbox.visibility import Floor
from kalshi_pipeline.sandbox.wire_candles import candle_array
from kalshi_pipeline.sandbox.world import CLOSE, NO_PRICE, PREVIOUS, Candles, Market

MOST_PERIODS = 5_000
MOST_BATCH_CANDLES = 10_000
MOST_BATCH_TICKERS = 100


def one_market(floor: Floor, request: Request) -> bytes:
    """``GET /series/{series}/markets/{ticker}/candlesticks``: one market of the live tier.

    Raises:
        Refusal: a bad window, more than 5,000 periods, or no such live market in the series.
    """
    start, end, period = _bounded_window(request)
    market = floor.market(request.path_params["ticker"], "live")
    if market is None or market.series_ticker != request.path_params["series"]:
        raise not_found("market not found")
    bars = _seen(floor, market, period, start, end, flag(request.query_params, "include_latest_before_start"))
    return b'{"ticker":%s,"candlesticks":%s}' % (orjson.dumps(market.ticker), candle_array(bars, "live"))


def one_archived_market(floor: Floor, request: Request) -> bytes:
    """``GET /historical/markets/{ticker}/candlesticks``: one archived market, in the historical dialect.

    Raises:
        Refusal: a bad window, more than 5,000 periods, or no such archived market.
    """
    start, end, period = _bounded_window(request)
    market = floor.market(request.path_params["ticker"], "historical")
    if market is None:
        raise not_found("market not found", "failed_to_get_historical_market")
    bars = floor.candles(market, period, start, end)
    return b'{"ticker":%s,"candlesticks":%s}' % (orjson.dumps(market.ticker), candle_array(bars, "historical"))


def batch(floor: Floor, request: Request) -> bytes:
    """``GET /markets/candlesticks``: up to 100 markets and 10,000 candles; what is not live is left out.

    Raises:
        Refusal: a bad window, no or too many tickers, or more candles than allowed.
    """
    start, end, period = window(request.query_params)
    tickers = words(request.query_params, "market_tickers")
    if not tickers:
        raise bad_request("Query argument market_tickers is required")
    if len(tickers) > MOST_BATCH_TICKERS:
        raise bad_request(f"market_tickers must not exceed {MOST_BATCH_TICKERS}")
    _refuse_above(len(tickers) * periods(start, end, period), MOST_BATCH_CANDLES)
    synthetic = flag(request.query_params, "include_latest_before_start")
    found = [market for ticker in tickers if (market := floor.market(ticker, "live")) is not None]
    parts = [
        b'{"market_ticker":%s,"candlesticks":%s}'
        % (orjson.dumps(market.ticker), candle_array(_seen(floor, market, period, start, end, synthetic), "live"))
        for market in found
    ]
    return b'{"markets":[%s]}' % b",".join(parts)


def one_event(floor: Floor, request: Request) -> bytes:
    """``GET /series/{series}/events/{event}/candlesticks``: all live markets of an event, side by side.

    Where the window asks for more than 5,000 periods over all markets, the answer stops early and
    ``adjusted_end_ts`` says where: the next request starts there.

    Raises:
        Refusal: a bad window, or no such event in the series.
    """
    start, end, period = window(request.query_params)
    event = floor.event(request.path_params["event"])
    if event is None or event.series_ticker != request.path_params["series"]:
        raise not_found("event not found")
    markets = [market for market in floor.world.markets(event) if floor.tier(market) == "live"]
    per_market = MOST_PERIODS // max(len(markets), 1)
    adjusted = end if periods(start, end, period) <= per_market else start + 60 * period * per_market
    arrays = [candle_array(floor.candles(market, period, start, adjusted), "live") for market in markets]
    return b'{"market_tickers":%s,"market_candlesticks":[%s],"adjusted_end_ts":%d}' % (
        orjson.dumps([market.ticker for market in markets]),
        b",".join(arrays),
        adjusted,
    )


def periods(start: int, end: int, period_minutes: int) -> int:
    """Periods a window spans, which is what the caps count."""
    return -(-(end - start) // (60 * period_minutes))


def _bounded_window(request: Request) -> tuple[int, int, int]:
    start, end, period = window(request.query_params)
    _refuse_above(periods(start, end, period), MOST_PERIODS)
    return start, end, period


def _refuse_above(asked: int, most: int) -> None:
    if asked > most:
        raise bad_request(f"requested time range with candlesticks: {asked}, max candlesticks: {most}")


def _seen(floor: Floor, market: Market, period: int, start: int, end: int, synthetic: bool) -> Candles:
    bars = floor.candles(market, period, start, end)
    if not synthetic:
        return bars
    earlier = floor.candles(market, period, 0, start - 1)
    boundary = int(bucket_ends(np.array([start], np.int64), period)[0])
    if not len(earlier) or (len(bars) and int(bars.end[0]) <= boundary):
        return bars
    return _prepend(earlier.rows(len(earlier) - 1, len(earlier)), boundary, bars)


def _prepend(latest: Candles, boundary: int, bars: Candles) -> Candles:
    """Put before ``bars`` the synthetic one that carries the last quote and the last trade to the boundary."""
    price = np.full((6, 1), NO_PRICE, np.int16)
    last = latest.price[CLOSE, 0]
    price[PREVIOUS] = last if last != NO_PRICE else latest.price[PREVIOUS, 0]
    return Candles(
        end=np.concatenate(([boundary], bars.end)),
        bid=np.hstack((np.repeat(latest.bid[CLOSE:], 4, axis=0), bars.bid)),
        ask=np.hstack((np.repeat(latest.ask[CLOSE:], 4, axis=0), bars.ask)),
        price=np.hstack((price, bars.price)),
        volume=np.concatenate(([0], bars.volume)),
        open_interest=np.concatenate((latest.open_interest, bars.open_interest)),
    )
