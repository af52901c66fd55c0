"""Which earlier snapshot of its ladder a snapshot is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools, Ints

#: Stands for no earlier snapshot.
NONE = -1

_MINUTE = 60_000_000


@dataclass(frozen=True)
class Lag:
    """A distance in time.

    Attributes:
        minutes: how long before.
        max_gap_minutes: how much longer at most; an older snapshot counts as none.
    """

    minutes: int
    max_gap_minutes: int


#: Lags by name: what changed within the hour, and within the day. A gap of a quarter of the lag still tells of it.
LAGS: Mapping[str, Lag] = MappingProxyType({"1h": Lag(60, 15), "1d": Lag(1440, 360)})


def earlier(ladder: Ints, asof: Ints, passed: Bools, lag: Lag) -> tuple[Ints, Bools]:
    """The latest passed snapshot of the same ladder at least one lag before each snapshot, and at most the gap more.

    Args:
        ladder: code of the ladder, per snapshot; snapshots are sorted by ladder, then by instant.
        asof: instant, in microseconds.
        passed: whether the snapshot passed its gates.
        lag: the lag.

    Returns:
        Position of the earlier snapshot, :data:`NONE` without one; and whether there was one that did not pass.
    """
    found = np.full(ladder.size, NONE, dtype=np.int64)
    gated = np.zeros(ladder.size, dtype=np.bool_)
    every = np.arange(ladder.size)
    bounds = np.flatnonzero(np.concatenate(([True], ladder[1:] != ladder[:-1], [True])))
    for begin, end in pairwise(bounds if ladder.size else ()):
        own = slice(begin, end)
        latest = asof[own] - lag.minutes * _MINUTE
        oldest = latest - lag.max_gap_minutes * _MINUTE
        some = np.searchsorted(asof[own], latest, side="right") - 1
        gated[own] = (some >= 0) & (asof[own][some] >= oldest)
        candidates = every[own][passed[own]]
        if candidates.size:
            last = np.searchsorted(asof[candidates], latest, side="right") - 1
            good = (last >= 0) & (asof[candidates][last] >= oldest)
            found[own] = np.where(good, candidates[last], NONE)
    return found, gated & (found == NONE)
