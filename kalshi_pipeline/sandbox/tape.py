"""The tape: trades newest first, of one market or of the whole exchange, page by page.

Not here: how trades come about (the worlds), or their JSON (``wire``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from kalshi_pipeline.sandbox.cursors import Key, decode, page
from kalshi_pipeline.sandbox.errors import bad_request
from kalshi_pipeline.sandbox.query import limit, whole
from kalshi_pipeline.sandbox.visibility import Floor, Tier
from kalshi_pipeline.sandbox.wire import Json, trade_object
from kalshi_pipeline.sandbox.world import Event, Market, Trades

_KEY = (int, str, int)
_HOUR = 3_600_000_000
_Row = tuple[Market, Trades, int]


def trades_page(floor: Floor, query: Mapping[str, str], tier: Tier) -> Json:
    """``GET /markets/trades`` and ``/historical/trades``: trades from the cutoff on, or before it.

    Raises:
        Refusal: a bad limit or time.
    """
    size = limit(query, 100, 1000)
    if query.get("is_block_trade", "false") not in ("", "false", "true"):
        raise bad_request("Invalid format for parameter is_block_trade")
    if query.get("is_block_trade") == "true":
        return {"trades": [], "cursor": ""}
    low, high = _bounds(floor, query, tier)
    after = decode(query.get("cursor"), _KEY)
    if after is not None:
        high = min(high, int(after[0]))
    if ticker := query.get("ticker"):
        market = floor.world.market(ticker)
        rows = _newest_first(floor, [market] if market is not None else [], low, high)
    else:
        rows = _feed(floor, low, high)
    chosen, cursor = page(((key, row) for key, row in rows if after is None or key < after), size)
    return {"trades": [trade_object(*row) for row in chosen], "cursor": cursor}


def _bounds(floor: Floor, query: Mapping[str, str], tier: Tier) -> tuple[int, int]:
    """First and last microsecond of the trades asked for, within the tier and not after now."""
    low, high = whole(query, "min_ts"), whole(query, "max_ts")
    first = low * 1_000_000 if low is not None else 0
    last = _micros(floor.now())
    if high is not None:
        last = min(last, high * 1_000_000 + 999_999)
    cutoff = _micros(floor.trade_cutoff())
    return (max(first, cutoff), last) if tier == "live" else (first, min(last, cutoff - 1))


def _newest_first(floor: Floor, markets: list[Market], low: int, high: int) -> Iterator[tuple[Key, _Row]]:
    """Trades of some markets within ``[low, high]`` microseconds."""
    found: list[tuple[Key, _Row]] = []
    for market in markets:
        trades = floor.world.trades(market)
        first, last = np.searchsorted(trades.time, (low, high + 1)).tolist()
        found += [((int(trades.time[row]), market.ticker, row), (market, trades, row)) for row in range(first, last)]
    yield from sorted(found, key=lambda pair: pair[0], reverse=True)


def _feed(floor: Floor, low: int, high: int) -> Iterator[tuple[Key, _Row]]:
    """Trades of the whole exchange within ``[low, high]``, a stretch at a time so that a page costs what it holds.

    Stretches begin at an hour and double while nothing was traded.
    """
    spans = [(_micros(event.open_time), _micros(event.close_time), event) for event in floor.world.events()]
    spans = [span for span in spans if span[0] <= high and span[1] >= low]
    stretch = _HOUR
    while spans and high >= low:
        high = min(high, max(closes for _, closes, _ in spans))
        start = max(low, high - stretch + 1)
        trading: list[Event] = [event for opens, closes, event in spans if opens <= high and closes >= start]
        markets = [market for event in trading for market in floor.world.markets(event)]
        found = list(_newest_first(floor, markets, start, high))
        yield from found
        high = start - 1
        stretch = _HOUR if found else 2 * stretch
        spans = [span for span in spans if span[0] <= high]


def _micros(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
