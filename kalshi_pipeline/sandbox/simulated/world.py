"""The simulated world: answers every question from the seed alone, keeping what it drew last within bounds.

Not here: any modelling; this puts the schedule, the outcomes, the ladders and the books together.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np

from kalshi_pipeline.sandbox.bars import aggregate
from kalshi_pipeline.sandbox.simulated.beliefs import belief_path, opening_centre
from kalshi_pipeline.sandbox.simulated.books import Tape, nodes, tape
from kalshi_pipeline.sandbox.simulated.catalogue import LISTINGS, UNIVERSE, Listing
from kalshi_pipeline.sandbox.simulated.draws import stream
from kalshi_pipeline.sandbox.simulated.ladders import Leg, event_of, legs_of, market_of
from kalshi_pipeline.sandbox.simulated.outcomes import Outcome, outcomes, vintages
from kalshi_pipeline.sandbox.simulated.schedule import FIRST_YEAR, Release, releases
from kalshi_pipeline.sandbox.world import (
    DOLLAR,
    Book,
    Candles,
    Event,
    FeeChange,
    Ints,
    Levels,
    Market,
    Series,
    Trades,
    Vintage,
    WorldInfo,
)

Thing = TypeVar("Thing")
_ARCHIVE_AFTER = timedelta(days=60)
_TAPES_KEPT = 96
_LADDERS_KEPT = 8_192
_NOTES = (
    "Simulated: monthly macro threshold ladders since 2018, daily highs of six cities since September 2025, hourly "
    "bitcoin buckets since June 2026. Every figure follows from the seed; nothing in it is real."
)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """An event with its markets, lowest leg first."""

    release: Release
    listing: Listing
    outcome: Outcome
    legs: list[Leg]
    markets: list[Market]


class SimulatedWorld:
    """The world of a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._ladders = _Kept(_LADDERS_KEPT)
        self._tapes = _Kept(_TAPES_KEPT)
        self._longer = _Kept(2 * _TAPES_KEPT)

    @property
    def info(self) -> WorldInfo:
        """What the world says of itself."""
        return WorldInfo(
            name=f"simulated-{self._seed}",
            kind="simulated",
            universe=UNIVERSE,
            first_day=date(FIRST_YEAR, 1, 1),
            last_day=None,
            candle_minutes=(1, 60, 1440),
            quote_kind="candle_close",
            pinned=None,
            notes=_NOTES,
        )

    def cutoff(self, now: datetime) -> datetime:
        """Sixty days ago, at midnight UTC."""
        return (now.astimezone(UTC) - _ARCHIVE_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)

    def series(self) -> Sequence[Series]:
        """All series, the hourly one included."""
        return [listing.series for listing in LISTINGS.values()]

    def events(self, series_ticker: str | None = None) -> Sequence[Event]:
        """Events of a series, or of all, last listed first."""
        if series_ticker is None:
            return self._all_events
        return _events(series_ticker) if series_ticker in LISTINGS else []

    def event(self, ticker: str) -> Event | None:
        """One event."""
        release = _release(ticker)
        return event_of(release, LISTINGS[release.series_ticker]) if release is not None else None

    def markets(self, event: Event) -> Sequence[Market]:
        """Markets of an event, by ticker descending."""
        return sorted(self._ladder(event.ticker).markets, key=lambda market: market.ticker, reverse=True)

    def market(self, ticker: str) -> Market | None:
        """One market."""
        place = self._place(ticker)
        return self._ladder(place[0]).markets[place[1]] if place is not None else None

    def candles(self, market: Market, period_minutes: int) -> Candles:
        """All bars of a market's life: minutes as drawn, hours and days put together from them."""
        place = self._place(market.ticker)
        assert place is not None
        event, leg = place
        drawn = self._tape(event)
        if period_minutes == 1:
            return drawn.bars.rows(int(drawn.bar_edges[leg]), int(drawn.bar_edges[leg + 1]))
        bars, edges = self._longer.get((event, period_minutes), lambda: _longer(drawn, period_minutes))
        return bars.rows(int(edges[leg]), int(edges[leg + 1]))

    def trades(self, market: Market) -> Trades:
        """All trades of a market's life."""
        place = self._place(market.ticker)
        assert place is not None
        drawn = self._tape(place[0])
        part = slice(int(drawn.trade_edges[place[1]]), int(drawn.trade_edges[place[1] + 1]))
        every = drawn.trades
        return Trades(every.time[part], every.price[part], every.count[part], every.taker_yes[part])

    def depth(self, market: Market, bid: int, ask: int, at: int) -> Book:
        """Up to five levels a side, sizes drawn from the market, the side and the instant."""
        return (
            _levels(f"{self._seed}|{market.ticker}|yes|{at}", bid if bid < DOLLAR else 0),
            _levels(f"{self._seed}|{market.ticker}|no|{at}", DOLLAR - ask if ask > 0 else 0),
        )

    def fee_changes(self) -> Sequence[FeeChange]:
        """Two changes of the hourly series' fee, a year apart."""
        moments = (datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC))
        return [FeeChange("KXBTC", "quadratic", 1.0, moment) for moment in moments]

    def outcome_vintages(self, series_ticker: str) -> Sequence[Vintage]:
        """First prints and revisions."""
        return vintages(self._seed, series_ticker)

    @cached_property
    def _all_events(self) -> list[Event]:
        return sorted((event for ticker in LISTINGS for event in _events(ticker)), key=_newest, reverse=True)

    def _ladder(self, event_ticker: str) -> _Ladder:
        return self._ladders.get(event_ticker, lambda: self._listed(event_ticker))

    def _listed(self, event_ticker: str) -> _Ladder:
        release = _release(event_ticker)
        assert release is not None
        listing = LISTINGS[release.series_ticker]
        outcome = outcomes(self._seed, release.series_ticker)[release.label]
        legs = legs_of(listing, opening_centre(self._seed, release, listing, outcome.latent))
        return _Ladder(release, listing, outcome, legs, [market_of(release, listing, leg, outcome) for leg in legs])

    def _place(self, ticker: str) -> tuple[str, int] | None:
        """Event and number of the leg of a market."""
        event_ticker, _, _ = ticker.replace("-T-", "-T~").rpartition("-")
        if _release(event_ticker) is None:
            return None
        markets = self._ladder(event_ticker).markets
        found = (n for n, market in enumerate(markets) if market.ticker == ticker)
        leg = next(found, None)
        return (event_ticker, leg) if leg is not None else None

    def _tape(self, event_ticker: str) -> Tape:
        return self._tapes.get(event_ticker, lambda: self._drawn(event_ticker))

    def _drawn(self, event_ticker: str) -> Tape:
        ladder = self._ladder(event_ticker)
        at = nodes(ladder.release, ladder.listing)
        belief = belief_path(self._seed, ladder.release, ladder.listing, ladder.outcome.latent, at)
        return tape(ladder.release, ladder.listing, ladder.legs, at, belief, stream(self._seed, "books", event_ticker))


