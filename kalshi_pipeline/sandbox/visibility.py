"""What the exchange knows at an instant: listed or not, which tier, which status, which quote.

Everything a response reveals passes through here or through the window rule of ``candlesticks``. Not here: the shape of
the answer (``wire``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from kalshi_pipeline.sandbox.bars import EASTERN
from kalshi_pipeline.sandbox.clock import Clock
from kalshi_pipeline.sandbox.world import CLOSE, DOLLAR, NO_PRICE, PREVIOUS, Book, Candles, Event, Levels, Market, World

Status = Literal["initialized", "active", "closed", "finalized"]
Tier = Literal["live", "historical"]
#: Filter words of the listing and the status they select.
STATUS_FILTERS: dict[str, tuple[Status, ...]] = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": (),
    "closed": ("closed",),
    "settled": ("finalized",),
}


@dataclass(frozen=True, slots=True)
class Top:
    """Top of the book and what has traded, at an instant: ticks and hundredths of a contract."""

    bid: int = 0
    ask: int = DOLLAR
    bid_size: int = 0
    ask_size: int = 0
    last: int = 0
    earlier_bid: int = 0
    earlier_ask: int = DOLLAR
    earlier_last: int = 0
    volume: int = 0
    volume_24h: int = 0
    open_interest: int = 0


class Floor:
    """A world seen through a clock."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock

    def now(self) -> datetime:
        """The instant of the exchange."""
        return self.clock.now()

    def cutoff(self) -> datetime:
        """Where the historical tier ends."""
        return self.world.cutoff(self.now())

    def event(self, ticker: str) -> Event | None:
        """A listed event."""
        event = self.world.event(ticker)
        return event if event is not None and event.listed <= self.now() else None

    def market(self, ticker: str, tier: Tier) -> Market | None:
        """A listed market of a tier; ``None`` where it is in the other one."""
        market = self.world.market(ticker)
        if market is None or self.event(market.event_ticker) is None or self.tier(market) != tier:
            return None
        return market

    def settled(self, market: Market) -> bool:
        """Whether the outcome is known."""
        return market.settlement_ts is not None and market.settlement_ts <= self.now()

    def tier(self, market: Market) -> Tier:
        """Where a market is served: archived once it settled before the cutoff."""
        return "historical" if market.settlement_ts is not None and market.settlement_ts < self.cutoff() else "live"

    def status(self, market: Market) -> Status:
        """The status in the words of a response."""
        now = self.now()
        if self.settled(market):
            return "finalized"
        if now < market.open_time:
            return "initialized"
        return "active" if now < market.close_time else "closed"

    def candles(self, market: Market, period_minutes: int, start: int, end: int) -> Candles:
        """Bars that end within ``[start, end]`` and have ended by now."""
        bars = self.world.candles(market, period_minutes)
        return bars.window(start, min(end, int(self.now().timestamp())))

    def top(self, market: Market) -> Top:
        """Quote, sizes and totals from the last bar that has ended; no quote before opening or after the close."""
        shortest = min(self.world.info.candle_minutes, default=1)
        now = int(self.now().timestamp())
        bars = self.world.candles(market, shortest).window(0, now)
        if not len(bars):
            return Top()
        day_ago = int(np.searchsorted(bars.end, now - 86_400, side="right"))
        top = Top(
            last=_last_price(bars, len(bars)),
            earlier_bid=int(bars.bid[CLOSE, day_ago - 1]) if day_ago else 0,
            earlier_ask=int(bars.ask[CLOSE, day_ago - 1]) if day_ago else DOLLAR,
            earlier_last=_last_price(bars, day_ago),
            volume=int(bars.volume.sum()),
            volume_24h=int(bars.volume[day_ago:].sum()),
            open_interest=int(bars.open_interest[-1]),
        )
        if self.status(market) != "active":
            return top
        yes, no = self.book(market, bars)
        return _quoted(top, yes, no)

    def book(self, market: Market, bars: Candles | None = None) -> Book:
        """Resting YES and NO bids, best last; empty unless the market trades."""
        if self.status(market) != "active":
            return [], []
        if bars is None:
            shortest = min(self.world.info.candle_minutes, default=1)
            bars = self.world.candles(market, shortest).window(0, int(self.now().timestamp()))
        if not len(bars):
            return [], []
        return self.world.depth(market, int(bars.bid[CLOSE, -1]), int(bars.ask[CLOSE, -1]), int(bars.end[-1]))


def in_pause(moment: datetime) -> bool:
    """Whether an instant lies in the weekly trading pause, Thursdays 03:00-05:00 US Eastern."""
    local = moment.astimezone(EASTERN)
    return local.weekday() == 3 and 3 <= local.hour < 5


def pause_end(moment: datetime) -> datetime:
    """The end of the pause in which ``moment`` lies."""
    local = moment.astimezone(EASTERN)
    return local.replace(hour=5, minute=0, second=0, microsecond=0).astimezone(UTC)


def _last_price(bars: Candles, count: int) -> int:
    if not count:
        return 0
    close, previous = int(bars.price[CLOSE, count - 1]), int(bars.price[PREVIOUS, count - 1])
    last = close if close != NO_PRICE else previous
    return last if last != NO_PRICE else 0


def _quoted(top: Top, yes: Levels, no: Levels) -> Top:
    bid, bid_size = yes[-1] if yes else (0, 0)
    no_bid, ask_size = no[-1] if no else (0, 0)
    return replace(top, bid=bid, ask=DOLLAR - no_bid, bid_size=bid_size, ask_size=ask_size)
