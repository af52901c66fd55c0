"""Scores against independent oracles: scoringrules, model-diagnostics, scipy, and loops over single atoms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from kalshi_pipeline.distributions.tails import cell_shapes
from kalshi_pipeline.research.scoring import scores
from kalshi_pipeline.research.scoring.forecasts import Cells, of_cells, of_samples
from kalshi_pipeline.research.scoring.inference import (
    block_length,
    bootstrap_mean,
    cluster_sums,
    diebold_mariano,
    draw_clusters,
)
from kalshi_pipeline.research.scoring.reliability import corp

pytestmark = pytest.mark.unit

EXACT = {"rel": 0.0, "abs": 1e-10}


@dataclass(frozen=True)
class Ladder:
    """One forecast on cells, and the outcome it is held against."""

    cuts: tuple[float, ...]
    mass: tuple[float, ...]
    step: float | None
    support: tuple[float | None, float | None]
    outcome: float
    ratio: float = 0.45

    def cells(self) -> Cells:
        edges = np.array([-np.inf, *self.cuts, np.inf])
        one = lambda value: np.array([np.nan if value is None else value], dtype=np.float64)  # noqa: E731
        return Cells(
            pointer=np.array([0, len(self.mass)]),
            low=edges[:-1],
            high=edges[1:],
            mass=np.array(self.mass),
            step=one(self.step),
            tail_ratio=one(self.ratio),
            support_low=one(self.support[0]),
            support_high=one(self.support[1]),
        )

    def atoms(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Every atom with its weight, one at a time; only of ladders on a grid."""
        assert self.step is not None
        values: list[float] = []
        weights: list[float] = []
        for low, high, mass in zip([None, *self.cuts], [*self.cuts, None], self.mass, strict=True):
            if low is not None and high is not None:
                count = round((high - low) / self.step)
                values += [low + self.step * (i + 0.5) for i in range(count)]
                weights += [mass / count] * count
                continue
            cut, outward = (high, -1) if low is None else (low, 1)
            assert cut is not None
            cap = self.support[0] if low is None else self.support[1]
            tail = [cut + outward * self.step * (i + 0.5) for i in range(60)]
            tail = [x for x in tail if cap is None or outward * (cap - x) > -1e-9] or tail[:1]
            share = [self.ratio**i for i in range(len(tail))]
            values += tail
            weights += [mass * s / sum(share) for s in share]
        order = np.argsort(values)
        return np.array(values)[order], np.array(weights)[order]


@st.composite
def ladders(draw: st.DrawFn, grid: bool = True) -> Ladder:
    step = draw(st.sampled_from([0.1, 1.0, 1000.0]))
    ticks = sorted(draw(st.sets(st.integers(-20, 40), min_size=2, max_size=8)))
    cuts = tuple((tick + 0.5) * step for tick in ticks)
    raw = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 9]), min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    total = sum(raw) or 1
    mass = tuple(value / total for value in (raw if sum(raw) else [1, *raw[1:]]))
    support = draw(st.sampled_from([(None, None), (-22.0, None), (-25.0, 50.0)]))
    caps = tuple(None if cap is None else cap * step for cap in support)
    return Ladder(cuts, mass, step if grid else None, caps, draw(st.integers(-30, 60)) * step)  # type: ignore[arg-type]


@settings(max_examples=150)
@given(ladder=ladders())
def test_crps_on_a_grid_is_that_of_its_atoms(ladder: Ladder) -> None:
    sr = pytest.importorskip("scoringrules")
    values, weights = ladder.atoms()
    got = scores.crps(of_cells(ladder.cells()), np.array([ladder.outcome]))
    scale = ladder.step or 1.0
    oracle = sr.crps_ensemble(ladder.outcome, values, ens_w=weights, estimator="nrg")
    assert got.crps[0] / scale == pytest.approx(float(oracle) / scale, **EXACT)
    near = 1e-6 * scale
    assert got.pit_low[0] == pytest.approx(weights[values < ladder.outcome - near].sum(), **EXACT)
    assert got.pit_high[0] == pytest.approx(weights[values <= ladder.outcome + near].sum(), **EXACT)
    assert scores.mean(of_cells(ladder.cells()))[0] / scale == pytest.approx(values @ weights / scale, rel=0, abs=1e-9)


