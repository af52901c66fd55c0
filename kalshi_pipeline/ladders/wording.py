"""Strikes out of words: what a sub-title, a title or a ticker says about a market's payoff.

A fallback only. The strike fields are the authority; these readings stand in where a field is missing and are compared
with it where it is not. What cannot be read is ``None``, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Reading:
    """A payoff as words describe it: the type and the strikes it needs."""

    strike_type: str
    floor_strike: float | None = None
    cap_strike: float | None = None


@dataclass(frozen=True)
class TickerReading:
    """What the last part of a ticker says.

    Attributes:
        subject: what comes before the strike (a city, a team); empty where nothing does.
        letter: ``T`` for a threshold, ``B`` for the middle of a bucket; other letters say nothing; empty without one.
        number: the strike, or ``None`` where the ticker has none.
    """

    subject: str
    letter: str
    number: float | None


_NUMBER = r"[-−–]?\s?\$?\d[\d,]*(?:\.\d+)?(?:\s?(?:thousand|million|billion|[kmb])\b)?"
_UNIT = r"\s?(?:°\s?[fc]?|º|%|percent\b|degrees\b|points?\b|jobs\b|people\b|inches\b)?"
_SCALES = {"thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "b": 1e9}

_RANGE = re.compile(rf"(?:between\s+)?(?P<low>{_NUMBER}){_UNIT}\s*(?:to|and|through|[-–—])\s*(?P<high>{_NUMBER})")

_MORE = r"above|over|more\s+than|greater\s+than|higher\s+than|exceed(?:s|ing)?"
_LESS = r"below|under|less\s+than|fewer\s+than|lower\s+than"
_NOT = r"(?:not|n't|no)\s+(?:be\s+|rise\s+|fall\s+|go\s+)?"

#: Phrases before the number, then phrases after it. Inclusive and negated ones come first: "not above" holds "above".
_BEFORE = (
    ("less_or_equal", rf"{_NOT}(?:{_MORE})"),
    ("greater_or_equal", rf"{_NOT}(?:{_LESS})"),
    ("greater_or_equal", r"at\s+least|(?:greater|more|higher)\s+than\s+or\s+equal\s+to|>=|≥"),
    ("less_or_equal", r"at\s+most|up\s+to|(?:less|fewer|lower)\s+than\s+or\s+equal\s+to|<=|≤"),
    ("greater", rf"{_MORE}|>"),
    ("less", rf"{_LESS}|<"),
)
_AFTER = (
    ("greater_or_equal", r"or\s+(?:above|more|greater|higher|over)|\+"),
    ("less_or_equal", r"or\s+(?:below|less|fewer|lower|under)"),
)
_PATTERNS = (
    *((kind, re.compile(rf"(?P<number>{_NUMBER}){_UNIT}\s*(?:{phrase})(?![a-z])")) for kind, phrase in _AFTER),
    *((kind, re.compile(rf"(?<![a-z])(?:{phrase})\s*(?P<number>{_NUMBER})")) for kind, phrase in _BEFORE),
)

_TICKER = re.compile(r"(?:(?P<subject>[A-Z0-9.]+?)-)??(?P<letter>[A-Z])?(?P<sign>N|-)?(?P<number>\d+(?:\.\d+)?)")
_TICKER_OF_SUBJECT = re.compile(r"(?P<subject>[A-Z]{2,}?)(?P<number>\d+(?:\.\d+)?)?")


@lru_cache(maxsize=65_536)
def read_words(words: str) -> Reading | None:
    """Read a payoff from a sub-title or a title.

    A phrase counts only next to its number: "recovery above 50%" is ``greater`` 50, "danger in 2026" is nothing.

    Returns:
        The payoff, or ``None`` where the words describe none or more than one.
    """
    lowered = " ".join(words.lower().split())
    for strike_type, pattern in _PATTERNS:
        found = {_number(match["number"]) for match in pattern.finditer(lowered)}
        if len(found) == 1:
            strike = found.pop()
            if strike_type.startswith("greater"):
                return Reading(strike_type, floor_strike=strike)
            return Reading(strike_type, cap_strike=strike)
        if found:
            return None
    ranges = {(_number(match["low"]), _number(match["high"])) for match in _RANGE.finditer(lowered)}
    if len(ranges) != 1:
        return None
    low, high = ranges.pop()
    return Reading("between", low, high) if low <= high else None


def read_ticker(ticker: str, event_ticker: str) -> TickerReading:
    """Read the last part of a market's ticker: ``T0.3``, ``TN0.4`` (-0.4), ``B82.5``, ``NYC-T1.5``, ``OKC110``."""
    prefix = f"{event_ticker}-"
    rest = ticker.removeprefix(prefix) if ticker.startswith(prefix) else ticker.rpartition("-")[2]
    strike = _TICKER.fullmatch(rest)
    if strike is not None:
        number = float(strike["number"])
        return TickerReading(strike["subject"] or "", strike["letter"] or "", -number if strike["sign"] else number)
    subject = _TICKER_OF_SUBJECT.fullmatch(rest)
    if subject is not None:
        return TickerReading(subject["subject"], "", float(subject["number"]) if subject["number"] else None)
    return TickerReading(rest, "", None)


def _number(text: str) -> float:
    """A number as written: sign, dollar sign, thousands separators, a word or letter for its scale."""
    bare = text.replace(",", "").replace("$", "").replace(" ", "").replace("−", "-").replace("–", "-")
    for word, scale in _SCALES.items():
        if bare.endswith(word):
            return float(bare.removesuffix(word)) * scale
    return float(bare)
