"""Which strikes a market has: from its fields, else from its words, else from its ticker.

The strike type and the strike fields are the authority. A missing strike is recovered rather than dropped: in recorded
data the markets without strikes were the winners, so dropping them leaks the outcome. Every recovery is flagged and
lowers the confidence. What the strikes pay on is decided in ``grid.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor, isfinite
from typing import Any

from kalshi_pipeline.ladders.grid import NOISE, NUMERIC_TYPES, Grid
from kalshi_pipeline.ladders.registry import SeriesRule
from kalshi_pipeline.ladders.wording import Reading, TickerReading, read_words

#: Why a market is on no ladder.
NOT_NUMERIC = "strike_type_not_numeric"
SCALAR_PAYOFF = "market_type_not_binary"
STRIKE_MISSING = "strike_missing"

_FLOORED = ("greater", "greater_or_equal", "between")
_CAPPED = ("less", "less_or_equal", "between")

#: Factors between the units strikes may have been written in and the unit of the series.
_ENLARGING, _REDUCING = (1e3, 1e6), (1e-3, 1e-6)

#: A number published on a grid at least this coarse is a count, which may be written in thousands or millions.
_COUNT_STEP = 100.0


@dataclass(frozen=True)
class Strike:
    """A market's payoff type and strikes as used.

    Attributes:
        strike_type: one of the numeric types.
        floor_strike: lower strike, where the type has one.
        cap_strike: upper strike, where the type has one.
        source: ``fields``, ``sub_title``, ``title`` or ``ticker``.
        confidence: ``high`` from fields; ``medium`` where words or ticker stood in; ``low`` where the direction is a
            guess.
        flags: what was done.
    """

    strike_type: str
    floor_strike: float | None
    cap_strike: float | None
    source: str
    confidence: str
    flags: tuple[str, ...] = ()


def resolve(market: Mapping[str, Any], ticker: TickerReading) -> Strike | str | None:
    """The strikes of one market, from its own fields and words.

    Args:
        market: ``strike_type, floor_strike, cap_strike, yes_sub_title, title, market_type`` as listed.
        ticker: what the ticker says.

    Returns:
        The strikes; a reason where the market is not numeric; ``None`` where only the ticker and the neighbours can
        tell (see :func:`resolve_from_ticker`).
    """
    if market["market_type"] not in (None, "", "binary"):
        return SCALAR_PAYOFF
    strike_type = market["strike_type"] or None
    if strike_type is not None and strike_type not in NUMERIC_TYPES:
        return NOT_NUMERIC
    low, high = _finite(market["floor_strike"]), _finite(market["cap_strike"])
    if strike_type is not None and _complete(strike_type, low, high):
        return _from_fields(strike_type, low, high)
    for source, words in (("sub_title", market["yes_sub_title"]), ("title", market["title"])):
        reading = read_words(words) if words else None
        if reading is not None and (strike_type is None or _same_side(strike_type, reading)):
            return _from_reading(reading, source)
    if strike_type is None and (low is not None or high is not None):
        guess = "between" if low is not None and high is not None else "greater" if low is not None else "less"
        return replace(_from_fields(guess, low, high), confidence="low", flags=("direction_guessed",))
    if strike_type is not None and strike_type != "between" and ticker.number is not None:
        return _from_number(strike_type, ticker.number)
    return None


def resolve_from_ticker(
    ticker: TickerReading, centres: Sequence[float], grid: Grid, *, exclusive: bool | None
) -> Strike | None:
    """The strikes of a market of which only the ticker is left, from its neighbours.

    ``B82.5`` is the middle of a bucket as wide as the distance of its neighbours. ``T`` beside buckets is the tail it
    lies in; without buckets its direction is a guess.

    Args:
        ticker: what the ticker says.
        centres: middles of all buckets of the ladder, this one included.
        grid: the grid of the series.
        exclusive: whether the exchange says that exactly one market of the event settles yes.

    Returns:
        The strikes, or ``None`` where they cannot be recovered.
    """
    if ticker.number is None or ticker.letter not in ("T", "B"):
        return None
    if ticker.letter == "B":
        distances = [after - before for before, after in pairwise(sorted(set(centres)))]
        if not distances:
            return None
        return _bucket_around(ticker.number, min(distances), grid)
    if exclusive and centres and not min(centres) < ticker.number < max(centres):
        return _from_number("less" if ticker.number <= min(centres) else "greater", ticker.number)
    return replace(
        _from_number("greater", ticker.number), confidence="low", flags=("strike_recovered", "direction_guessed")
    )


def unit_factor(strikes: Sequence[Strike], rule: SeriesRule) -> float:
    """The factor that brings a ladder's strikes to the unit of its series (a strike in millions, a value in units).

    Judged on all strikes together and only where the registry leaves no doubt: a count (jobs, claims) whose every
    strike is smaller than one grid step, or whose every strike lies outside the caps of the support, and which one
    factor of 1,000 or 1,000,000 brings onto the grid within the caps. One odd strike (``-1`` for "not below none") is
    no proof.

    Returns:
        The factor; 1 where the strikes are in the unit already or in doubt.
    """
    low, high, step = rule.support_low, rule.support_high, rule.grid_step
    values = {value for strike in strikes for value in (strike.floor_strike, strike.cap_strike) if value}
    if low is None or high is None or step is None or step < _COUNT_STEP or len(values) < 2:
        return 1.0
    if all(abs(value) < step for value in values):
        candidates = _ENLARGING
    elif all(not low <= value <= high for value in values):
        candidates = _REDUCING
    else:
        return 1.0
    for factor in candidates:
        scaled = [value * factor for value in values]
        if all(low <= value <= high and abs(value) >= step and _on_grid(value, step) for value in scaled):
            return factor
    return 1.0


def in_unit(strike: Strike, factor: float) -> Strike:
    """A strike brought to another unit by a factor, flagged where that changed it."""
    if factor == 1.0:
        return strike
    return replace(
        strike,
        floor_strike=None if strike.floor_strike is None else strike.floor_strike * factor,
        cap_strike=None if strike.cap_strike is None else strike.cap_strike * factor,
        flags=(*strike.flags, "unit_repaired"),
    )


def words_disagree(market: Mapping[str, Any], payoff: tuple[float, float], grid: Grid) -> bool:
    """Whether a market's sub-title describes another payoff set than its strike fields do."""
    reading = read_words(market["yes_sub_title"]) if market["yes_sub_title"] else None
    if reading is None:
        return False
    return grid.payoff(reading.strike_type, reading.floor_strike, reading.cap_strike) != payoff


