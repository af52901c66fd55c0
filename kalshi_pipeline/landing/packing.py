"""A search for fewer candle requests: request by request from the earliest bar that is still wanted.

Of the states that so many requests can leave, the most promising are kept (a beam search). Markets of one life are
alike, so a state says how many of each life still want bars from where. Not here: plans by groups of neighbours, which
are better where there are many markets, and when which of them is tried (``planning``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

#: States kept after every request, and requests tried from each.
_STATES, _TRIED = 20, 6

#: What a market that is begun and not ended counts beside its bars, in shares of a request's places.
_OPEN_ENDS = (0.0, 1.0, 3.0)

#: Next slot wanted, last slot, and whether any slot before was asked for.
_Want = tuple[int, int, bool]


@dataclass(frozen=True)
class Limits:
    """What one request may hold."""

    markets: int
    candles: int
    periods: int


@dataclass(frozen=True)
class Asked:
    """One request: which of the wants it takes up how often, and the slots it covers, both ends included."""

    wants: tuple[tuple[_Want, int], ...]
    first: int
    last: int


@dataclass(frozen=True)
class _State:
    """What is wanted still, the requests so far, and the candles left: of a market a place's worth at least."""

    wants: tuple[tuple[_Want, int], ...]
    asked: tuple[Asked, ...]
    left: float


def packed(
    lives: Sequence[tuple[str, int, int]], limits: Limits, least: int, fewer_than: int
) -> list[tuple[list[str], int, int]]:
    """Requests that cover every slot of every market once, if fewer than ``fewer_than`` were found; else none.

    Time is gone through in both directions, with several prices on a market that is begun and not ended.

    Args:
        lives: ticker, first and last slot.
        limits: what one request may hold.
        least: how many there are at least; the search ends with so many.
        fewer_than: how many there are without this search.
    """
    best: list[tuple[list[str], int, int]] = []
    mirrored = [(ticker, -last, -first) for ticker, first, last in lives]
    for (backwards, markets), open_end in product(((False, lives), (True, mirrored)), _OPEN_ENDS):
        if (fewest := len(best) or fewer_than) <= least:
            break
        found = _search(markets, limits, open_end, fewest)
        if found is not None:
            pieces = _named(markets, found)
            best = [(tickers, -last, -first) for tickers, first, last in pieces] if backwards else pieces
    return best


def _search(
    lives: Iterable[tuple[str, int, int]], limits: Limits, open_end: float, fewer_than: int
) -> tuple[Asked, ...] | None:
    counts = Counter((first, last, False) for _, first, last in lives)
    place = limits.candles / limits.markets
    total = sum(max(last - first + 1, place) * count for (first, last, _), count in counts.items())
    states = [_State(tuple(sorted(counts.items())), (), total)]
    for remaining in reversed(range(fewer_than - 1)):
        following: dict[tuple[tuple[_Want, int], ...], _State] = {}
        for state in states:
            for after in _after_one(state, limits, open_end * place):
                if not after.wants:
                    return after.asked
                begun = sum(count for want, count in after.wants if want[2])
                if after.left - open_end * place * begun > remaining * limits.candles * (1 + 1e-9):
                    continue
                known = following.get(after.wants)
                if known is None or after.left < known.left:
                    following[after.wants] = after
        states = sorted(following.values(), key=lambda state: state.left)[:_STATES]
    return None


def _after_one(state: _State, limits: Limits, open_end: float) -> Iterator[_State]:
    """The states after the requests that take up most, each as full as can be of the markets that gain most."""
    start = state.wants[0][0][0]
    places, periods = _shapes(limits)
    # Nothing is asked for twice: a market of which later slots were covered has to wait.
    open_to = [(want, n) for want, n in state.wants if want[0] == start or not want[2]]
    first, last, begun, counts = np.array([(*want, n) for want, n in open_to]).T
    stops = start + periods
    covered = np.clip(np.minimum(stops[:, None], last + 1) - first, 0, None)
    rest, least = last + 1 - first - covered, limits.candles / limits.markets
    weight = np.maximum(last + 1 - first, least) + open_end * begun
    weight_after = np.where(rest > 0, np.maximum(rest, least) + open_end, 0.0)
    gains = np.where(covered > 0, weight - weight_after, 0.0)
    order = np.lexsort((-covered, -gains, covered == 0), axis=1)
    sizes = counts[order]
    taken = np.clip(places[:, None] - np.cumsum(sizes, axis=1) + sizes, 0, sizes)
    taken[np.take_along_axis(covered, order, 1) == 0] = 0
    totals = (np.take_along_axis(gains, order, 1) * taken).sum(axis=1)
    for n in np.argsort(-totals, kind="stable")[:_TRIED]:
        chosen = [(open_to[m][0], int(count)) for m, count in zip(order[n], taken[n], strict=True) if count]
        reach = min(int(stops[n]) - 1, max(want[1] for want, _ in chosen))
        wants = Counter(dict(state.wants))
        for want, count in chosen:
            wants[want] -= count
            if want[1] > reach:
                wants[(reach + 1, want[1], True)] += count
        left = tuple(sorted((want, count) for want, count in wants.items() if count))
        yield _State(left, (*state.asked, Asked(tuple(chosen), start, reach)), state.left - float(totals[n]))


@lru_cache
def _shapes(limits: Limits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places and periods of the largest requests: no other has as many places and is longer."""
    longest = {min(limits.periods, limits.candles // places): places for places in range(1, limits.markets + 1)}
    return np.array([*longest.values()]), np.array([*longest])


def _named(lives: Iterable[tuple[str, int, int]], asked: Iterable[Asked]) -> list[tuple[list[str], int, int]]:
    """The requests with markets' names: those that want the same are alike."""
    waiting: defaultdict[_Want, list[str]] = defaultdict(list)
    for ticker, first, last in lives:
        waiting[first, last, False].append(ticker)
    pieces = []
    for one in asked:
        tickers = []
        for want, count in one.wants:
            names = [waiting[want].pop() for _ in range(count)]
            tickers += names
            if want[1] > one.last:
                waiting[one.last + 1, want[1], True] += names
        pieces.append((tickers, one.first, one.last))
    return pieces
