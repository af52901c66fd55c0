"""What kind of ladder a set of payoff intervals is, and how sure that is.

Geometry decides; what the exchange says about exclusivity is checked against it. Works on intervals alone, so that the
ladder of any earlier instant (fewer markets listed) is classified in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isinf

Interval = tuple[float, float]

THRESHOLD, BUCKET, MIXED = "threshold", "bucket", "mixed"
CONFIDENCES = ("high", "medium", "low")


def classify(intervals: Sequence[Interval], exclusive: bool | None) -> str:
    """Name the kind of a ladder.

    Args:
        intervals: payoff interval ``[low, high)`` of each market, infinite where open.
        exclusive: whether the exchange says that exactly one market settles yes; ``None`` where it does not say.

    Returns:
        ``threshold``: every market is a half-line with an edge of its own, prices give the survival curve.
        ``bucket``: the markets are disjoint, prices give masses. ``mixed``: anything else.
        Two disjoint half-lines are either; then the exchange's word decides.
    """
    disjoint = _disjoint(intervals)
    if disjoint and exclusive:
        return BUCKET
    edges = {low if isinf(high) else high for low, high in intervals if isinf(low) or isinf(high)}
    if len(edges) == len(intervals):
        return THRESHOLD
    return BUCKET if disjoint else MIXED


def confidence(intervals: Sequence[Interval], exclusive: bool | None, of_legs: Sequence[str]) -> str:
    """How sure the payoffs of a ladder are: no surer than its least sure market.

    Exclusivity that the geometry contradicts (overlapping payoffs of which exactly one is said to pay) makes it
    ``low``; exclusivity that is not stated, or denied where the payoffs are disjoint, at most ``medium``.
    """
    level = max((CONFIDENCES.index(name) for name in of_legs), default=0)
    if len(intervals) > 1:
        disjoint = _disjoint(intervals)
        if exclusive and not disjoint:
            level = CONFIDENCES.index("low")
        elif exclusive is None or exclusive != disjoint:
            level = max(level, CONFIDENCES.index("medium"))
    return CONFIDENCES[level]


def _disjoint(intervals: Sequence[Interval]) -> bool:
    return all(before[1] <= after[0] for before, after in pairwise(sorted(intervals)))