def _from_fields(strike_type: str, low: float | None, high: float | None) -> Strike:
    unused = (low is not None and strike_type not in _FLOORED) or (high is not None and strike_type not in _CAPPED)
    return Strike(
        strike_type,
        low if strike_type in _FLOORED else None,
        high if strike_type in _CAPPED else None,
        source="fields",
        confidence="high",
        flags=("unused_strike",) if unused else (),
    )


def _from_reading(reading: Reading, source: str) -> Strike:
    return Strike(
        reading.strike_type, reading.floor_strike, reading.cap_strike, source, "medium", ("strike_recovered",)
    )


def _from_number(strike_type: str, number: float) -> Strike:
    floored = strike_type in _FLOORED
    return Strike(
        strike_type, number if floored else None, None if floored else number, "ticker", "medium", ("strike_recovered",)
    )


def _bucket_around(centre: float, width: float, grid: Grid) -> Strike:
    """The bucket ``[centre - width/2, centre + width/2)``, its cap written as the last grid point inside."""
    low, high = centre - width / 2, centre + width / 2
    if grid.step is not None:
        steps = high * grid.step.denominator / grid.step.numerator
        nearest = round(steps)
        last = nearest - 1 if abs(steps - nearest) <= NOISE else floor(steps)
        high = last * grid.step.numerator / grid.step.denominator
    return Strike("between", low, high, "ticker", "medium", ("strike_recovered",))


def _on_grid(value: float, step: float) -> bool:
    return abs(value / step - round(value / step)) <= NOISE


def _complete(strike_type: str, low: float | None, high: float | None) -> bool:
    return (low is not None or strike_type not in _FLOORED) and (high is not None or strike_type not in _CAPPED)


def _same_side(strike_type: str, reading: Reading) -> bool:
    return strike_type.split("_")[0] == reading.strike_type.split("_")[0]


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and isfinite(value) else None
