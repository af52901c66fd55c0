"""Repair of a bucket ladder: the masses nearest to the targets that sum to 1 inside the bands.

Every market covers one cell. What no market covers (a missing bucket, a gap) is a cell with the band [0, 1]: it takes
up what the others leave, so a partial ladder is never renormalised. All functions work on one ladder: on the first
``cells`` elements of working arrays that the batch in ``repair.py`` owns and reuses. ``solve`` is the whole repair.

The order in which cells take mass is a stated convention and makes the solution unique:

1. *weighted*: markets with a target, by weighted least squares within their bands;
2. *free*: cells without a market, and markets with a bid but no ask, take what is left at the targets, in proportion to
   the room in their bands;
3. *bound*: markets without a bid take mass only when the others cannot reach 1 at their upper bounds, in proportion to
   their asks (1 where there is none).
"""

from __future__ import annotations

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled
from kalshi_pipeline.distributions.threshold import fee

#: Which of the three a cell is.
WEIGHTED, FREE, BOUND = 0, 1, 2


@compiled
def depth(cells: int, lower: Floats, upper: Floats, rate: float, scratch: Floats) -> float:
    """Arbitrage depth: the least e >= 0 at which the bands ``[bid - e, ask + e]`` can hold masses that sum to 1.

    ``bid_i - e <= ask_i + e`` for every cell and ``sum max(0, bid_i - e) <= 1 <= sum min(1, ask_i + e)``: piecewise
    linear in e, solved at its sorted breakpoints.

    Args:
        cells: their number.
        lower: bids, 0 where there is none.
        upper: asks, 1 where there is none.
        rate: fee rate taken off the bids and put on the asks; 0 for the gross depth.
        scratch: at least as long as the ladder.
    """
    deepest = 0.0
    bids = asks = 0.0
    for i in range(cells):
        bid, ask = lower[i] - fee(lower[i], rate), upper[i] + fee(upper[i], rate)
        deepest = max(deepest, 0.5 * (bid - ask))
        bids += bid
        asks += ask
        scratch[i] = bid
    if asks < 1.0:
        # No ask can pass 1 before their sum reaches it.
        deepest = max(deepest, (1.0 - asks) / cells)
    if bids > 1.0:
        scratch[:cells].sort()
        largest = 0.0
        for count in range(1, cells + 1):
            largest += scratch[cells - count]
            shift = (largest - 1.0) / count
            if count == cells or shift >= scratch[cells - count - 1]:
                deepest = max(deepest, shift)
                break
    return deepest


@compiled
def project(
    cells: int,
    lower: Floats,
    upper: Floats,
    target: Floats,
    weight: Floats,
    kind: Ints,
    total: float,
    mass: Floats,
    point: Floats,
) -> None:
    """Weighted least squares of the weighted cells onto ``{lower <= q <= upper, sum q = total}``.

    ``q_i = clip(m_i + lam / w_i)`` for one scalar lam. The sum rises with lam and is linear between the values at which
    a cell meets a bound; lam is found by walking these in order.

    Args:
        cells: their number.
        lower: lower bounds, widened.
        upper: upper bounds, widened; the total lies between their sums.
        target: what q should be near.
        weight: positive for weighted cells.
        kind: which cells are weighted.
        total: what the weighted cells have to sum to.
        mass: receives q of the weighted cells.
        point: scratch, twice as long as the ladder.
    """
    points = 0
    for i in range(cells):
        if kind[i] == WEIGHTED:
            point[points] = weight[i] * (lower[i] - target[i])
            point[points + 1] = weight[i] * (upper[i] - target[i])
            points += 2
    if points == 0:
        return
    point[:points].sort()
    low, high = 0, points - 1
    while high - low > 1:
        middle = (low + high) // 2
        reached = 0.0
        for i in range(cells):
            if kind[i] == WEIGHTED:
                reached += min(max(target[i] + point[middle] / weight[i], lower[i]), upper[i])
        if reached <= total:
            low = middle
        else:
            high = middle
    # Between the two points the same cells are free; solve exactly there.
    left, right = point[low], point[high]
    rest, slope = total, 0.0
    for i in range(cells):
        if kind[i] == WEIGHTED:
            if weight[i] * (upper[i] - target[i]) <= left:
                rest -= upper[i]
            elif weight[i] * (lower[i] - target[i]) >= right:
                rest -= lower[i]
            else:
                rest -= target[i]
                slope += 1.0 / weight[i]
    lam = min(max(rest / slope, left), right) if slope > 0.0 else left
    for i in range(cells):
        if kind[i] == WEIGHTED:
            mass[i] = min(max(target[i] + lam / weight[i], lower[i]), upper[i])


