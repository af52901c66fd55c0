"""A mixed ladder, any intervals on one line, is repaired to the masses nearest to the targets inside the bands."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.random_ladders import FEE_RATE, Case, random_mixed
from tests.unit.repair_oracles import depth_by_programme, mean_bounds_by_programme, optimality_residual

pytestmark = pytest.mark.unit


def check(case: Case) -> None:
    """What every repaired mixed ladder must satisfy."""
    assert case.arrived
    assert (case.mass >= 0).all()
    assert abs(case.mass.sum() - 1) <= 1e-12
    assert case.gross >= case.net >= 0
    assert optimality_residual(case.ladder, case.mass, case.gross) <= 1e-9
    assert case.value == pytest.approx(case.ladder.payoff @ case.mass, abs=1e-12)


def test_two_thousand_random_ladders_meet_the_conditions_of_the_optimum() -> None:
    for case in random_mixed(np.random.default_rng(21), 2_000, 20).cases():
        check(case)


def test_depth_equals_the_optimum_of_the_linear_programme() -> None:
    for case in random_mixed(np.random.default_rng(22), 80, 14).cases():
        assert case.gross == pytest.approx(depth_by_programme(case.ladder), abs=1e-12)
        assert case.net == pytest.approx(depth_by_programme(case.ladder, FEE_RATE), abs=1e-12)


def test_bounds_of_the_mean_equal_the_optima_of_the_linear_programmes() -> None:
    for case in random_mixed(np.random.default_rng(23), 60, 14).cases():
        least = np.arange(case.ladder.cells) * 2.0
        low = -np.diff(case.survival_low, append=0.0) @ least
        high = -np.diff(case.survival_high, append=0.0) @ (least + 1)
        expected = mean_bounds_by_programme(case.ladder, case.gross, least, least + 1)
        assert (low, high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_many_random_ladders_meet_the_conditions_of_the_optimum() -> None:
    rng = np.random.default_rng(24)
    for _ in range(20):
        for case in random_mixed(rng, 1_000, 20).cases():
            check(case)
