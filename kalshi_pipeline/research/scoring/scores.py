"""Scores of single forecasts against what came true. Lower is better in all of them.

CRPS: Matheson and Winkler (1976), exact on the pieces. RPS: Epstein (1969), summed over the ladder's cells and not
normalised. Log score: of the cell the outcome fell in, with a floor. PIT and coverage: Czado, Gneiting and Held (2009).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.research.scoring import kernels
from kalshi_pipeline.research.scoring.forecasts import Cells, Forecasts

#: Least probability the log score takes for a cell: a tenth of the usual tick. No market quotes less.
LOG_FLOOR = 0.001

#: Central intervals whose coverage is told.
COVERAGES = (0.5, 0.8, 0.9)


class Crps(NamedTuple):
    """CRPS in the unit of the outcome, and F just below and at the outcome: the PIT as an interval."""

    crps: Floats
    pit_low: Floats
    pit_high: Floats


def crps(forecasts: Forecasts, outcome: Floats) -> Crps:
    """Integral of ``(F(t) - 1{outcome <= t})²`` over t, and the PIT interval, per forecast.

    Raises:
        ValueError: there are not as many outcomes as forecasts.
    """
    _agree(len(forecasts), outcome=outcome)
    out = Crps(*(np.empty(len(forecasts)) for _ in Crps._fields))
    kernels.crps_and_pit(*_pieces(forecasts), np.ascontiguousarray(outcome, dtype=np.float64), *out)
    return out


def cdf(forecasts: Forecasts, pointer: Ints, points: Floats) -> Floats:
    """Mass strictly below each point; ``pointer`` says where each forecast's points begin."""
    out = np.empty(points.size)
    kernels.cdf(*_pieces(forecasts), pointer, np.ascontiguousarray(points, dtype=np.float64), out)
    return out


def mean(forecasts: Forecasts) -> Floats:
    """Mean of each forecast."""
    out = np.empty(len(forecasts))
    kernels.mean(*_pieces(forecasts), out)
    return out


def cell_masses(forecasts: Forecasts, cells: Cells) -> Floats:
    """What any forecasts give to the cells of the ladders they are about."""
    below = cdf(forecasts, cells.pointer, np.where(np.isinf(cells.low), -1e300, cells.low))
    below[cells.pointer[:-1]] = 0.0
    above = np.append(below[1:], 1.0)
    above[cells.pointer[1:] - 1] = 1.0
    return np.clip(above - below, 0.0, 1.0)


def log_score(cells: Cells, outcome: Floats) -> Floats:
    """Negative log of the probability of the outcome's cell, in nats, floored at :data:`LOG_FLOOR`."""
    _agree(cells.pointer.size - 1, outcome=outcome)
    position = cells.cell_of(outcome)
    return -np.log(np.maximum(np.where(position >= 0, cells.mass[position], 0.0), LOG_FLOOR))


def rps(cells: Cells, outcome: Floats) -> Floats:
    """Sum over the cuts of ``(F(cut) - 1{outcome < cut})²``."""
    _agree(cells.pointer.size - 1, outcome=outcome)
    owner = cells.owner
    inner = np.isfinite(cells.high)
    gap = np.where(inner, cells.below + cells.mass - (outcome[owner] < cells.high), 0.0)
    return np.add.reduceat(gap**2, cells.pointer[:-1])


def brier(probability: Floats, happened: npt.NDArray[np.bool_]) -> Floats:
    """Squared distance of each probability from what happened, of single markets."""
    _agree(probability.size, happened=happened)
    return (probability - happened) ** 2


def brier_of_cells(cells: Cells, outcome: Floats) -> Floats:
    """Mean over a ladder's cells of the squared distance between mass and what happened, per forecast."""
    _agree(cells.pointer.size - 1, outcome=outcome)
    happened = np.zeros(cells.mass.size, dtype=np.bool_)
    position = cells.cell_of(outcome)
    happened[position[position >= 0]] = True
    sizes = np.diff(cells.pointer)
    return np.add.reduceat(brier(cells.mass, happened), cells.pointer[:-1]) / sizes


def randomised_pit(scores: Crps, seed: int) -> Floats:
    """A PIT drawn evenly from its interval: uniform if and only if the forecasts are calibrated."""
    draw = np.random.default_rng(seed).random(scores.crps.size)
    return scores.pit_low + draw * (scores.pit_high - scores.pit_low)


def coverage(pit_low: Floats, pit_high: Floats, level: float) -> Floats:
    """Chance that the randomised PIT lies in the central interval of ``level``, per forecast.

    Its mean over calibrated forecasts is the level itself, however coarse their atoms are, and without drawing.
    """
    low, high = (1 - level) / 2, (1 + level) / 2
    width = pit_high - pit_low
    inside = np.clip(np.minimum(pit_high, high) - np.maximum(pit_low, low), 0.0, None)
    point = (pit_low >= low) & (pit_low <= high)
    return np.asarray(np.divide(inside, width, out=point.astype(np.float64), where=width > 0))


def _pieces(forecasts: Forecasts) -> tuple[Ints, Ints, Floats, Floats, Ints, Floats, Floats]:
    return (
        forecasts.pointer,
        forecasts.kind,
        forecasts.start,
        forecasts.step,
        forecasts.count,
        forecasts.mass,
        forecasts.ratio,
    )


def _agree(count: int, **columns: npt.NDArray[np.generic]) -> None:
    for name, values in columns.items():
        if values.shape != (count,):
            raise ValueError(f"There are {count} forecasts and {values.size} values of {name}; they must agree.")
