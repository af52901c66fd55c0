"""Words for a market: what its YES side says, from the payoff type and the strikes.

Used where a world has numbers only. Not here: reading strikes out of words.
"""

from __future__ import annotations


def number(value: float) -> str:
    """A strike as the exchange writes it: no trailing zeros."""
    return f"{value:.10g}" if value != int(value) else f"{int(value)}"


def yes_label(strike_type: str | None, floor: float | None, cap: float | None, unit: str = "") -> str:
    """The YES side in words; empty where type or strikes are missing."""
    if strike_type in ("greater", "greater_or_equal") and floor is not None:
        return f"{'Above' if strike_type == 'greater' else 'At least'} {number(floor)}{unit}"
    if strike_type in ("less", "less_or_equal") and cap is not None:
        return f"{'Below' if strike_type == 'less' else 'At most'} {number(cap)}{unit}"
    if strike_type == "between" and floor is not None and cap is not None:
        return f"{number(floor)} to {number(cap)}{unit}"
    return ""
