"""Arbitrage depths and bounds of the mean are the optima of linear programmes, and nothing published violates one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kalshi_pipeline.distributions.moments import moments
from kalshi_pipeline.distributions.violations import violations_after
from tests.unit.random_ladders import FEE_RATE, RandomBatch, random_buckets, random_mixed, random_thresholds
from tests.unit.repair_oracles import depth_by_programme, mean_bounds_by_programme

pytestmark = pytest.mark.unit

KINDS = [random_thresholds, random_buckets, random_mixed]
Make = Callable[[np.random.Generator, int, int], RandomBatch]


def capped(batch: RandomBatch) -> RandomBatch:
    """The same ladders with cells that span ``[2 i, 2 i + 1]``, the outer ones included, so that bounds are finite."""
    layouts = batch.layouts
    sizes = np.diff(layouts.cell_pointer)
    least = 2.0 * (np.arange(layouts.cell_pointer[-1]) - np.repeat(layouts.cell_pointer[:-1], sizes))
    return replace(batch, layouts=replace(layouts, shapes=layouts.shapes._replace(least=least, most=least + 1)))


def check_bounds(batch: RandomBatch) -> None:
    batch = capped(batch)
    out, layouts = batch.repaired(), batch.layouts
    every = np.arange(layouts.kind.size)
    got = moments(layouts, every, layouts.cell_pointer, out.probability, out.survival_low, out.survival_high)
    for index, case in enumerate(batch.cases()):
        cells = slice(layouts.cell_pointer[index], layouts.cell_pointer[index + 1])
        expected = mean_bounds_by_programme(
            case.ladder, case.gross, layouts.shapes.least[cells], layouts.shapes.most[cells]
        )
        assert (got.mean_low[index], got.mean_high[index]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("make", KINDS)
def test_bounds_of_the_mean_equal_the_optima_of_the_linear_programmes(make: Make) -> None:
    check_bounds(make(np.random.default_rng(31), 60, 14))


@pytest.mark.parametrize("make", KINDS)
def test_nothing_published_violates_a_constraint(make: Make) -> None:
    batch = make(np.random.default_rng(32), 2_000, 20)
    out = batch.repaired()
    assert not violations_after(batch.layouts.cell_pointer, out.probability, out.survival).any()


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS)
def test_bounds_of_the_mean_of_many_ladders_equal_the_optima(make: Make) -> None:
    check_bounds(make(np.random.default_rng(33), 1_500, 40))


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS)
def test_depths_of_two_thousand_ladders_equal_the_optima(make: Make) -> None:
    found = 0
    for case in make(np.random.default_rng(34), 2_000, 40).cases():
        assert case.gross == pytest.approx(depth_by_programme(case.ladder), abs=1e-12)
        assert case.net == pytest.approx(depth_by_programme(case.ladder, FEE_RATE), abs=1e-12)
        found += case.net > 0
    assert found > 200
