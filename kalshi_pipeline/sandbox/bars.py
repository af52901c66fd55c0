"""Longer bars from shorter ones, and where bars end: whole UTC hours, and midnights of US Eastern for days.

Arrays in, arrays out, for one market or for all markets of an event laid end to end. Not here: where bars come from.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from kalshi_pipeline.sandbox.world import CLOSE, HIGH, LOW, MEAN, NO_PRICE, OPEN, PREVIOUS, Candles, Ints, Ticks

EASTERN = ZoneInfo("America/New_York")
_FIRST_DAY, _LAST_DAY = date(2016, 1, 1), date(2036, 1, 1)


@cache
def eastern_midnights() -> Ints:
    """Unix seconds of every midnight US Eastern, 23 or 25 hours apart at the clock changes."""
    days = (_LAST_DAY - _FIRST_DAY).days
    midnights = (datetime.combine(_FIRST_DAY, datetime.min.time(), EASTERN) + timedelta(days=n) for n in range(days))
    return np.array([int(midnight.astimezone(UTC).timestamp()) for midnight in midnights], np.int64)


def bucket_ends(ends: Ints, period_minutes: int) -> Ints:
    """End of the longer bar in which each short bar falls; a bar that ends on a boundary belongs to the one before."""
    if period_minutes == 1440:
        midnights = eastern_midnights()
        return midnights[np.searchsorted(midnights, ends, side="left")]
    seconds = 60 * period_minutes
    return -(-ends // seconds) * seconds


def aggregate(bars: Candles, period_minutes: int, market: Ints | None = None) -> tuple[Candles, Ints]:
    """Put short bars together into longer ones.

    Args:
        bars: short bars, ordered by market, then end.
        period_minutes: 60 or 1440.
        market: number of the market of each bar, ascending; ``None`` where all are of one.

    Returns:
        The longer bars in the same order, and for each the position of its first short bar. Quotes: first open,
        highest, lowest, last close. Trades: the same over bars that had any; mean weighted by volume.
    """
    if not len(bars):
        return bars, np.empty(0, np.int64)
    ends = bucket_ends(bars.end, period_minutes)
    change = ends[1:] != ends[:-1]
    if market is not None:
        change |= market[1:] != market[:-1]
    first = np.concatenate(([0], np.flatnonzero(change) + 1))
    last = np.concatenate((first[1:], [len(ends)])) - 1
    volume = np.add.reduceat(bars.volume, first)
    longer = Candles(
        end=ends[first],
        bid=_quotes(bars.bid, first, last),
        ask=_quotes(bars.ask, first, last),
        price=_prices(bars, first, volume),
        volume=volume,
        open_interest=bars.open_interest[last],
    )
    return longer, first


def _quotes(side: Ticks, first: Ints, last: Ints) -> Ticks:
    high = np.maximum.reduceat(side[HIGH], first)
    low = np.minimum.reduceat(side[LOW], first)
    return np.stack((side[OPEN][first], high, low, side[CLOSE][last]))


def _prices(bars: Candles, first: Ints, volume: Ints) -> Ticks:
    price = bars.price
    traded = price[CLOSE] != NO_PRICE
    position = np.arange(len(traded), dtype=np.int64)
    none = len(traded)
    earliest = np.minimum.reduceat(np.where(traded, position, none), first)
    latest = np.maximum.reduceat(np.where(traded, position, -1), first)
    any_trade = latest >= 0
    spent = np.add.reduceat(np.where(traded, price[MEAN].astype(np.int64) * bars.volume, 0), first)
    out = np.full((6, len(first)), NO_PRICE, np.int16)
    out[OPEN, any_trade] = price[OPEN][earliest[any_trade]]
    out[HIGH] = np.maximum.reduceat(price[HIGH], first)
    lows = np.minimum.reduceat(np.where(traded, price[LOW], np.int16(32_767)), first)
    out[LOW, any_trade] = lows[any_trade]
    out[CLOSE, any_trade] = price[CLOSE][latest[any_trade]]
    out[MEAN, any_trade] = np.rint(spent[any_trade] / np.maximum(volume[any_trade], 1))
    out[PREVIOUS] = price[PREVIOUS][first]
    return out
