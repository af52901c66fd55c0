"""Cells that two states of one ladder have in common, and how the mass of each goes onto them.

A ladder grows while it trades: a market listed later cuts a cell in two, or lies beyond what was the last cut. Mass of
a cell that is cut goes onto its parts as the moments take it to lie: by width between two cuts, by atoms in a tail.
"""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats
from kalshi_pipeline.distributions.tails import TailRule, tail_atoms


def common_cuts(one: Floats, other: Floats, rule: TailRule) -> Floats:
    """The cuts of both states, and on a grid one around every atom where only one of them is still inside its cuts.

    There a tail of unequal atoms meets cells of equal ones: atom by atom both are what they are.

    Args:
        one: cuts of one state, ascending.
        other: cuts of the other, ascending.
        rule: what the tails of the ladder rest on.
    """
    parts = [one, other]
    if rule.step is not None:
        for outward, ends in ((-1.0, (one[0], other[0])), (1.0, (one[-1], other[-1]))):
            inner, outer = (one, other) if outward * (ends[1] - ends[0]) > 0 else (other, one)
            limit = float(outer[0] if outward < 0 else outer[-1])
            places, _ = tail_atoms(inner, rule, outward)
            edges = places + outward * rule.step / 2
            parts.append(edges[outward * (limit - edges) > 0])
    cuts = np.sort(np.concatenate(parts))
    apart = np.append(True, np.diff(cuts) > (1e-6 * rule.step if rule.step is not None else 0.0))
    return np.asarray(cuts[apart])


def spread(cuts: Floats, onto: Floats, rule: TailRule) -> Floats:
    """How a unit of mass of every cell lies on finer cells.

    Args:
        cuts: cuts of a ladder, ascending.
        onto: finer cuts: those of the ladder among them, up to rounding.
        rule: what the tails of the ladder rest on.

    Returns:
        ``(cells, finer cells)``, rows sum to 1.
    """
    hair = 1e-6 * rule.step if rule.step is not None else 1e-12 * max(float(np.ptp(onto)), 1.0)
    shares = np.zeros((cuts.size + 1, onto.size + 1))
    middle = (onto[:-1] + onto[1:]) / 2
    inside = np.flatnonzero((middle > cuts[0]) & (middle < cuts[-1]))
    cell = np.searchsorted(cuts, middle[inside])
    shares[cell, inside + 1] = np.diff(onto)[inside] / (cuts[cell] - cuts[cell - 1])
    for row, outward in ((0, -1.0), (cuts.size, 1.0)):
        places, share = tail_atoms(cuts, rule, outward)
        np.add.at(shares[row], np.searchsorted(onto, places + outward * hair), share)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