@settings(max_examples=60)
@given(ladder=ladders(grid=False))
def test_crps_without_a_grid_is_the_integral_of_the_squared_distance(ladder: Ladder) -> None:
    inner = [0.0, *ladder.mass[1:-1], 0.0]
    if not sum(inner):
        return
    ladder = Ladder(ladder.cuts, tuple(np.array(inner) / sum(inner)), None, ladder.support, ladder.outcome)
    cuts, heights = np.array(ladder.cuts), np.concatenate([[0.0], np.cumsum(ladder.mass[1:-1])])

    def distance(t: float) -> float:
        return float((np.interp(t, cuts, heights) - (ladder.outcome <= t)) ** 2)

    low, high = min(cuts[0], ladder.outcome), max(cuts[-1], ladder.outcome)
    knots = sorted({low, high, ladder.outcome, *ladder.cuts})
    pieces = [integrate.quad(distance, a + 1e-13, b - 1e-13, epsabs=1e-13)[0] for a, b in pairwise(knots)]
    got = scores.crps(of_cells(ladder.cells()), np.array([ladder.outcome]))
    width = high - low
    assert got.crps[0] / width == pytest.approx(sum(pieces) / width, **EXACT)


def test_an_even_piece_has_the_crps_of_a_uniform_distribution() -> None:
    sr = pytest.importorskip("scoringrules")
    for outcome in (-2.0, 0.3, 1.0, 7.5, 12.0):
        ladder = Ladder((1.0, 9.0), (0.0, 1.0, 0.0), None, (None, None), outcome)
        got = scores.crps(of_cells(ladder.cells()), np.array([outcome]))
        assert got.crps[0] == pytest.approx(float(sr.crps_uniform(outcome, 1.0, 9.0)), **EXACT)


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=12), min_size=1, max_size=5), st.integers(-12, 12))
def test_crps_of_samples_is_that_of_the_ensemble(samples: list[list[int]], outcome: int) -> None:
    sr = pytest.importorskip("scoringrules")
    pointer = np.cumsum([0, *map(len, samples)])
    got = scores.crps(of_samples(pointer, np.concatenate(samples).astype(float)), np.full(len(samples), float(outcome)))
    oracle = [sr.crps_ensemble(float(outcome), np.array(one, dtype=float), estimator="nrg") for one in samples]
    assert got.crps == pytest.approx(np.array(oracle), **EXACT)
    assert scores.mean(of_samples(pointer, np.concatenate(samples).astype(float))) == pytest.approx(
        [np.mean(one) for one in samples], **EXACT
    )


def test_tails_are_laid_out_as_the_moments_have_them() -> None:
    for step, support in ((1.0, (None, None)), (1.0, (-3.0, 12.0)), (None, (None, 20.0))):
        cuts = np.array([0.5, 3.5, 9.5])
        shapes = cell_shapes(cuts, step, 0.45, *support)
        for cell in (0, 3):
            mass = tuple(float(place == cell) for place in range(4))
            ladder = Ladder(tuple(cuts), mass, step, support, 0.0)
            assert scores.mean(of_cells(ladder.cells()))[0] == pytest.approx(shapes.centre[cell], abs=1e-12)


def test_a_tail_whose_width_nothing_tells_has_no_score() -> None:
    ladder = Ladder((2.0,), (0.5, 0.5), None, (None, None), 3.0)
    assert np.isnan(scores.crps(of_cells(ladder.cells()), np.array([3.0])).crps[0])


@settings(max_examples=80)
@given(ladder=ladders())
def test_rps_and_log_score_are_those_of_the_cells(ladder: Ladder) -> None:
    sr = pytest.importorskip("scoringrules")
    cells = ladder.cells()
    cell = int(np.searchsorted(ladder.cuts, ladder.outcome, side="right"))
    outcome = np.array([ladder.outcome])
    oracle = float(sr.rps_score(cell + 1, np.array(ladder.mass)))
    assert scores.rps(cells, outcome)[0] == pytest.approx(oracle, **EXACT)
    assert scores.log_score(cells, outcome)[0] == pytest.approx(-np.log(max(ladder.mass[cell], 0.001)), **EXACT)


