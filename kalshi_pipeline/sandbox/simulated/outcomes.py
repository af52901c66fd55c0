"""What happens in the simulated world: the value behind every release, the number printed, and how it is revised.

Each statistic is drawn whole from its own stream, from the first period to the last, so a value never depends on who
asks. Not here: what anybody believed beforehand (``beliefs``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kalshi_pipeline.sandbox.simulated.catalogue import LISTINGS
from kalshi_pipeline.sandbox.simulated.draws import stream
from kalshi_pipeline.sandbox.simulated.schedule import Release, releases
from kalshi_pipeline.sandbox.world import Vintage

Floats = NDArray[np.float64]
#: City -> mean of the year's daily highs, half the swing between summer and winter, deviation of a day (°F).
_CLIMATE = {
    "KXHIGHCHI": (59.0, 25.0, 8.0),
    "KXHIGHAUS": (80.0, 16.0, 6.5),
    "KXHIGHDEN": (65.0, 21.0, 9.0),
    "KXHIGHLAX": (72.0, 6.0, 4.5),
    "KXHIGHMIA": (84.0, 6.5, 3.0),
    "KXHIGHPHIL": (65.0, 23.0, 7.5),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a release settles on.

    Attributes:
        latent: the value before it is rounded for print.
        steps: the printed number in whole steps of the series' grid.
    """

    latent: float
    steps: int

    def value(self, series_ticker: str) -> float:
        """The printed number."""
        return self.steps * LISTINGS[series_ticker].grid

    def text(self, series_ticker: str) -> str:
        """The printed number as the exchange writes it."""
        grid = LISTINGS[series_ticker].grid
        decimals = 0 if grid >= 1 else 1 if grid == 0.1 else 2
        return f"{self.value(series_ticker):.{decimals}f}"


@lru_cache(maxsize=64)
def outcomes(seed: int, series_ticker: str) -> dict[str, Outcome]:
    """Label of every release of a series -> its outcome."""
    schedule = releases(series_ticker)
    grid = LISTINGS[series_ticker].grid
    latent = _latent(seed, series_ticker, schedule)
    steps = np.rint(latent / grid).astype(np.int64)
    return {r.label: Outcome(float(x), int(n)) for r, x, n in zip(schedule, latent, steps, strict=True)}


def _latent(seed: int, series_ticker: str, schedule: Sequence[Release]) -> Floats:
    count = len(schedule)
    if series_ticker in _CLIMATE:
        return _highs(seed, series_ticker, [release.period for release in schedule])
    if series_ticker == "KXBTC":
        moves = stream(seed, "price", series_ticker).standard_t(4, count) * 0.0038
        return 62_000.0 * np.exp(np.cumsum(moves))
    if series_ticker == "KXFED":
        return _target_rate(seed, count)
    if series_ticker == "KXU3":
        shocks = 0.11 * stream(seed, "outcomes", series_ticker).standard_normal(count)
        return np.maximum(_reverting(shocks, start=4.1, mean=4.3, memory=0.95), 2.5)
    if series_ticker == "KXPAYROLLS":
        shocks = 65_000 * stream(seed, "outcomes", series_ticker).standard_normal(count)
        return _reverting(shocks, start=180_000, mean=150_000, memory=0.45)
    return _inflation(seed, series_ticker, count)


def _inflation(seed: int, series_ticker: str, count: int) -> Floats:
    """Monthly core and headline changes and the twelve-month change, which are one history."""
    months = count + 11
    core = _reverting(0.07 * stream(seed, "outcomes", "core").standard_normal(months), start=0.2, mean=0.22, memory=0.6)
    if series_ticker == "KXCPICORE":
        return core[11:]
    energy = _reverting(0.14 * stream(seed, "outcomes", "energy").standard_normal(months), start=0, mean=0, memory=0.4)
    headline = core + energy
    if series_ticker == "KXCPI":
        return headline[11:]
    growth = np.concatenate(([0.0], np.cumsum(np.log1p(headline / 100))))
    return np.asarray(100 * np.expm1(growth[12:] - growth[:-12]))


def _target_rate(seed: int, count: int) -> Floats:
    """Upper bound of the target range: moves of whole quarters of a point that tend to repeat."""
    draws = 0.16 * stream(seed, "outcomes", "KXFED").standard_normal(count)
    level, momentum = 1.5, 0.0
    latent = np.empty(count)
    for n, draw in enumerate(draws):
        momentum = 0.65 * momentum + draw + 0.02 * (3.0 - level)
        latent[n] = max(level + momentum, 0.25)
        level = 0.25 * round(latent[n] / 0.25)
    return latent


def _highs(seed: int, series_ticker: str, days: Sequence[date]) -> Floats:
    mean, swing, spread = _CLIMATE[series_ticker]
    season = np.array([np.cos(2 * np.pi * (day.timetuple().tm_yday - 200) / 365.25) for day in days])
    shocks = spread * 0.75 * stream(seed, "outcomes", series_ticker).standard_normal(len(days))
    return mean + swing * season + _reverting(shocks, start=0.0, mean=0.0, memory=0.65)


def _reverting(shocks: Floats, *, start: float, mean: float, memory: float) -> Floats:
    """A series that forgets its distance from the mean at a steady rate."""
    path = np.empty(len(shocks))
    at = start
    for n, shock in enumerate(shocks):
        at = mean + memory * (at - mean) + shock
        path[n] = at
    return path


#: Series -> how many later releases revise a value, deviation of one revision in steps of the grid.
_REVISIONS = {
    "KXPAYROLLS": (2, 28.0),
    "KXCPI": (1, 0.35),
    "KXCPICORE": (1, 0.3),
    "KXU3": (1, 0.3),
}


def vintages(seed: int, series_ticker: str) -> list[Vintage]:
    """Every published value of a series: first prints, and the revisions later releases bring."""
    schedule = releases(series_ticker)
    printed = outcomes(seed, series_ticker)
    times, spread = _REVISIONS.get(series_ticker, (0, 0.0))
    changes = np.rint(spread * stream(seed, "revisions", series_ticker).standard_normal((len(schedule), max(times, 1))))
    grid = LISTINGS[series_ticker].grid
    found = []
    for n, release in enumerate(schedule):
        steps = printed[release.label].steps
        found.append(Vintage(release.period, release.released, steps * grid))
        for later, change in zip(schedule[n + 1 : n + 1 + times], changes[n], strict=False):
            steps += int(change)
            found.append(Vintage(release.period, later.released, steps * grid))
    return found
