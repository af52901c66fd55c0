"""How a simulated event trades: quotes of every market minute by minute, and the trades made on them.

A whole event is drawn at once from its own stream: minutes at which something happened, two-sided quotes around the
belief that tighten toward the release, spells in which a market goes quiet, is quoted wide or loses a side, trades at
the quotes. A bar covers the minute that ends at its time; minutes without a bar brought no change. Not here: beliefs
(``beliefs``), longer bars (``bars``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kalshi_pipeline.sandbox.bars import eastern_midnights
from kalshi_pipeline.sandbox.simulated.beliefs import Belief, survival
from kalshi_pipeline.sandbox.simulated.catalogue import Kind, Listing
from kalshi_pipeline.sandbox.simulated.ladders import Leg
from kalshi_pipeline.sandbox.simulated.schedule import Release
from kalshi_pipeline.sandbox.world import (
    CLOSE,
    DOLLAR,
    HIGH,
    LOW,
    MEAN,
    NO_PRICE,
    OPEN,
    PREVIOUS,
    Candles,
    Ints,
    Trades,
)

Floats = NDArray[np.float64]
_CENT = DOLLAR // 100
#: Nodes (instants at which something may happen) that share a spell: quiet, wide, one-sided, off by the same noise.
_SPELL = 32
#: Before the last 26 hours of a macro market something happens at quarters of an hour only.
_FAR_STEP = 15 * 60
_NEAR = 26 * 3600
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Manner:
    """How the markets of a kind of series are made.

    Attributes:
        far, near: share of the nodes with a bar, before the last 26 hours and in them, in a leg that is in doubt.
        tight, loose: half-spread in dollars at the release and, on top of it, at the opening.
        pace: how readily a bar holds trades.
        quiet: share of the spells in which a leg's quotes are left standing.
    """

    far: float
    near: float
    tight: float
    loose: float
    pace: float
    quiet: float


MANNERS: dict[Kind, Manner] = {
    "macro": Manner(far=0.27, near=0.97, tight=0.010, loose=0.032, pace=0.7, quiet=0.05),
    "weather": Manner(far=0.97, near=0.97, tight=0.009, loose=0.022, pace=0.8, quiet=0.04),
    "crypto": Manner(far=0.97, near=0.97, tight=0.008, loose=0.012, pace=0.6, quiet=0.01),
}


@dataclass(frozen=True, slots=True)
class Tape:
    """Bars and trades of all markets of an event, laid end to end.

    Attributes:
        bars: one-minute bars, market after market.
        bar_edges: first bar of every market and the end, shape (legs + 1,).
        trades: trades, market after market.
        trade_edges: the same for trades.
    """

    bars: Candles
    bar_edges: Ints
    trades: Trades
    trade_edges: Ints


def nodes(release: Release, listing: Listing) -> Ints:
    """Ends of the minutes at which something may happen (unix seconds), the weekly pause left out."""
    opens, closes = int(release.opens.timestamp()), int(release.closes.timestamp())
    near = closes - _NEAR if listing.kind == "macro" else opens
    minutes = np.arange(near + _MINUTE, closes + 1, _MINUTE, dtype=np.int64)
    quarters = np.arange(opens + _FAR_STEP, near + 1, _FAR_STEP, dtype=np.int64)
    every = np.concatenate((quarters, minutes))
    return every[~_paused(every)]


def tape(
    release: Release, listing: Listing, legs: Sequence[Leg], at: Ints, belief: Belief, draw: np.random.Generator
) -> Tape:
    """Draw the event.

    Args:
        release: when it happens.
        listing: its series.
        legs: its markets.
        at: the nodes, shape (n,).
        belief: the belief at the nodes.
        draw: the event's own stream.
    """
    low, high = _cuts(listing, legs)
    spell = np.arange(len(at)) // _SPELL
    starts = np.arange(0, len(at), _SPELL)
    shape = (len(legs), len(starts))
    held = _fair(low[:, None], high[:, None], belief.centre[starts], belief.width[starts])
    doubt = np.sqrt(np.clip(4 * held * (1 - held), 0.0, 1.0))
    manner = MANNERS[listing.kind]
    quiet = draw.random(shape) < manner.quiet
    leg, node = np.nonzero(_happens(listing, release, at, doubt, quiet, spell, draw))
    here = spell[node]
    left = np.clip((at[-1] - at) / (at[-1] - at[0] + 1), 0.0, 1.0)
    half = (manner.tight + manner.loose * np.sqrt(left))[node] * _wideness(doubt, quiet, draw)[leg, here]
    noise = _offset(shape, draw)[leg, here] + 0.2 * draw.standard_normal(len(leg), dtype=np.float32)
    fair = _fair(low[leg], high[leg], belief.centre[node], belief.width[node])
    bid, ask = _quotes(fair + half * noise, half, draw)
    bid[(draw.random(shape) < 0.012)[leg, here]] = 0
    ask[(draw.random(shape) < 0.012)[leg, here]] = DOLLAR
    edges = np.searchsorted(leg, np.arange(len(legs) + 1))
    rate = manner.pace * (0.25 + 0.75 * doubt)[leg, here]
    return _put_together(at[node], bid, ask, edges, rate, draw)


def _wideness(doubt: Floats, quiet: NDArray[np.bool_], draw: np.random.Generator) -> Floats:
    """How wide each leg is quoted in each spell, as a factor; now and then one leg, or all of them, are left alone."""
    legs, spells = doubt.shape
    wide = np.exp(0.35 * draw.standard_normal((legs, spells)))
    wide *= np.where(draw.random((legs, spells)) < 0.03, 3.0, 1.0)
    wide *= np.where(draw.random(spells) < 0.03, 8.0, 1.0)
    return np.asarray(wide * np.where(quiet, 1.8, 1.0) * (0.4 + 0.6 * doubt))


def _offset(shape: tuple[int, int], draw: np.random.Generator) -> Floats:
    """By how many half-spreads each leg is quoted off the belief in each spell; rarely by enough to look tradable."""
    usual = 0.45 * draw.standard_normal(shape)
    return np.where(draw.random(shape) < 0.003, np.sign(usual) * 5.0, usual)


def _cuts(listing: Listing, legs: Sequence[Leg]) -> tuple[Floats, Floats]:
    """Where each leg's payoff begins and ends on the line of unrounded values."""
    half = 0.5
    low = [-np.inf if leg.low is None else (leg.low + half) * listing.grid for leg in legs]
    high = [np.inf if leg.high is None else (leg.high - half) * listing.grid for leg in legs]
    return np.array(low), np.array(high)