@settings(max_examples=60)
@given(ladder=ladders(), by=st.sampled_from([0.0, 0.25, -3.0, 7.5]))
def test_a_moved_forecast_gives_the_cells_what_its_atoms_fall_into(ladder: Ladder, by: float) -> None:
    assert ladder.step is not None
    values, weights = ladder.atoms()
    moved = of_cells(ladder.cells()).shifted(np.array([by * ladder.step]))
    masses = scores.cell_masses(moved, ladder.cells())
    place = np.searchsorted(ladder.cuts, values + by * ladder.step + 1e-6 * ladder.step, side="right")
    assert masses == pytest.approx(np.bincount(place, weights, minlength=len(masses)), **EXACT)


def test_many_forecasts_at_once_are_scored_as_each_alone() -> None:
    some = [
        Ladder((0.5, 2.5), (0.2, 0.5, 0.3), 1.0, (None, None), 2.0),
        Ladder((0.5, 2.5, 7.0), (0.1, 0.2, 0.3, 0.4), None, (None, None), 6.0),
    ]
    each = [ladder.cells() for ladder in some]
    sizes = np.cumsum([0, *(cells.mass.size for cells in each)])
    names = list(Cells.__dataclass_fields__)[1:]
    whole = Cells(sizes, *(np.concatenate([getattr(one, name) for one in each]) for name in names))
    outcome = np.array([ladder.outcome for ladder in some])
    for score in (lambda c, y: scores.crps(of_cells(c), y).crps, scores.rps, scores.log_score):
        assert score(whole, outcome).tolist() == [score(c, y[None])[0] for c, y in zip(each, outcome, strict=True)]


def test_coverage_is_the_chance_of_a_randomised_pit() -> None:
    low, high = np.array([0.0, 0.1, 0.05, 0.6, 0.3]), np.array([0.2, 0.9, 0.15, 1.0, 0.3])
    draws = low + np.random.default_rng(1).random((200_000, 5)) * (high - low)
    for level in scores.COVERAGES:
        simulated = ((draws >= (1 - level) / 2) & (draws <= (1 + level) / 2)).mean(axis=0)
        assert scores.coverage(low, high, level) == pytest.approx(simulated, abs=0.01)
    assert scores.coverage(low, high, 0.8)[:2].tolist() == pytest.approx([0.5, 1.0])


@settings(max_examples=20)
@given(seed=st.integers(0, 1_000))
def test_forecasts_that_are_true_have_uniform_pits_and_their_coverage(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.ones(6), size=4_000)
    outcome = (rng.random((4_000, 1)) > chance.cumsum(axis=1)).sum(axis=1)
    before = np.concatenate([np.zeros((4_000, 1)), chance.cumsum(axis=1)], axis=1)
    rows = np.arange(4_000)
    drawn = scores.Crps(np.zeros(4_000), before[rows, outcome], before[rows, outcome + 1])
    assert stats.kstest(scores.randomised_pit(drawn, seed), "uniform").pvalue > 1e-4
    for level in scores.COVERAGES:
        assert scores.coverage(drawn.pit_low, drawn.pit_high, level).mean() == pytest.approx(level, abs=0.03)


@settings(max_examples=40)
@given(seed=st.integers(0, 1_000), digits=st.integers(1, 3), count=st.integers(2, 60))
def test_reliability_is_decomposed_as_by_model_diagnostics(seed: int, digits: int, count: int) -> None:
    diagnostics = pytest.importorskip("model_diagnostics.scoring", reason="model-diagnostics is not installed")
    sr = pytest.importorskip("scoringrules")
    rng = np.random.default_rng(seed)
    probability = np.round(rng.random(count), digits)
    happened = rng.random(count) < probability**2
    ours = corp(probability, happened)
    oracle = diagnostics.decompose(
        happened.astype(float), probability, scoring_function=diagnostics.SquaredError()
    ).row(0, named=True)
    assert ours.miscalibration == pytest.approx(oracle["miscalibration"], **EXACT)
    assert ours.discrimination == pytest.approx(oracle["discrimination"], **EXACT)
    assert ours.uncertainty == pytest.approx(oracle["uncertainty"], **EXACT)
    assert scores.brier(probability, happened) == pytest.approx(
        sr.brier_score(happened.astype(float), probability), **EXACT
    )
    assert ours.score == pytest.approx(scores.brier(probability, happened).mean(), **EXACT)


