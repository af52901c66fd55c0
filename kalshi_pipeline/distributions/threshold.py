"""Repair of a threshold ladder: the survival curve nearest to the targets that no arbitrage contradicts.

Strikes ascend; S at the strikes must not increase. All functions work on one ladder: on the first ``strikes``
elements of working arrays that the batch in ``repair.py`` owns and reuses. ``solve`` is the whole repair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Indices, index, inlined

#: The value of a slot of :class:`Blocks` that is no block's: below every value.
NOT_A_BLOCK = -1.0


@inlined
def tighten(strikes: int, lower: Floats, upper: Floats) -> float:
    """Let every bound speak for the whole ladder, in place: ``L_i = max_{j>=i} bid_j``, ``U_i = min_{j<=i} ask_j``.

    Returns:
        Arbitrage depth: the least shift of both sides after which no band is empty.
    """
    below, above, overlap = 0.0, 1.0, 0.0
    for back in range(strikes):
        strike = index(strikes - 1 - back)
        below = max(below, lower[strike])
        lower[strike] = below
        # The widest overlap of the tightened bands lies at the strike of its ask.
        overlap = max(overlap, below - upper[strike])
    for i in range(strikes):
        above = min(above, upper[i])
        upper[i] = above
    return 0.5 * overlap


@inlined
def fee(price: float, rate: float) -> float:
    """Taker fee of one contract, ``rate * p * (1 - p)``, in dollars."""
    return rate * price * (1.0 - price)


@inlined
def depth_net(strikes: int, lower: Floats, upper: Floats, rate: float) -> float:
    """Arbitrage depth of tightened bands after taker fees.

    ``bid - fee(bid)`` and ``ask + fee(ask)`` grow with the price, so fees can be taken after tightening.
    """
    deepest = 0.0
    for i in range(strikes):
        bid, ask = lower[i], upper[i]
        deepest = max(deepest, 0.5 * (bid - fee(bid, rate) - ask - fee(ask, rate)))
    return deepest


@inlined
def widen(strikes: int, lower: Floats, upper: Floats, shift: float) -> None:
    """Shift both bounds apart, in place, within [0, 1]."""
    for i in range(strikes):
        low, high = max(lower[i] - shift, 0.0), min(upper[i] + shift, 1.0)
        # Where the shift just closes the gap, rounding must not leave the band empty.
        lower[i], upper[i] = min(low, high), max(low, high)


class Blocks(NamedTuple):
    """Scratch of :func:`pool`, one slot longer than the ladder. Strike i has slot i + 1; a block has its last strike's.

    Per block: weighted ``mean`` and ``weight`` of its targets, its ``value``, its ``first`` strike, and the slot of the
    block ``before`` it, 0 where there is none. The value is ``NOT_A_BLOCK`` in slots that are no block's.
    """

    mean: Floats
    weight: Floats
    value: Floats
    first: Indices
    before: Indices


def blocks_for(strikes: int) -> Blocks:
    """Scratch for ladders of at most so many strikes."""
    slots = strikes + 1
    return Blocks(
        np.empty(slots), np.empty(slots), np.empty(slots), np.empty(slots, dtype=index), np.empty(slots, dtype=index)
    )


@inlined
def pool(strikes: int, lower: Floats, upper: Floats, target: Floats, weight: Floats, blocks: Blocks) -> None:
    """Weighted least squares onto ``{S non-increasing, L <= S <= U}``, for the weighted strikes.

    Pool adjacent violators on a block stack. The value of a block is its weighted mean, clipped to the L of its first
    strike and the U of its last: the tightest bounds in it, since both fall with the strike.

    Args:
        strikes: their number.
        lower: tightened and widened lower bounds, non-increasing.
        upper: the upper ones, nowhere below the lower.
        target: what S should be near; not read where the weight is 0.
        weight: per strike; 0 where the strike has no target.
        blocks: receives the blocks.
    """
    # Nothing is pooled with what lies before the first strike.
    blocks.value[0] = 2.0
    top = index(0)
    for i in range(strikes):
        # Unweighted strikes are passed by without a branch, which nobody could foretell.
        weighted = weight[i] > 0.0
        mean, total, first, before = target[i], weight[i], index(i), top
        value = min(max(mean, lower[i]), upper[i]) if weighted else NOT_A_BLOCK
        while blocks.value[before] < value:
            joint = blocks.weight[before] + total
            mean = blocks.mean[before] + (mean - blocks.mean[before]) * (total / joint)
            total, first = joint, blocks.first[before]
            blocks.value[before] = NOT_A_BLOCK
            before = blocks.before[before]
            value = min(max(mean, lower[first]), upper[i])
        slot = index(i + 1)
        blocks.mean[slot], blocks.weight[slot], blocks.value[slot] = mean, total, value
        blocks.first[slot], blocks.before[slot] = first, before
        top = slot if weighted else top


@inlined
def unfold(strikes: int, lower: Floats, upper: Floats, weight: Floats, blocks: Blocks, survival: Floats) -> None:
    """Write the curve: every weighted strike at its block's value, the unweighted ones between them.

    An unweighted strike takes the middle of what the nearest weighted strikes and its own band leave it. Written
    without order, so it is the same from either end and for any number of them in a row.
    """
    # Blocks fall with the strike, so the highest from here on is the one at or next after the strike.
    below = 0.0
    for back in range(strikes):
        slot = index(strikes - back)
        below = max(below, blocks.value[slot])
        survival[slot - index(1)] = below
    above = 1.0
    for i in range(strikes):
        if weight[i] > 0.0:
            above = survival[i]
        else:
            survival[i] = 0.5 * (max(lower[i], survival[i]) + min(upper[i], above))


@inlined
def solve(
    strikes: int,
    lower: Floats,
    upper: Floats,
    target: Floats,
    weight: Floats,
    rate: float,
    survival: Floats,
    blocks: Blocks,
) -> tuple[float, float]:
    """Repair one ladder.

    Args:
        strikes: their number.
        lower: bids of S, strikes ascending; overwritten by the tightened, widened lower bounds.
        upper: asks of S; overwritten likewise.
        target: mids of S; not read where the weight is 0.
        weight: per strike; 0 where the strike only bounds.
        rate: fee rate of the ladder, for the net depth.
        survival: receives S.
        blocks: scratch.

    Returns:
        Arbitrage depth, gross and net of fees, in dollars.
    """
    gross, net = tighten(strikes, lower, upper), 0.0
    if gross > 0.0:
        net = depth_net(strikes, lower, upper, rate)
        widen(strikes, lower, upper, gross)
    pool(strikes, lower, upper, target, weight, blocks)
    unfold(strikes, lower, upper, weight, blocks, survival)
    return gross, net
