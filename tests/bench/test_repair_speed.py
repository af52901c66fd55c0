"""How fast ladders are repaired, beside the usual ways of doing isotonic regression; run with ``make bench``.

Every benchmark repairs ladders of 12 strikes; the figure to read is ``ladders_per_second`` in the extra column. Seconds
are those the processor spent on it, so that what else runs on the machine hardly shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import isotonic_regression
from sklearn.isotonic import IsotonicRegression

from kalshi_pipeline.distributions.bands import Bands, read_bands
from kalshi_pipeline.distributions.layout import Layouts, build_layouts
from kalshi_pipeline.distributions.moments import moments, quantiles, tail_probabilities
from kalshi_pipeline.distributions.repair import Repaired, repair
from kalshi_pipeline.distributions.segments import pointer_of

LEGS = 12
LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
Floats = npt.NDArray[np.float64]


def ladders(count: int) -> tuple[Layouts, Any, Any, Any, Bands, Floats]:
    """Noisy quotes of a ladder of 12 strikes: layouts, layout of each snapshot, pointers, bands, weights."""
    spec = {
        "mutually_exclusive": False,
        "grid_step": 0.1,
        "support_low": -10.0,
        "support_high": 25.0,
        "tail_ratio": 0.45,
        "tail_thresholds": [3.0, 3.5, 4.0],
    }
    cuts = 2.95 + 0.1 * np.arange(LEGS)
    payoff = np.column_stack([cuts, np.full(LEGS, np.inf)])
    layouts = build_layouts([spec], [payoff], [["high"] * LEGS])
    rng = np.random.default_rng(0)
    mid = np.sort(rng.random((count, LEGS)))[:, ::-1] + rng.normal(0, 0.03, (count, LEGS))
    half = rng.integers(1, 6, mid.shape) / 100
    bid, ask = np.round(np.clip(mid - half, 0, 1), 2), np.round(np.clip(mid + half, 0, 1), 2)
    bands = read_bands(bid.ravel(), ask.ravel(), np.full(mid.size, np.nan))
    weight = np.where(bands.two_sided, 1 / np.maximum(half.ravel(), 0.01) ** 2, 0.0)
    sizes = np.full(count, LEGS)
    return layouts, np.zeros(count, dtype=np.int64), pointer_of(sizes), pointer_of(sizes + 1), bands, weight


def measure(benchmark: Any, count: int, run: Callable[[], Any]) -> Any:
    """Run a benchmark over a number of ladders and note how many it does a second."""
    run()
    result = benchmark.pedantic(run, rounds=15, iterations=1)
    benchmark.extra_info["ladders_per_second"] = round(count / benchmark.stats.stats.min)
    return result


@pytest.mark.benchmark(group="repair", timer=time.process_time)
def test_compiled_batch_repair_with_bands_depth_and_bounds(benchmark: Any) -> None:
    count = 100_000
    layouts, layout_of, legs, cells, bands, weight = ladders(count)
    rate = np.full(count, 0.07)
    out: Repaired = measure(benchmark, count, lambda: repair(layouts, layout_of, legs, cells, bands, weight, rate))
    assert (out.probability >= 0).all()


@pytest.mark.benchmark(group="repair", timer=time.process_time)
def test_numpy_min_max_batch_without_bands(benchmark: Any) -> None:
    count = 5_000
    _, _, _, _, bands, weight = ladders(count)
    target = np.nan_to_num(bands.mid, nan=0.5).reshape(count, LEGS)
    weight = np.where(weight > 0, weight, 1e-6).reshape(count, LEGS)

    def run() -> Floats:
        running = np.cumsum(weight * target, axis=1), np.cumsum(weight, axis=1)
        total = [np.concatenate([np.zeros((count, 1)), part], axis=1) for part in running]
        means = np.full((count, LEGS, LEGS), np.nan)
        for i in range(LEGS):
            for j in range(i, LEGS):
                means[:, i, j] = (total[0][:, j + 1] - total[0][:, i]) / (total[1][:, j + 1] - total[1][:, i])
        out = np.empty((count, LEGS))
        for k in range(LEGS):
            # Non-increasing: the least over starts of the greatest over ends.
            out[:, k] = np.min(np.max(means[:, : k + 1, k:], axis=2), axis=1)
        return out

    measure(benchmark, count, run)


@pytest.mark.benchmark(group="repair", timer=time.process_time)
def test_scipy_in_a_loop_without_bands(benchmark: Any) -> None:
    count = 2_000
    _, _, _, _, bands, weight = ladders(count)
    target = np.nan_to_num(bands.mid, nan=0.5).reshape(count, LEGS)
    weight = np.where(weight > 0, weight, 1e-6).reshape(count, LEGS)
    measure(
        benchmark,
        count,
        lambda: [isotonic_regression(t, weights=w, increasing=False).x for t, w in zip(target, weight, strict=True)],
    )


@pytest.mark.benchmark(group="repair", timer=time.process_time)
def test_scikit_learn_in_a_loop_without_bands(benchmark: Any) -> None:
    count = 300
    _, _, _, _, bands, weight = ladders(count)
    target = np.nan_to_num(bands.mid, nan=0.5).reshape(count, LEGS)
    weight = np.where(weight > 0, weight, 1e-6).reshape(count, LEGS)
    strikes = np.arange(LEGS)
    model = IsotonicRegression(increasing=False)
    measure(
        benchmark,
        count,
        lambda: [model.fit_transform(strikes, t, sample_weight=w) for t, w in zip(target, weight, strict=True)],
    )


@pytest.mark.benchmark(group="kernels", timer=time.process_time)
def test_repair_tails_moments_quantiles_and_bounds(benchmark: Any) -> None:
    count = 100_000
    layouts, layout_of, legs, cells, bands, weight = ladders(count)
    rate = np.full(count, 0.07)

    def run() -> Any:
        out = repair(layouts, layout_of, legs, cells, bands, weight, rate)
        return (
            moments(layouts, layout_of, cells, out.probability, out.survival_low, out.survival_high),
            quantiles(layouts, layout_of, cells, out.probability, LEVELS),
            tail_probabilities(layouts, layout_of, cells, out.probability, out.survival),
        )

    measure(benchmark, count, run)
