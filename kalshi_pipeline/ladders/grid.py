"""Payoff sets on the published grid, and the cuts they make on the line.

A settled number is a multiple of the grid step. A market's payoff set is found by asking which grid points its raw
strike pays on; its edges are then cut half a step outside the first and the last of them, so that no edge ever falls on
a value that can be published. Which strikes a market has is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, inf, isfinite

#: A strike this close to a grid point, in grid steps, lies on it: float noise. 4.099999 on a grid of 0.1 does not.
NOISE = 1e-6

#: Payoff types that are a set of numbers.
NUMERIC_TYPES = ("greater", "greater_or_equal", "less", "less_or_equal", "between")


@dataclass(frozen=True)
class Grid:
    """The values a number can be published as: multiples of a step, or (``step`` unknown) any value."""

    step: Fraction | None

    @classmethod
    def of(cls, step: float | None) -> Grid:
        """The grid of a step as written in decimals, so that 0.1 is one tenth exactly."""
        return cls(None if step is None else Fraction(str(step)))

    def payoff(self, strike_type: str, floor_strike: float | None, cap_strike: float | None) -> tuple[float, float]:
        """The interval ``[low, high)`` on which a market pays.

        ``greater`` and ``less`` are strict, ``greater_or_equal`` and ``less_or_equal`` are not, ``between`` includes
        both ends. Without a grid, the edges are the strikes.

        Returns:
            Edges in the unit of the number; infinite where the market is open. ``low >= high`` where the market can
            never pay.

        Raises:
            ValueError: a strike that the type needs is missing, or the type is not numeric.
        """
        low = high = None
        if strike_type in ("greater", "greater_or_equal", "between"):
            low = self._first(_needed(strike_type, "floor_strike", floor_strike), strict=strike_type == "greater")
        if strike_type in ("less", "less_or_equal", "between"):
            high = self._last(_needed(strike_type, "cap_strike", cap_strike), strict=strike_type == "less")
        if low is None and high is None:
            raise ValueError(f"Strike type {strike_type!r} is not numeric; use one of {', '.join(NUMERIC_TYPES)}.")
        return (-inf if low is None else low, inf if high is None else high)

    def _first(self, strike: float, *, strict: bool) -> float:
        """The cut below the first grid point above a strike (or on it, unless strict)."""
        if self.step is None:
            return strike
        on_grid, point = self._locate(strike)
        return self._half(2 * (point + 1 if on_grid and strict else point if on_grid else ceil(point)) - 1)

    def _last(self, strike: float, *, strict: bool) -> float:
        """The cut above the last grid point below a strike (or on it, unless strict)."""
        if self.step is None:
            return strike
        on_grid, point = self._locate(strike)
        return self._half(2 * (point - 1 if on_grid and strict else point if on_grid else floor(point)) + 1)

    def _locate(self, strike: float) -> tuple[bool, float]:
        """A strike in steps from 0, and whether it lies on the grid."""
        assert self.step is not None
        steps = strike * self.step.denominator / self.step.numerator
        nearest = round(steps)
        return (True, nearest) if abs(steps - nearest) <= NOISE else (False, steps)

    def _half(self, halves: float) -> float:
        """A number of half steps in the unit. One correctly rounded division: equal cuts are equal doubles."""
        assert self.step is not None
        return int(halves) * self.step.numerator / (2 * self.step.denominator)


def infer_step(buckets: Iterable[tuple[float, float]]) -> float | None:
    """Infer the grid step of a series nobody has described from its buckets.

    Neighbouring buckets leave out exactly one step: 68 to 69 and 70 to 71 live on a grid of 1, 100 to 199.99 and 200 to
    299.99 on a grid of 0.01.

    Args:
        buckets: floor and cap of each ``between`` market.

    Returns:
        The step, or ``None`` where the buckets do not agree on one.
    """
    ordered = sorted((low, high) for low, high in buckets if isfinite(low) and isfinite(high))
    gaps = {float(f"{after[0] - before[1]:.6g}") for before, after in pairwise(ordered)}
    smallest = min(gaps, default=0.0)
    if smallest <= 0:
        return None
    agrees = all(abs(strike / smallest - round(strike / smallest)) <= 1e-4 for bucket in ordered for strike in bucket)
    return smallest if agrees else None


def _needed(strike_type: str, name: str, strike: float | None) -> float:
    if strike is None:
        raise ValueError(f"A {strike_type} market needs a {name}; it has none.")
    return strike