@cache
def _events(series_ticker: str) -> list[Event]:
    listing = LISTINGS[series_ticker]
    return sorted((event_of(release, listing) for release in releases(series_ticker)), key=_newest, reverse=True)


@cache
def _by_label(series_ticker: str) -> dict[str, Release]:
    return {release.label: release for release in releases(series_ticker)}


def _release(event_ticker: str) -> Release | None:
    series_ticker, _, label = event_ticker.partition("-")
    return _by_label(series_ticker).get(label) if series_ticker in LISTINGS else None


class _Kept:
    """The things made last, up to a number, by name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, name: Hashable, make: Callable[[], Thing]) -> Thing:
        """The thing of a name, made now if it is not kept."""
        if name in self._things:
            self._things.move_to_end(name)
            kept: Thing = self._things[name]
            return kept
        made = make()
        self._things[name] = made
        if len(self._things) > self._most:
            self._things.popitem(last=False)
        return made


def _longer(drawn: Tape, period_minutes: int) -> tuple[Candles, Ints]:
    market = np.repeat(np.arange(len(drawn.bar_edges) - 1), np.diff(drawn.bar_edges))
    bars, first = aggregate(drawn.bars, period_minutes, market)
    return bars, np.searchsorted(first, drawn.bar_edges)


def _levels(name: str, best: int) -> Levels:
    """Bids at and below the best, best last."""
    number = zlib.crc32(name.encode())
    count = min(1 + number % 5, best // 100)
    return [(best - 100 * n, 100 * (5 + (number >> (3 * n)) % 400)) for n in reversed(range(count))]


def _newest(event: Event) -> tuple[datetime, str]:
    return event.listed, event.ticker
