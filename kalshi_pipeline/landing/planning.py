"""Which candle requests to send: windows of bars cut so that their number comes close to the least the API allows.

Pure arithmetic on slots. A slot is a stretch of time in which exactly one bar of a market can end: a minute, an hour,
or a day from 04:00 UTC (midnight US Eastern is at 04:00 or 05:00 UTC). Not here: which markets and days are wanted
(``candles``), the sending.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from kalshi_pipeline.exchange.endpoints import CANDLES_PER_BATCH, MARKETS_PER_BATCH, PERIODS_PER_REQUEST
from kalshi_pipeline.landing.packing import Limits, packed

_DAY_SLOT_OFFSET = 4 * 3600

#: How many numbers of equal groups are tried, from the fewest that the limit of markets allows to a multiple of it.
_SPLITS_TRIED, _SPLITS_UP_TO = 24, 3

#: Requests, and requests times different lives, up to which fewer are searched for: it takes about a second.
_MOST_SEARCHED, _SEARCHED = 40, 800

#: Share of the candles allowed from which a request counts as full.
_FULL = 0.9

#: A request in slots: tickers, first and last slot.
_Piece = tuple[list[str], int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """The bars wanted of one market: those that end within ``[start_ts, end_ts]``, unix seconds."""

    ticker: str
    start_ts: int
    end_ts: int


@dataclass(frozen=True, slots=True)
class CandleRequest:
    """One request: the bars of these markets that end within ``[start_ts, end_ts]``, both ends included."""

    tickers: tuple[str, ...]
    start_ts: int
    end_ts: int


@dataclass(frozen=True, slots=True)
class Slots:
    """A span in slots, first and last included."""

    ticker: str
    first: int
    last: int


def plan_singles(spans: Sequence[Span], period_minutes: int) -> list[CandleRequest]:
    """Requests to an endpoint that takes one market: every span cut at the limit of periods."""
    requests = []
    for slots in in_slots(spans, period_minutes):
        for first in range(slots.first, slots.last + 1, PERIODS_PER_REQUEST):
            last = min(first + PERIODS_PER_REQUEST - 1, slots.last)
            requests.append(_request([slots.ticker], first, last, period_minutes))
    return requests


def plan_batches(spans: Sequence[Span], period_minutes: int) -> list[CandleRequest]:
    """Requests to the endpoint that takes many markets, under its limits of markets, periods and candles in total.

    The markets are put in groups (by their windows), every group is swept along time with windows as long as the
    limits allow for the markets alive in them, and the grouping that needs the fewest requests is taken. Where markets
    of one life fill requests by themselves, plans are tried in which only what is left over of them is grouped. Where
    there are few requests and several lives, a search may find a plan with fewer.
    """
    slots = sorted(in_slots(spans, period_minutes), key=lambda s: (s.first, s.last, s.ticker))
    if not slots:
        return []
    alone, others = _filling_alone(slots)
    best = min([_best_of_groupings(slots), alone + _best_of_groupings(others)], key=len)
    lives = len({(s.first, s.last) for s in slots})
    if lives > 1 and len(best) <= min(_MOST_SEARCHED, _SEARCHED // lives):
        limits = Limits(MARKETS_PER_BATCH, CANDLES_PER_BATCH, PERIODS_PER_REQUEST)
        fewer = packed([(s.ticker, s.first, s.last) for s in slots], limits, _by_candles(slots), len(best))
        best = fewer or best
    return [_request(tickers, first, last, period_minutes) for tickers, first, last in best]


def batch_size(bars: int) -> float:
    """The part of a batch request that so many bars of one market take up at least."""
    return max(bars / CANDLES_PER_BATCH, 1 / MARKETS_PER_BATCH)


def in_slots(spans: Sequence[Span], period_minutes: int) -> list[Slots]:
    """Spans in slots; those in which no bar can end are left out."""
    length, offset = _slot(period_minutes)
    slots = []
    for span in spans:
        if offset:
            first, last = (span.start_ts - offset) // length, (span.end_ts - offset) // length
        else:
            first, last = -(-span.start_ts // length), span.end_ts // length
        if first <= last:
            slots.append(Slots(span.ticker, first, last))
    return slots


def _slot(period_minutes: int) -> tuple[int, int]:
    """Length of a slot in seconds, and where the first begins."""
    return period_minutes * 60, _DAY_SLOT_OFFSET if period_minutes == 1440 else 0


def _request(tickers: Sequence[str], first: int, last: int, period_minutes: int) -> CandleRequest:
    length, offset = _slot(period_minutes)
    end = (last + 1) * length + offset - 1 if offset else last * length
    return CandleRequest(tuple(tickers), first * length + offset, end)


def _by_candles(slots: Sequence[Slots]) -> int:
    """Requests that the candles and places fill at least."""
    return math.ceil(sum(batch_size(s.last - s.first + 1) for s in slots) - 1e-9)


def _filling_alone(slots: Sequence[Slots]) -> tuple[list[_Piece], list[Slots]]:
    """Requests that markets of one life fill by themselves from first bar to last, and all other markets."""
    full, others = [], []
    for (first, last), equals in groupby(slots, key=lambda s: (s.first, s.last)):
        markets, periods = list(equals), last - first + 1
        places = min(MARKETS_PER_BATCH, CANDLES_PER_BATCH // periods) if periods <= PERIODS_PER_REQUEST else 0
        if places * periods < _FULL * CANDLES_PER_BATCH:
            others += markets
            continue
        whole = len(markets) - len(markets) % places
        full += [([s.ticker for s in markets[n : n + places]], first, last) for n in range(0, whole, places)]
        others += markets[whole:]
    return full, others


def _best_of_groupings(slots: Sequence[Slots]) -> list[_Piece]:
    if not slots:
        return []
    return min(([piece for group in groups for piece in _sweep(group)] for groups in _groupings(slots)), key=len)


def _groupings(slots: Sequence[Slots]) -> Iterator[list[Sequence[Slots]]]:
    """Ways of putting neighbours in time in groups: full ones and a rest, as many as one request can hold whole, or a
    number of nearly equal ones.
    """
    fewest = -(-len(slots) // MARKETS_PER_BATCH)
    yield [slots[low : low + MARKETS_PER_BATCH] for low in range(0, len(slots), MARKETS_PER_BATCH)]
    yield _whole(slots)
    most = min(max(_SPLITS_UP_TO * fewest, _SPLITS_TRIED), len(slots))
    for number in sorted({fewest + (most - fewest) * n // _SPLITS_TRIED for n in range(_SPLITS_TRIED + 1)}):
        cuts = [len(slots) * n // number for n in range(number + 1)]
        yield [slots[low:high] for low, high in pairwise(cuts)]


def _whole(slots: Sequence[Slots]) -> list[Sequence[Slots]]:
    """Groups of which each fits one request, from its first bar to its last; a market that fits none is alone."""
    groups: list[Sequence[Slots]] = []
    begin, last = 0, slots[0].last
    for position, one in enumerate(slots[1:], start=1):
        reach = max(last, one.last)
        periods, markets = reach - slots[begin].first + 1, position - begin + 1
        if markets > MARKETS_PER_BATCH or periods > PERIODS_PER_REQUEST or markets * periods > CANDLES_PER_BATCH:
            groups.append(slots[begin:position])
            begin, reach = position, one.last
        last = reach
    return [*groups, slots[begin:]]


def _sweep(group: Sequence[Slots]) -> list[_Piece]:
    """Cut time into windows; each takes in the markets alive in it and is as long as the limits allow for them."""
    firsts = sorted(s.first for s in group)
    pieces = []
    start, end = firsts[0], max(s.last for s in group)
    while start <= end:
        still_alive = [s.last for s in group if s.first <= start <= s.last]
        if not still_alive:
            start = firsts[bisect_left(firsts, start)]
            continue
        stop = _window_end(start, len(still_alive), firsts)
        asked = [s for s in group if s.first <= stop and s.last >= start]
        stop = min(stop, max(s.last for s in asked))
        pieces.append(([s.ticker for s in asked], start, stop))
        start = stop + 1
    return pieces


def _window_end(start: int, alive: int, firsts: Sequence[int]) -> int:
    """The last slot of the longest window from ``start`` that the limits allow, with the markets that begin in it."""
    position = bisect_left(firsts, start + 1)
    while True:
        stop = start + min(PERIODS_PER_REQUEST, CANDLES_PER_BATCH // alive) - 1
        if position >= len(firsts) or firsts[position] > stop:
            return stop
        joined = alive + 1
        if start + CANDLES_PER_BATCH // joined - 1 < firsts[position]:
            return firsts[position] - 1
        alive, position = joined, position + 1
