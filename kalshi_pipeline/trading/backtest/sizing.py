"""How many contracts: a quarter of Kelly's stake, under a cap in dollars, in whole contracts."""

from __future__ import annotations

from decimal import Decimal


def contracts(
    probability: float, cost: Decimal, *, bankroll: Decimal, kelly_share: Decimal, most_dollars: Decimal
) -> int:
    """Contracts to buy at ``cost`` dollars each (fee included) that pay a dollar with ``probability``.

    Kelly's fraction of the bankroll is ``(p - c) / (1 - c)``. Without an edge, or at a cost outside (0, 1), it is none.
    """
    if not 0 < cost < 1:
        return 0
    fraction = (Decimal(repr(probability)) - cost) / (1 - cost)
    stake = min(bankroll * kelly_share * fraction, most_dollars)
    return max(0, int(stake / cost))
