"""Repair of a threshold ladder: the survival curve nearest to the targets that no arbitrage contradicts.

Strikes ascend; S at the strikes must not increase. All functions work on one ladder: on the first ``strikes``
elements of working arrays that the batch in ``repair.py`` owns and reuses. ``solve`` is the whole repair.
"""

from __future__ import annotations

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled


@compiled
def tighten(strikes: int, lower: Floats, upper: Floats) -> None:
    """Let every bound speak for the whole ladder, in place: ``L_i = max_{j>=i} bid_j``, ``U_i = min_{j<=i} ask_j``."""
    for i in range(strikes - 2, -1, -1):
        lower[i] = max(lower[i], lower[i + 1])
    for i in range(1, strikes):
        upper[i] = min(upper[i], upper[i - 1])


@compiled
def depth(strikes: int, lower: Floats, upper: Floats) -> float:
    """Arbitrage depth of tightened bands: the least shift of both sides after which no band is empty."""
    deepest = 0.0
    for i in range(strikes):
        deepest = max(deepest, 0.5 * (lower[i] - upper[i]))
    return deepest


@compiled
def fee(price: float, rate: float) -> float:
    """Taker fee of one contract, ``rate * p * (1 - p)``, in dollars."""
    return rate * price * (1.0 - price)


@compiled
def depth_net(strikes: int, lower: Floats, upper: Floats, rate: float) -> float:
    """Arbitrage depth of tightened bands after taker fees.

    ``bid - fee(bid)`` and ``ask + fee(ask)`` grow with the price, so fees can be taken after tightening.
    """
    deepest = 0.0
    for i in range(strikes):
        bid, ask = lower[i], upper[i]
        deepest = max(deepest, 0.5 * (bid - fee(bid, rate) - ask - fee(ask, rate)))
    return deepest


@compiled
def widen(strikes: int, lower: Floats, upper: Floats, shift: float) -> None:
    """Shift both bounds apart, in place, within [0, 1]."""
    for i in range(strikes):
        low, high = max(lower[i] - shift, 0.0), min(upper[i] + shift, 1.0)
        # Where the shift just closes the gap, rounding must not leave the band empty.
        lower[i], upper[i] = min(low, high), max(low, high)


@compiled
def pool(
    strikes: int,
    lower: Floats,
    upper: Floats,
    target: Floats,
    weight: Floats,
    survival: Floats,
    block: Floats,
    span: Ints,
) -> None:
    """Weighted least squares onto ``{S non-increasing, L <= S <= U}``, for the weighted strikes.

    Pool adjacent violators on a block stack. The value of a block is its weighted mean, clipped to the L of its first
    strike and the U of its last: the tightest bounds in it, since both fall with the strike.

    Args:
        strikes: their number.
        lower: tightened and widened lower bounds, non-increasing.
        upper: the upper ones, nowhere below the lower.
        target: what S should be near; not read where the weight is 0.
        weight: per strike; 0 where the strike has no target.
        survival: receives S where the weight is positive.
        block: scratch ``(3, strikes)``: weighted mean, weight and value of each block.
        span: scratch ``(2, strikes)``: first and last strike of each block.
    """
    top = -1
    for i in range(strikes):
        if weight[i] <= 0.0:
            continue
        top += 1
        block[0, top], block[1, top] = target[i], weight[i]
        span[0, top], span[1, top] = i, i
        block[2, top] = min(max(target[i], lower[i]), upper[i])
        while top > 0 and block[2, top - 1] < block[2, top]:
            joint = block[1, top - 1] + block[1, top]
            block[0, top - 1] += (block[0, top] - block[0, top - 1]) * (block[1, top] / joint)
            block[1, top - 1] = joint
            span[1, top - 1] = span[1, top]
            top -= 1
            block[2, top] = min(max(block[0, top], lower[span[0, top]]), upper[span[1, top]])
    for b in range(top + 1):
        for i in range(span[0, b], span[1, b] + 1):
            survival[i] = block[2, b]


@compiled
def fill(strikes: int, lower: Floats, upper: Floats, weight: Floats, survival: Floats) -> None:
    """Place the unweighted strikes: the middle of what the nearest weighted strikes and the strike's own band leave it.

    Written without order, so it is the same from either end and for any number of them in a row.
    """
    above = 1.0
    for i in range(strikes):
        if weight[i] > 0.0:
            above = survival[i]
        else:
            survival[i] = min(upper[i], above)
    below = 0.0
    for i in range(strikes - 1, -1, -1):
        if weight[i] > 0.0:
            below = survival[i]
        else:
            survival[i] = 0.5 * (max(lower[i], below) + survival[i])


@compiled
def solve(
    strikes: int,
    lower: Floats,
    upper: Floats,
    target: Floats,
    weight: Floats,
    rate: float,
    survival: Floats,
    block: Floats,
    span: Ints,
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
        block: scratch ``(3, strikes)``.
        span: scratch ``(2, strikes)``.

    Returns:
        Arbitrage depth, gross and net of fees, in dollars.
    """
    tighten(strikes, lower, upper)
    gross = depth(strikes, lower, upper)
    net = depth_net(strikes, lower, upper, rate) if gross > 0.0 else 0.0
    widen(strikes, lower, upper, gross)
    pool(strikes, lower, upper, target, weight, survival, block, span)
    fill(strikes, lower, upper, weight, survival)
    return gross, net
