"""Which candle requests to send: windows of bars cut so that their number comes close to the least the API allows.

Pure arithmetic on slots. A slot is a stretch of time in which exactly one bar of a market can end: a minute, an hour,
or a day from 04:00 UTC (midnight US Eastern is at 04:00 or 05:00 UTC). Not here: which markets and days are wanted
(``candles``), the sending.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kalshi_pipeline.exchange.endpoints import CANDLES_PER_BATCH, MARKETS_PER_BATCH, PERIODS_PER_REQUEST

_DAY_SLOT_OFFSET = 4 * 3600

#: How many numbers of equal groups are tried, from the fewest that the limit of markets allows to a multiple of it.
_SPLITS_TRIED, _SPLITS_UP_TO = 24, 3


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
class _Slots:
    """A span in slots, first and last included."""

    ticker: str
    first: int
    last: int


def plan_singles(spans: Sequence[Span], period_minutes: int) -> list[CandleRequest]:
    """Requests to an endpoint that takes one market: every span cut at the limit of periods."""
    requests = []
    for slots in _in_slots(spans, period_minutes):
        for first in range(slots.first, slots.last + 1, PERIODS_PER_REQUEST):
            last = min(first + PERIODS_PER_REQUEST - 1, slots.last)
            requests.append(_request([slots.ticker], first, last, period_minutes))
    return requests


def plan_batches(spans: Sequence[Span], period_minutes: int) -> list[CandleRequest]:
    """Requests to the endpoint that takes many markets, under its limits of markets, periods and candles in total.

    The markets are put in groups (by their windows), every group is swept along time with windows as long as the
    limits allow for the markets alive in them, and the grouping that needs the fewest requests is taken.
    """
    slots = sorted(_in_slots(spans, period_minutes), key=lambda s: (s.first, s.last, s.ticker))
    if not slots:
        return []
    plans = ([piece for group in groups for piece in _sweep(group)] for groups in _groupings(slots))
    best = min(plans, key=len)
    return [_request(tickers, first, last, period_minutes) for tickers, first, last in best]


def least_batches(spans: Sequence[Span], period_minutes: int) -> int:
    """The least number of batch requests that any plan can do with: its candles through the largest request."""
    slots = _in_slots(spans, period_minutes)
    candles = sum(s.last - s.first + 1 for s in slots)
    longest = max((s.last - s.first + 1 for s in slots), default=0)
    return max(
        -(-candles // CANDLES_PER_BATCH), -(-len(slots) // MARKETS_PER_BATCH), -(-longest // PERIODS_PER_REQUEST)
    )


def _in_slots(spans: Sequence[Span], period_minutes: int) -> list[_Slots]:
    """Spans in slots; those in which no bar can end are left out."""
    length, offset = _slot(period_minutes)
    slots = []
    for span in spans:
        if offset:
            first, last = (span.start_ts - offset) // length, (span.end_ts - offset) // length
        else:
            first, last = -(-span.start_ts // length), span.end_ts // length
        if first <= last:
            slots.append(_Slots(span.ticker, first, last))
    return slots


def _slot(period_minutes: int) -> tuple[int, int]:
    """Length of a slot in seconds, and where the first begins."""
    return period_minutes * 60, _DAY_SLOT_OFFSET if period_minutes == 1440 else 0


def _request(tickers: Sequence[str], first: int, last: int, period_minutes: int) -> CandleRequest:
    length, offset = _slot(period_minutes)
    end = (last + 1) * length + offset - 1 if offset else last * length
    return CandleRequest(tuple(tickers), first * length + offset, end)


def _groupings(slots: Sequence[_Slots]) -> Iterator[list[Sequence[_Slots]]]:
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


def _whole(slots: Sequence[_Slots]) -> list[Sequence[_Slots]]:
    """Groups of which each fits one request, from its first bar to its last; a market that fits none is alone."""
    groups: list[Sequence[_Slots]] = []
    begin, last = 0, slots[0].last
    for position, one in enumerate(slots[1:], start=1):
        reach = max(last, one.last)
        periods, markets = reach - slots[begin].first + 1, position - begin + 1
        if markets > MARKETS_PER_BATCH or periods > PERIODS_PER_REQUEST or markets * periods > CANDLES_PER_BATCH:
            groups.append(slots[begin:position])
            begin, reach = position, one.last
        last = reach
    return [*groups, slots[begin:]]


def _sweep(group: Sequence[_Slots]) -> list[tuple[list[str], int, int]]:
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
