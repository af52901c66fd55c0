"""What every method says of single markets: the chance that one pays, beside whether it did.

A market pays on some cells of its ladder, so any distribution over the cells is a probability for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled
from kalshi_pipeline.research.cases import Cases, leg_outcomes
from kalshi_pipeline.research.evaluation import Made

#: Decimals kept: sums over cells that differ by rounding alone are one probability.
_DECIMALS = 12


class Markets(NamedTuple):
    """Markets of the cases that a method has a forecast for.

    Attributes:
        method: the method.
        case: position of every market's case.
        probability: what the method gives to the market paying.
        paid: whether it paid.
    """

    method: str
    case: Ints
    probability: Floats
    paid: npt.NDArray[np.bool_]


def single_markets(cases: Cases, forecasts: Iterable[Made]) -> Iterator[Markets]:
    """The markets behind the forecasts, method by method.

    Args:
        cases: what is scored.
        forecasts: what each method says of them.
    """
    owner, paid = leg_outcomes(cases)
    legs, cells = cases.legs, cases.cells
    for made in forecasts:
        sizes = np.diff(legs.pointer)[made.cases]
        before = np.cumsum(sizes) - sizes
        leg = np.arange(sizes.sum()) - np.repeat(before - legs.pointer[made.cases], sizes)
        probability = np.empty(leg.size)
        masses = np.ascontiguousarray(made.masses)
        _add_up(
            made.cases, cells.pointer, cells.low, cells.high, masses, legs.pointer, legs.low, legs.high, probability
        )
        rounded = np.asarray(np.minimum(probability, 1.0).round(_DECIMALS), dtype=np.float64)
        yield Markets(made.method, owner[leg], rounded, paid[leg])


@compiled
def _add_up(
    cases: Ints,
    pointer: Ints,
    low: Floats,
    high: Floats,
    mass: Floats,
    leg_pointer: Ints,
    leg_low: Floats,
    leg_high: Floats,
    out: Floats,
) -> None:
    """Write per market the mass of its cells."""
    begin, market = 0, 0
    for case in cases:
        for leg in range(leg_pointer[case], leg_pointer[case + 1]):
            total = 0.0
            for cell in range(pointer[case], pointer[case + 1]):
                if low[cell] >= leg_low[leg] and high[cell] <= leg_high[leg]:
                    total += mass[begin + cell - pointer[case]]
            out[market] = total
            market += 1
        begin += pointer[case + 1] - pointer[case]