@compiled
def share(cells: int, lower: Floats, upper: Floats, kind: Ints, of: int, total: float, mass: Floats) -> None:
    """Give cells of one kind their lower bounds and the rest of a total in proportion to the room above them."""
    least = room = 0.0
    for i in range(cells):
        if kind[i] == of:
            least += lower[i]
            room += upper[i] - lower[i]
    part = min(max((total - least) / room, 0.0), 1.0) if room > 0.0 else 0.0
    for i in range(cells):
        if kind[i] == of:
            mass[i] = lower[i] + part * (upper[i] - lower[i])


@compiled
def solve(
    cells: int,
    lower: Floats,
    upper: Floats,
    target: Floats,
    weight: Floats,
    kind: Ints,
    rate: float,
    mass: Floats,
    scratch: Floats,
) -> tuple[float, float]:
    """Repair one ladder.

    Args:
        cells: their number.
        lower: bids per cell, 0 where there is none; overwritten by the widened lower bounds.
        upper: asks per cell, 1 where there is none; overwritten likewise.
        target: mids per cell; not read unless the cell is weighted.
        weight: per cell; 0 unless the cell is weighted.
        kind: per cell, ``WEIGHTED``, ``FREE`` or ``BOUND``.
        rate: fee rate of the ladder, for the net depth.
        mass: receives the masses.
        scratch: twice as long as the ladder.

    Returns:
        Arbitrage depth, gross and net of fees, in dollars.
    """
    gross = depth(cells, lower, upper, 0.0, scratch)
    net = depth(cells, lower, upper, rate, scratch) if gross > 0.0 else 0.0
    for i in range(cells):
        low, high = max(lower[i] - gross, 0.0), min(upper[i] + gross, 1.0)
        # Where the shift just closes the gap, rounding must not leave the band empty.
        lower[i], upper[i] = min(low, high), max(low, high)
    at_target, at_most = place_at_targets(cells, lower, upper, target, kind, mass)
    free_least, free_most = sums(cells, lower, upper, kind, FREE)
    bound_least, _ = sums(cells, lower, upper, kind, BOUND)
    # The weighted cells stay at their targets as long as the free cells can hold what that leaves.
    most = 1.0 - free_least - bound_least
    weighted = min(max(at_target, 1.0 - free_most - bound_least), most)
    if weighted != at_target:
        weighted = min(weighted, at_most)
        project(cells, lower, upper, target, weight, kind, weighted, mass, scratch)
    share(cells, lower, upper, kind, FREE, 1.0 - weighted - bound_least, mass)
    free, _ = sums(cells, mass, mass, kind, FREE)
    share(cells, lower, upper, kind, BOUND, 1.0 - weighted - free, mass)
    return gross, net


@compiled
def place_at_targets(
    cells: int, lower: Floats, upper: Floats, target: Floats, kind: Ints, mass: Floats
) -> tuple[float, float]:
    """Put the weighted cells at their targets, as far as the bands allow; sums of that and of their upper bounds."""
    reached = most = 0.0
    for i in range(cells):
        if kind[i] == WEIGHTED:
            mass[i] = min(max(target[i], lower[i]), upper[i])
            reached += mass[i]
            most += upper[i]
    return reached, most


@compiled
def sums(cells: int, lower: Floats, upper: Floats, kind: Ints, of: int) -> tuple[float, float]:
    """Sums of the bounds of the cells of one kind."""
    least = most = 0.0
    for i in range(cells):
        if kind[i] == of:
            least += lower[i]
            most += upper[i]
    return least, most


@compiled
def mass_bounds(cells: int, lower: Floats, upper: Floats, low: Floats, high: Floats) -> None:
    """Sharp bounds of every mass given the bands of all: what the others cannot take, and what they must."""
    least = most = 0.0
    for i in range(cells):
        least += lower[i]
        most += upper[i]
    for i in range(cells):
        low[i] = max(lower[i], 1.0 - (most - upper[i]))
        high[i] = min(upper[i], 1.0 - (least - lower[i]))


@compiled
def survival_bounds(cells: int, lower: Floats, upper: Floats, low: Floats, high: Floats) -> None:
    """Sharp bounds of the survival at the lower edge of every cell, given the bands of the masses."""
    least_below = most_below = 0.0
    for i in range(cells):
        low[i], high[i] = 1.0 - most_below, 1.0 - least_below
        least_below += lower[i]
        most_below += upper[i]
    least_above = most_above = 0.0
    for i in range(cells - 1, -1, -1):
        least_above += lower[i]
        most_above += upper[i]
        low[i], high[i] = max(low[i], least_above), min(high[i], most_above)
