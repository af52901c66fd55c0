"""The series of the simulated world, with the figures that shape their ladders and their uncertainty.

Units are those of the settled number: percentage points, persons, degrees Fahrenheit, dollars. Not here: dates
(``schedule``) and values (``outcomes``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kalshi_pipeline.sandbox.world import Series

Kind = Literal["macro", "weather", "crypto"]
_BLS = ("Bureau of Labor Statistics", "https://www.bls.gov/")
_FED = ("Federal Reserve", "https://www.federalreserve.gov/")
_NWS = ("National Weather Service", "https://www.weather.gov/")
_CF = ("CF Benchmarks", "https://www.cfbenchmarks.com/")


@dataclass(frozen=True, slots=True)
class Listing:
    """How a series is listed and how uncertain its outcome is.

    Attributes:
        series: as the exchange shows it.
        kind: which calendar and ladder it has.
        subject: what a title asks about.
        unit: how a value is written behind its number.
        grid: step of the published number.
        step: distance of strikes (thresholds) or width of a bucket.
        legs: markets of an event (thresholds), or inner buckets.
        last_doubt: standard deviation of the forecast error at the release, before the number is out.
        first_doubt: what comes on top of it, in quadrature, when the market opens.
        lowest: no strike lies below.
        zone: local time of a climate day.
    """

    series: Series
    kind: Kind
    subject: str
    unit: str
    grid: float
    step: float
    legs: int
    last_doubt: float
    first_doubt: float
    lowest: float = float("-inf")
    zone: str = "America/New_York"


def _macro(
    ticker: str,
    subject: str,
    unit: str,
    grid: float,
    step: float,
    legs: int,
    doubts: tuple[float, float],
    *,
    source: tuple[str, str] = _BLS,
    lowest: float = float("-inf"),
    frequency: str = "monthly",
) -> Listing:
    series = Series(ticker, subject, "Economics", frequency, settlement_source=source)
    return Listing(series, "macro", subject, unit, grid, step, legs, *doubts, lowest=lowest)


def _weather(city: str, name: str, zone: str) -> Listing:
    series = Series(
        f"KXHIGH{city}",
        f"Highest temperature in {name}",
        "Climate and Weather",
        "daily",
        tags=("Daily temperature",),
        settlement_source=_NWS,
    )
    return Listing(series, "weather", series.title, "°", 1.0, 2.0, 4, 0.15, 2.6, zone=zone)


LISTINGS: dict[str, Listing] = {
    listing.series.ticker: listing
    for listing in (
        _macro("KXCPI", "CPI", "%", 0.1, 0.1, 10, (0.095, 0.06)),
        _macro("KXCPICORE", "Core CPI", "%", 0.1, 0.1, 9, (0.075, 0.05)),
        _macro("KXCPIYOY", "CPI year over year", "%", 0.1, 0.1, 10, (0.085, 0.09)),
        _macro("KXU3", "Unemployment rate", "%", 0.1, 0.1, 9, (0.11, 0.07), lowest=0.0),
        _macro("KXPAYROLLS", "Jobs added", "", 1_000.0, 25_000.0, 11, (60_000.0, 35_000.0)),
        _macro(
            "KXFED",
            "Upper bound of the federal funds rate",
            "%",
            0.25,
            0.25,
            9,
            (0.035, 0.14),
            source=_FED,
            lowest=0.0,
            frequency="custom",
        ),
        _weather("CHI", "Chicago", "America/Chicago"),
        _weather("AUS", "Austin", "America/Chicago"),
        _weather("DEN", "Denver", "America/Denver"),
        _weather("LAX", "Los Angeles", "America/Los_Angeles"),
        _weather("MIA", "Miami", "America/New_York"),
        _weather("PHIL", "Philadelphia", "America/New_York"),
        Listing(
            Series("KXBTC", "Bitcoin price range", "Crypto", "hourly", settlement_source=_CF),
            "crypto",
            "Bitcoin price",
            "",
            0.01,
            250.0,
            40,
            8.0,
            420.0,
        ),
    )
}

#: What a pipeline takes in when nobody says otherwise: all but the hourly buckets.
UNIVERSE = tuple(ticker for ticker, listing in LISTINGS.items() if listing.kind != "crypto")
