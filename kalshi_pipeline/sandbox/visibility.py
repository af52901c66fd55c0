"""What the exchange knows at an instant: listed or not, which tier, which status, which quote.

Everything a response reveals passes through here or through the window rule of ``candlesticks``. Not here: the shape of
the answer (``wire``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import numpy as np

from kalshi_pipeline.sandbox.bars import EASTERN
from kalshi_pipeline.sandbox.clock import Clock
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.world import CLOSE, DOLLAR, NO_PRICE, PREVIOUS, Book, Candles, Event, Levels, Market, World

Status = Literal["initialized", "active", "closed", "determined", "disputed", "amended", "finalized"]
#: What a market that was determined the wrong way goes through from its close to its settlement, in equal stretches.
_AMENDMENT: tuple[Status, ...] = ("closed", "determined", "disputed", "amended")
Tier = Literal["live", "historical"]
#: Filter words of the listing and the status they select.
STATUS_FILTERS: dict[str, tuple[Status, ...]] = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": (),
    "closed": _AMENDMENT,
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
    """A world seen through a clock, and through what goes wrong on the exchange."""

    def __init__(self, world: World, clock: Clock, faults: Faults | None = None) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults or Faults()

    def now(self) -> datetime:
        """The instant of the exchange."""
        return self.clock.now()

    def cutoff(self) -> datetime:
        """Where the historical tier of markets ends."""
        return self.faults.market_cutoff or self.world.cutoff(self.now())

    def trade_cutoff(self) -> datetime:
        """Where the historical tier of trades ends."""
        return self.faults.trade_cutoff or self.world.cutoff(self.now())

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
        if now < market.close_time:
            return "active"
        return self._amendment(market)[0]

    def as_listed(self, market: Market) -> Market:
        """The market with the strikes, titles and result that the exchange gives it at present."""
        early = self.now() < _halfway(market)
        if early and self._is_hit("restruck", market):
            market = replace(
                market, floor_strike=_off_by_a_step(market.floor_strike), cap_strike=_off_by_a_step(market.cap_strike)
            )
        if early and self._is_hit("retitled", market):
            market = replace(market, title=f"{market.title} (to be confirmed)", yes_sub_title="To be confirmed")
        if self.status(market) in ("determined", "disputed"):
            flipped = {"yes": "no", "no": "yes"}.get(market.result, market.result)
            market = replace(market, result=flipped, expiration_value="")
        return market

    def updated(self, market: Market) -> datetime:
        """When what the exchange says of a market last changed: its settlement once that is known, else the latest of
        its listing, a change of strikes or titles, and a stage of its amendment.
        """
        if market.settlement_ts is not None and self.settled(market):
            return market.settlement_ts
        moments = [market.listed]
        if self._is_hit("restruck", market) or self._is_hit("retitled", market):
            moments.append(_halfway(market))
        status, since = self._amendment(market)
        if status != "closed":
            moments.append(since)
        return max(moment for moment in moments if moment <= self.now())

    def _is_hit(self, fault: Literal["restruck", "retitled", "amended"], market: Market) -> bool:
        return self.faults.hits(getattr(self.faults, fault), fault, market.ticker)

    def _amendment(self, market: Market) -> tuple[Status, datetime]:
        """The stage of a market between its close and its settlement, and since when it is in it."""
        passed = self.now() - market.close_time
        if market.settlement_ts is None or passed < timedelta(0) or not self._is_hit("amended", market):
            return "closed", market.close_time
        stretch = (market.settlement_ts - market.close_time) / len(_AMENDMENT)
        stage = min(int(passed / stretch), len(_AMENDMENT) - 1) if stretch else 0
        return _AMENDMENT[stage], market.close_time + stage * stretch

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


def _halfway(market: Market) -> datetime:
    return market.open_time + (market.close_time - market.open_time) / 2


def _off_by_a_step(strike: float | None) -> float | None:
    """A strike as it was before it was set right: one unit of its last decimal higher."""
    if strike is None:
        return None
    exact = Decimal(str(strike)).normalize()
    return float(exact + Decimal(1).scaleb(min(int(exact.as_tuple().exponent), 0)))


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