def test_reliability_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        corp(np.array([]), np.array([], dtype=bool))


@settings(max_examples=40)
@given(seed=st.integers(0, 1_000), count=st.integers(3, 80))
def test_diebold_mariano_without_overlap_is_the_t_test(seed: int, count: int) -> None:
    difference = np.random.default_rng(seed).normal(0.1, 1, count)
    ours, oracle = diebold_mariano(difference), stats.ttest_1samp(difference, 0.0)
    assert ours.statistic == pytest.approx(oracle.statistic, **EXACT)
    assert ours.p_value == pytest.approx(oracle.pvalue, **EXACT)
    assert ours.clusters == count


def test_diebold_mariano_with_overlap_is_the_published_formula() -> None:
    d = np.array([0.3, 0.5, 0.4, 0.3, 0.2, 0.1, -0.1, 0.0, 0.05, 0.15])
    n, h = d.size, 3
    gamma = [sum((d[t] - d.mean()) * (d[t - k] - d.mean()) for t in range(k, n)) / n for k in range(h)]
    plain = d.mean() / ((gamma[0] + 2 * sum(gamma[1:])) / n) ** 0.5
    corrected = plain * ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    assert diebold_mariano(d, overlap=h).statistic == pytest.approx(corrected, **EXACT)


def test_losses_that_never_differ_cannot_be_tested() -> None:
    assert np.isnan(diebold_mariano(np.zeros(10)).p_value)
    assert np.isnan(diebold_mariano(np.array([1.0, 2.0])).p_value)


def test_the_bootstrap_draws_whole_blocks_of_clusters_and_means_over_their_rows() -> None:
    values = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0, 7.0, 8.0])
    cluster = np.array([0, 0, 0, 1, 2, 2, 3, 4])
    times = draw_clusters(5, length=2, draws=300, seed=7)
    assert times.sum(axis=1).tolist() == [5] * 300
    starts = np.random.default_rng(7).integers(0, 5, size=(300, 3))
    means = []
    for draw in starts:
        drawn = [(start + i) % 5 for start in draw for i in range(2)][:5]
        rows = [value for c in drawn for value in values[cluster == c] if np.isfinite(value)]
        means.append(sum(rows) / len(rows))
    got = bootstrap_mean(*cluster_sums(values, cluster, 5), times)
    assert got.mean == pytest.approx(33 / 7, **EXACT)
    assert [got.low, got.high] == pytest.approx(np.quantile(means, [0.025, 0.975]).tolist(), **EXACT)


def test_the_interval_of_independent_clusters_is_that_of_the_mean() -> None:
    values = np.random.default_rng(3).normal(2.0, 1.0, 400)
    got = bootstrap_mean(*cluster_sums(values, np.arange(400), 400), draw_clusters(400, 1, 4_000, seed=1))
    low, high = stats.norm.interval(0.95, values.mean(), values.std() / 20)
    assert [got.low, got.high] == pytest.approx([low, high], abs=0.02)


def test_rows_of_one_event_are_one_observation() -> None:
    values = np.random.default_rng(5).normal(size=50)
    alone = bootstrap_mean(*cluster_sums(values, np.arange(50), 50), draw_clusters(50, 1, 2_000, seed=1))
    copies = bootstrap_mean(
        *cluster_sums(np.repeat(values, 20), np.repeat(np.arange(50), 20), 50), draw_clusters(50, 1, 2_000, seed=1)
    )
    assert [copies.low, copies.high] == pytest.approx([alone.low, alone.high])


def test_one_cluster_has_a_mean_and_no_interval() -> None:
    got = bootstrap_mean(*cluster_sums(np.array([1.0, 3.0]), np.array([0, 0]), 1), draw_clusters(1, 1, 50, seed=1))
    assert got.mean == 2.0 and np.isnan(got.low) and np.isnan(got.high)
    assert [block_length(n) for n in (1, 20, 137)] == [1, 3, 5]


def test_outcomes_must_be_as_many_as_forecasts() -> None:
    with pytest.raises(ValueError, match="must agree"):
        scores.crps(of_samples(np.array([0, 1]), np.array([1.0])), np.array([1.0, 2.0]))
