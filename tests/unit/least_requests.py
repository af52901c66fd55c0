"""The least number of candle requests that any plan can do with: what plans are held against.

A plan covers every market's slots with rectangles of markets and time. Give every slot of a market a weight such that
no rectangle within the limits holds more than one in total: then there are at least as many rectangles as all weights
sum to (weak duality of linear programmes). Not here: plans (``planning``).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from kalshi_pipeline.exchange.endpoints import CANDLES_PER_BATCH, MARKETS_PER_BATCH, PERIODS_PER_REQUEST
from kalshi_pipeline.landing.planning import Slots, Span, in_slots

#: Equal parts of a life whose slots weigh the same.
_PARTS = 12

#: Weights are looked for in this many steps at most, of which each adds so many windows that were too heavy.
_STEPS, _WINDOWS_A_STEP = 40, 60

#: How far a step goes from the best weights known towards those that the windows known allow.
_STRIDE = 0.3

#: Lives times moments, and different lengths, up to which weights are looked for: it takes some seconds.
_LARGEST, _MOST_LENGTHS = 30_000, 8

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def least_batches(spans: Sequence[Span], period_minutes: int) -> int:
    """The least number of batch requests that any plan can do with, by four bounds; the largest counts.

    Spread evenly over a market of n slots, a weight of ``max(n, 100) / 10,000`` is allowed: a short market takes up one
    of a request's hundred places however short it is. Put on its first and its last slot in equal parts, it says what
    markets that follow one another allow: a long window has many of them in it and few places. Where markets are of few
    lengths, the best weights among all that depend on length and age are found. And a market of many periods is cut.
    """
    slots = in_slots(spans, period_minutes)
    if not slots:
        return 0
    lengths = [s.last - s.first + 1 for s in slots]
    even = -(-sum(max(n, CANDLES_PER_BATCH // MARKETS_PER_BATCH) for n in lengths) // CANDLES_PER_BATCH)
    longest = -(-max(lengths) // PERIODS_PER_REQUEST)
    return max(even, longest, math.ceil(len(slots) / _most_ends(slots) - 1e-9), math.ceil(_by_age(slots) - 1e-6))


def _most_ends(slots: Sequence[Slots]) -> float:
    """The most that one request can hold of markets' first and last slots, each counted as half a market."""
    firsts, lasts = sorted(s.first for s in slots), sorted(s.last for s in slots)
    by_first = sorted((s.first, s.last) for s in slots)
    moments = sorted({*firsts, *lasts})
    most = 0.0
    for begin in moments:
        whole = sorted(last for first, last in by_first[bisect_left(by_first, (begin, begin)) :])
        # A request that holds as much as another one and is no longer may begin and end at such moments.
        for end in moments[bisect_left(moments, begin) : bisect_left(moments, begin + PERIODS_PER_REQUEST)]:
            places = min(MARKETS_PER_BATCH, CANDLES_PER_BATCH // (end - begin + 1))
            inside = bisect_right(whole, end)
            ends = bisect_right(firsts, end) - bisect_left(firsts, begin)
            ends += bisect_right(lasts, end) - bisect_left(lasts, begin)
            most = max(most, min(places, inside + min(ends - 2 * inside, max(places - inside, 0)) / 2))
    return most


@dataclass(frozen=True)
class _Lives:
    """Markets by their lives.

    Attributes:
        firsts: first slot of each life.
        counts: markets that live so.
        lengths: the different numbers of slots.
        length_of: which of them each life has.
    """

    firsts: _Ints
    counts: _Ints
    lengths: _Ints
    length_of: _Ints

    @classmethod
    def of(cls, slots: Sequence[Slots]) -> _Lives:
        lives = Counter((s.first, s.last - s.first + 1) for s in slots)
        lengths, length_of = np.unique([length for _, length in lives], return_inverse=True)
        return cls(np.array([first for first, _ in lives]), np.array([*lives.values()]), lengths, length_of)

    @cached_property
    def edges(self) -> _Ints:
        """Where the parts of a life begin, and its end, in slots since its first: one row a length."""
        return np.linspace(0, self.lengths, _PARTS + 1).astype(np.int64).T

    @cached_property
    def moments(self) -> _Ints:
        """Slots at which the part of any life begins or its last is over."""
        return np.unique(self.firsts[:, None] + self.edges[self.length_of])

    @cached_property
    def slots(self) -> _Ints:
        """Slots of all markets in every part of every length."""
        markets = np.bincount(self.length_of, self.counts).astype(np.int64)
        return np.diff(self.edges, axis=1) * markets[:, None]

    def inside(self, start: int, stop: int) -> _Ints:
        """Slots of one market of each life in every part that are within ``[start, stop)``."""
        within: _Ints = np.clip(self.firsts[:, None] + self.edges[self.length_of], start, stop)
        return np.diff(within, axis=1)

    def weights(self, weights: _Floats, moments: _Ints) -> _Floats:
        """What of one market of each life weighs before each of the moments, by the weight of a slot of each part."""
        until = np.concatenate(
            [np.zeros((len(self.lengths), 1)), np.cumsum(weights * np.diff(self.edges, axis=1), 1)], 1
        )
        return np.stack(
            [
                np.interp(moments - first, self.edges[length], until[length])
                for first, length in zip(self.firsts, self.length_of, strict=True)
            ]
        )


def _by_age(slots: Sequence[Slots]) -> float:
    """The largest sum of allowed weights that depend on a market's age and length alone, or 0 if there are too many."""
    lives = _Lives.of(slots)
    if len(lives.lengths) > _MOST_LENGTHS or len(lives.firsts) * len(lives.moments) > _LARGEST:
        return 0.0
    allowed = np.full(lives.slots.shape, 1 / CANDLES_PER_BATCH)
    best, target = float((allowed * lives.slots).sum()), np.ones(lives.slots.shape)
    windows: list[_Floats] = []
    for _ in range(_STEPS):
        tried = allowed + _STRIDE * (target - allowed)
        heaviest, found = _too_heavy(lives, tried)
        if (total := float((tried * lives.slots).sum()) / heaviest) > best:
            allowed, best = tried / heaviest, total
        windows += found
        if not windows:
            continue
        solved = linprog(
            -lives.slots.ravel(), A_ub=np.array(windows), b_ub=np.ones(len(windows)), bounds=(0, 1), method="highs"
        )
        target = solved.x.reshape(lives.slots.shape)
        if math.ceil(-solved.fun - 1e-6) <= math.ceil(best - 1e-6):
            break
    return best


def _too_heavy(lives: _Lives, weights: _Floats) -> tuple[float, list[_Floats]]:
    """The weight of the heaviest request, and the slots in every part of those that are heavier than one."""
    heaviest, found = 0.0, []
    for places, periods in _shapes():
        # Between such starts the weight of the best choice of markets is a convex function of the start.
        starts = np.unique(np.concatenate([lives.moments, lives.moments - periods]))
        each = lives.weights(weights, starts + periods) - lives.weights(weights, starts)
        order = np.argsort(-each, axis=0, kind="stable")
        before = np.cumsum(lives.counts[order], axis=0) - lives.counts[order]
        taken = np.clip(places - before, 0, lives.counts[order])
        totals = (np.take_along_axis(each, order, 0) * taken).sum(axis=0)
        heaviest = max(heaviest, float(totals.max()))
        for n in np.argsort(-totals, kind="stable")[:3]:
            if totals[n] > 1 + 1e-7:
                slots = np.zeros(weights.shape)
                inside = lives.inside(int(starts[n]), int(starts[n]) + periods)[order[:, n]]
                np.add.at(slots, lives.length_of[order[:, n]], inside * taken[:, n, None])
                found.append((float(totals[n]), slots.ravel()))
    found.sort(key=lambda one: -one[0])
    return heaviest, [slots for _, slots in found[:_WINDOWS_A_STEP]]


def _shapes() -> list[tuple[int, int]]:
    """Markets and periods of the largest requests: no other has as many markets and is longer."""
    longest = {min(PERIODS_PER_REQUEST, CANDLES_PER_BATCH // n): n for n in range(1, MARKETS_PER_BATCH + 1)}
    return [(places, periods) for periods, places in longest.items()]