def _fair(low: Floats, high: Floats, centre: Floats, width: Floats) -> Floats:
    above_low = np.where(np.isinf(low), 1.0, survival(np.nan_to_num(low, neginf=0.0), centre, width))
    if np.isinf(high).all():
        return above_low
    return above_low - np.where(np.isinf(high), 0.0, survival(np.nan_to_num(high, posinf=0.0), centre, width))


def _happens(
    listing: Listing,
    release: Release,
    at: Ints,
    doubt: Floats,
    quiet: NDArray[np.bool_],
    spell: Ints,
    draw: np.random.Generator,
) -> NDArray[np.bool_]:
    """Which nodes of which legs have a bar, shape (legs, n); the first always has."""
    manner = MANNERS[listing.kind]
    share = np.where(at > release.closes.timestamp() - _NEAR, manner.near, manner.far)
    floor = 0.3 if listing.kind == "macro" else 0.75
    lively = (floor + (1 - floor) * doubt) * np.where(quiet, 0.04, 1.0)
    happens = draw.random((len(doubt), len(at)), dtype=np.float32) < share * lively[:, spell]
    happens[:, 0] = True
    return np.asarray(happens)


def _quotes(mid: Floats, half: Floats, draw: np.random.Generator) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Bid and ask on whole cents around a middle; 0 and a dollar where a side would be empty. A few books lock."""
    bid = np.clip(np.floor(100 * (mid - half)), 0, 99)
    ask = np.clip(np.ceil(100 * (mid + half)), 1, 100)
    ask = np.maximum(ask, bid + 1)
    locked = (draw.random(len(mid), dtype=np.float32) < 0.0004) & (bid > 0)
    ask = np.where(locked, bid, ask)
    return (bid * _CENT).astype(np.int16), (ask * _CENT).astype(np.int16)


def _put_together(
    end: Ints, bid: NDArray[np.int16], ask: NDArray[np.int16], edges: Ints, rate: Floats, draw: np.random.Generator
) -> Tape:
    first = edges[:-1][edges[:-1] < edges[1:]]
    trades, row = _trade(end, bid, ask, rate, draw)
    price, volume, signed = _traded(trades, row, len(end), draw)
    price[PREVIOUS] = _previous(price[CLOSE], first)
    bars = Candles(
        end=end,
        bid=_side(bid, first, np.int16(0)),
        ask=_side(ask, first, np.int16(DOLLAR)),
        price=price,
        volume=volume,
        open_interest=_outstanding(signed, edges),
    )
    return Tape(bars, edges, trades, np.searchsorted(row, edges))


def _side(close: NDArray[np.int16], first: Ints, empty: np.int16) -> NDArray[np.int16]:
    """Open, high, low, close of a side: a bar opens where the one before closed, a market with an empty book."""
    opened = np.concatenate(([empty], close[:-1])).astype(np.int16)
    opened[first] = empty
    return np.stack((opened, np.maximum(opened, close), np.minimum(opened, close), close))


def _trade(
    end: Ints, bid: NDArray[np.int16], ask: NDArray[np.int16], rate: Floats, draw: np.random.Generator
) -> tuple[Trades, Ints]:
    """Trades at the quotes of each bar, and the bar each falls in."""
    many = np.minimum(np.floor(draw.standard_exponential(len(end), dtype=np.float32) * rate), 4).astype(np.int64)
    many[(bid == 0) & (ask == DOLLAR)] = 0
    row = np.repeat(np.arange(len(end), dtype=np.int64), many)
    place = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    within = (place + draw.random(len(row))) / many[row]
    time = (end[row] - _MINUTE) * 1_000_000 + 1 + (within * (_MINUTE * 1_000_000 - 2)).astype(np.int64)
    buys = draw.random(len(row), dtype=np.float32) < 0.5
    buys = np.where(bid[row] == 0, True, np.where(ask[row] == DOLLAR, False, buys))
    contracts = np.ceil(np.exp(2.0 + 1.2 * draw.standard_normal(len(row), dtype=np.float32))).astype(np.int64)
    return Trades(time, np.where(buys, ask[row], bid[row]), 100 * contracts, buys), row


def _traded(trades: Trades, row: Ints, bars: int, draw: np.random.Generator) -> tuple[NDArray[np.int16], Ints, Ints]:
    """Trade prices and volume of every bar, and the change of the open interest."""
    price = np.full((6, bars), NO_PRICE, np.int16)
    volume, signed = np.zeros(bars, np.int64), np.zeros(bars, np.int64)
    if not len(row):
        return price, volume, signed
    first = np.concatenate(([0], np.flatnonzero(np.diff(row)) + 1))
    last = np.concatenate((first[1:], [len(row)])) - 1
    bar = row[first]
    price[OPEN, bar], price[CLOSE, bar] = trades.price[first], trades.price[last]
    price[HIGH, bar] = np.maximum.reduceat(trades.price, first)
    price[LOW, bar] = np.minimum.reduceat(trades.price, first)
    volume[bar] = np.add.reduceat(trades.count, first)
    price[MEAN, bar] = np.rint(np.add.reduceat(trades.price.astype(np.int64) * trades.count, first) / volume[bar])
    closing = draw.random(len(row), dtype=np.float32) < 0.3
    signed[bar] = np.add.reduceat(np.where(closing, -trades.count, trades.count), first)
    return price, volume, signed


def _previous(close: NDArray[np.int16], first: Ints) -> NDArray[np.int16]:
    """The last trade before each bar, within its market."""
    position = np.arange(len(close), dtype=np.int64)
    latest = np.maximum.accumulate(np.where(close != NO_PRICE, position, -1))
    before = np.concatenate(([-1], latest[:-1]))
    begin = np.repeat(first, np.diff(np.append(first, len(close))))
    return np.where(before >= begin, close[before], np.int16(NO_PRICE))


def _outstanding(signed: Ints, edges: Ints) -> Ints:
    """Open interest: positions opened less positions closed, never below zero."""
    interest = np.empty(len(signed), np.int64)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        walk = np.cumsum(signed[start:stop])
        interest[start:stop] = walk - np.minimum(np.minimum.accumulate(walk), 0) if stop > start else walk
    return interest


def _paused(at: Ints) -> NDArray[np.bool_]:
    """Whether a minute lies in the weekly trading pause, Thursdays 03:00-05:00 US Eastern."""
    midnights = eastern_midnights()
    day = np.searchsorted(midnights, at - _MINUTE, side="right") - 1
    # 1970-01-01 was a Thursday; an Eastern midnight falls on the same date in UTC.
    thursday = (midnights[day] // 86_400) % 7 == 0
    hour = (at - _MINUTE - midnights[day]) / 3600
    return np.asarray(thursday & (hour >= 3) & (hour < 5))
