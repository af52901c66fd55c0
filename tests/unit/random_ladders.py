"""Random ladders for the repair: crossed, locked, one-sided, empty and last-trade-only books on random beliefs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from kalshi_pipeline.distributions import layout
from kalshi_pipeline.distributions.bands import Bands, read_bands
from kalshi_pipeline.distributions.layout import Layouts, build_layouts
from kalshi_pipeline.distributions.repair import Repaired, repair
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.segments import pointer_of
from kalshi_pipeline.distributions.weights import repair_weights
from tests.unit.repair_oracles import Floats, Ladder

FEE_RATE = 0.07

_SPEC = {
    "mutually_exclusive": None,
    "grid_step": 1.0,
    "support_low": None,
    "support_high": None,
    "tail_ratio": 0.45,
    "tail_thresholds": [],
}


@dataclass(frozen=True)
class Case:
    """One ladder of a batch with what the repair made of it."""

    ladder: Ladder
    mass: Floats
    survival: Floats
    survival_low: Floats
    survival_high: Floats
    value: Floats
    gross: float
    net: float
    arrived: bool


@dataclass(frozen=True)
class RandomBatch:
    """A batch of random ladders of one kind."""

    layouts: Layouts
    bands: Bands
    weight: Floats

    def repaired(self) -> Repaired:
        """The batch, repaired."""
        every = np.arange(self.layouts.kind.size)
        return repair(
            self.layouts,
            every,
            self.layouts.leg_pointer,
            self.layouts.cell_pointer,
            self.bands,
            self.weight,
            np.full(every.size, FEE_RATE),
        )

    def cases(self) -> Iterator[Case]:
        """Every ladder with its repair."""
        out, layouts, bands = self.repaired(), self.layouts, self.bands
        for index in range(layouts.kind.size):
            legs = slice(layouts.leg_pointer[index], layouts.leg_pointer[index + 1])
            cells = slice(layouts.cell_pointer[index], layouts.cell_pointer[index + 1])
            yield Case(
                Ladder(
                    cells.stop - cells.start,
                    layouts.first[legs],
                    layouts.stop[legs],
                    bands.lower[legs],
                    bands.upper[legs],
                    bands.mid[legs],
                    self.weight[legs],
                ),
                out.probability[cells],
                out.survival[cells],
                out.survival_low[cells],
                out.survival_high[cells],
                out.value[legs],
                float(out.gross[index]),
                float(out.net[index]),
                bool(out.arrived[index]),
            )


def random_thresholds(rng: np.random.Generator, count: int, most: int) -> RandomBatch:
    """Threshold ladders of 1 to ``most`` strikes, quoted as ``greater``, ``less``, or some of each."""
    payoffs, values = [], []
    for strikes in rng.integers(1, most + 1, count):
        curve = np.sort(rng.random(strikes))[::-1]
        upward = rng.random(strikes) < rng.choice([0.0, 0.5, 1.0])
        cuts = np.arange(strikes) + 0.5
        payoffs.append(np.column_stack([np.where(upward, cuts, -np.inf), np.where(upward, np.inf, cuts)]))
        values.append(np.where(upward, curve, 1.0 - curve))
    return _batch(rng, payoffs, values, exclusive=False)


def random_buckets(rng: np.random.Generator, count: int, most: int, *, missing: bool = True) -> RandomBatch:
    """Bucket ladders of 2 to ``most`` cells; some with missing buckets."""
    payoffs, values = [], []
    for cells in rng.integers(2, max(most, 2) + 1, count):
        edges = np.concatenate(([-np.inf], np.arange(cells - 1) + 0.5, [np.inf]))
        belief = rng.dirichlet(np.full(cells, rng.choice([0.3, 1.0, 3.0])))
        kept = np.ones(cells, dtype=bool)
        if missing and cells > 3 and rng.random() < 0.3:
            kept[rng.choice(np.arange(1, cells - 1, 2), size=1)] = False
        payoffs.append(np.column_stack([edges[:-1], edges[1:]])[kept])
        values.append(belief[kept])
    return _batch(rng, payoffs, values, exclusive=True)


def random_mixed(rng: np.random.Generator, count: int, most: int) -> RandomBatch:
    """Ladders of 1 to ``most`` random intervals on a few cells."""
    payoffs, values = [], []
    for markets in rng.integers(1, most + 1, count):
        cells = int(rng.integers(2, 10))
        belief = rng.dirichlet(np.ones(cells))
        first = rng.integers(0, cells, markets)
        stop = rng.integers(first + 1, cells + 1)
        whole = (first == 0) & (stop == cells)
        stop[whole] = cells - 1
        edges = np.concatenate(([-np.inf], np.arange(cells - 1) + 0.5, [np.inf]))
        payoffs.append(np.column_stack([edges[first], edges[stop]]))
        values.append(np.array([belief[a:b].sum() for a, b in zip(first, stop, strict=True)]))
    return as_mixed(_batch(rng, payoffs, values, exclusive=False))


def as_mixed(batch: RandomBatch) -> RandomBatch:
    """The same ladders, to be solved by the solver for mixed ladders."""
    kinds = np.full_like(batch.layouts.kind, layout.MIXED)
    return replace(batch, layouts=replace(batch.layouts, kind=kinds))


def _batch(rng: np.random.Generator, payoffs: list[Floats], values: list[Floats], *, exclusive: bool) -> RandomBatch:
    spec = {**_SPEC, "mutually_exclusive": exclusive}
    layouts = build_layouts([spec] * len(payoffs), payoffs, [["high"] * len(payoff) for payoff in payoffs])
    sizes = np.array([value.size for value in values])
    noise = np.repeat(rng.choice([0.0, 0.005, 0.03, 0.2], len(values)), sizes)
    bands = _quotes(rng, np.concatenate(values), noise)
    assert layouts.leg_pointer[-1] == pointer_of(sizes)[-1] == bands.bid.size
    age = rng.integers(0, 4, bands.bid.size).astype(float)
    return RandomBatch(layouts, bands, repair_weights(bands, age, np.ones_like(age), Rules()))


def _quotes(rng: np.random.Generator, value: Floats, noise: Floats) -> Bands:
    """Books in cents: most two-sided (some locked), some crossed, one-sided or empty, some with a last trade."""
    half = rng.choice([0.0, 0.01, 0.02, 0.05, 0.2], size=value.size) * rng.random(value.size)
    middle = value + rng.normal(0.0, 1.0, value.size) * noise
    bid, ask = np.round(np.clip(middle - half, 0, 1), 2), np.round(np.clip(middle + half, 0, 1), 2)
    kind = rng.choice(
        ["plain", "no_bid", "no_ask", "empty", "crossed"], p=[0.74, 0.1, 0.06, 0.06, 0.04], size=value.size
    )
    bid, ask = np.where(kind == "crossed", ask, bid), np.where(kind == "crossed", bid, ask)
    bid = np.where((kind == "no_bid") | (kind == "empty"), np.nan, bid)
    ask = np.where((kind == "no_ask") | (kind == "empty"), np.nan, ask)
    traded = rng.random(value.size) < 0.1
    return read_bands(bid, ask, np.where(traded, np.clip(np.round(value, 2), 0.01, 0.99), np.nan))
