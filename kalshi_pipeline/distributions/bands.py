"""What a market's quote says about its value: a band, a target, or nothing.

A bid bounds the value from below, an ask from above; an empty side is a bound (0 or 1), never a price, so no middle is
taken from it. A last trade is not a standing offer: it gives a target, not a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools, Floats


@dataclass(frozen=True)
class Bands:
    """Quotes of markets as bands, one element per market, in dollars.

    Attributes:
        bid: best bid; NaN where the side is empty.
        ask: best ask; NaN where the side is empty.
        lower: the bid, 0 where the side is empty.
        upper: the ask, 1 where the side is empty.
        mid: middle of a two-sided book, else the last trade where neither side is quoted; NaN without a target.
        two_sided: whether both sides are quoted.
        sided: whether at least one side is quoted.
    """

    bid: Floats
    ask: Floats
    lower: Floats
    upper: Floats
    mid: Floats
    two_sided: Bools
    sided: Bools

    @property
    def width(self) -> Floats:
        """Width of the band; a crossed book has none."""
        return np.maximum(self.upper - self.lower, 0.0)


def read_bands(yes_bid: Floats, yes_ask: Floats, last_price: Floats) -> Bands:
    """Read quotes.

    Args:
        yes_bid: best YES bid; NaN or 0 where the side is empty.
        yes_ask: best YES ask; NaN, 0 or 1 where the side is empty.
        last_price: last trade; NaN or 0 where there was none.
    """
    bid, ask, last = _price(yes_bid), _price(yes_ask), _price(last_price)
    has_bid, has_ask = ~np.isnan(bid), ~np.isnan(ask)
    # The mean of two decimals is rounded back to decimals: the same book read from either side has the same middle.
    middle = np.rint((bid + ask) * 5e9) / 1e10
    return Bands(
        bid=bid,
        ask=ask,
        lower=np.where(has_bid, bid, 0.0),
        upper=np.where(has_ask, ask, 1.0),
        mid=np.where(has_bid | has_ask, middle, last),
        two_sided=has_bid & has_ask,
        sided=has_bid | has_ask,
    )


def _price(values: Floats) -> Floats:
    """Prices strictly between 0 and 1; anything else is no price."""
    return np.where((values > 0.0) & (values < 1.0), values, np.nan)
