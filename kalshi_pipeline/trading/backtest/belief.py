"""What the backtest believes about a number: a normal through its last known values.

It is a stand-in that needs nothing but outcomes known by then, so that decisions can be simulated at all; it is no
forecast. Values enter by the moment they were known, never by the day they are about.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, stdev


@dataclass(frozen=True)
class KnownValue:
    """An outcome, and the moment it could first be known."""

    value: float
    anchor: datetime
    learned_at: datetime


@dataclass(frozen=True)
class Belief:
    """A normal distribution of the number that settles the event, in its unit."""

    mean: float
    std: float

    def probability(self, low: float | None, high: float | None) -> float:
        """Probability of a leg's cell range ``(low, high]``; ``None`` is open."""
        below_high = 1.0 if high is None else self._below(high)
        return max(0.0, below_high - (0.0 if low is None else self._below(low)))

    def _below(self, cut: float) -> float:
        return 0.5 * math.erfc((self.mean - cut) / (self.std * math.sqrt(2.0)))


def belief_at(
    moment: datetime, values: Iterable[KnownValue], *, most: int, least: int, floor_std: float
) -> Belief | None:
    """The belief at an instant, from the last values known by then.

    Args:
        moment: instant of the decision.
        values: all outcomes of the series, in any order.
        most: values used at most, the latest by anchor.
        least: with fewer there is no belief.
        floor_std: smallest standard deviation, in the unit of the values.

    Returns:
        The belief; ``None`` where too little was known.
    """
    known = sorted((value for value in values if value.learned_at <= moment), key=lambda value: value.anchor)[-most:]
    if len(known) < max(least, 2):
        return None
    numbers = [value.value for value in known]
    return Belief(fmean(numbers), max(stdev(numbers), floor_std))
