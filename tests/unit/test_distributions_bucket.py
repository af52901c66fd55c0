"""A bucket ladder is repaired to the masses nearest to the targets that sum to 1 inside the bands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from kalshi_pipeline.distributions import bucket
from tests.unit.random_ladders import FEE_RATE, Case, as_mixed, random_buckets
from tests.unit.repair_oracles import Floats, depth_by_programme, optimality_residual

pytestmark = pytest.mark.unit

W, F, B = bucket.WEIGHTED, bucket.FREE, bucket.BOUND


def solve(
    bid: list[float], ask: list[float], role: list[int], weight: list[float] | None = None, rate: float = 0.0
) -> tuple[Floats, float, float]:
    """Masses, gross and net depth of one ladder; the targets are the middles of the bands."""
    cells = len(bid)
    lower, upper = np.array(bid, dtype=float), np.array(ask, dtype=float)
    mass = np.full(cells, np.nan)
    weights = np.where(np.array(role) == W, np.ones(cells) if weight is None else weight, 0.0)
    gross, net = bucket.solve(
        cells, lower, upper, (lower + upper) / 2, weights, np.array(role), rate, mass, np.empty(2 * cells)
    )
    return mass, gross, net


def test_mids_that_sum_to_one_are_left_alone() -> None:
    mass, depth, _ = solve([0.1, 0.4, 0.2], [0.3, 0.6, 0.4], [W, W, W])
    assert mass == pytest.approx([0.2, 0.5, 0.3], abs=1e-15)
    assert depth == 0


def test_an_excess_is_shared_by_inverse_weight() -> None:
    mass, _, _ = solve([0.2, 0.5, 0.2], [0.4, 0.7, 0.4], [W, W, W], [1.0, 2.0, 2.0])
    assert mass == pytest.approx([0.2, 0.55, 0.25], abs=1e-15)


def test_a_mass_stops_at_its_band_and_the_others_take_the_rest() -> None:
    mass, _, _ = solve([0.28, 0.4, 0.2], [0.32, 0.8, 0.6], [W, W, W])
    assert mass == pytest.approx([0.28, 0.46, 0.26], abs=1e-15)


def test_without_a_bid_a_market_takes_nothing_while_the_two_sided_ones_can_reach_one() -> None:
    mass, _, _ = solve([0.0, 0.4, 0.3, 0.0], [0.05, 0.6, 0.55, 0.01], [B, W, W, B])
    assert mass == pytest.approx([0.0, 0.5375, 0.4625, 0.0], abs=1e-15)


def test_without_a_bid_markets_share_what_the_two_sided_ones_cannot_reach_in_proportion_to_their_asks() -> None:
    mass, depth, _ = solve([0.0, 0.4, 0.3, 0.0], [0.3, 0.5, 0.35, 0.1], [B, W, W, B])
    assert depth == 0
    assert mass == pytest.approx([0.1125, 0.5, 0.35, 0.0375], abs=1e-15)


def test_a_missing_bucket_takes_what_is_left_and_nothing_is_renormalised() -> None:
    mass, _, _ = solve([0.19, 0.29, 0.0, 0.09], [0.21, 0.31, 1.0, 0.11], [W, W, F, W])
    assert mass == pytest.approx([0.2, 0.3, 0.4, 0.1], abs=1e-15)


def test_two_missing_buckets_share_alike() -> None:
    mass, _, _ = solve([0.39, 0.0, 0.19, 0.0], [0.41, 1.0, 0.21, 1.0], [W, F, W, F])
    assert mass == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=1e-15)


def test_a_missing_bucket_takes_nothing_when_the_mids_exceed_one() -> None:
    mass, _, _ = solve([0.5, 0.4, 0.0], [0.6, 0.6, 1.0], [W, W, F])
    assert mass == pytest.approx([0.525, 0.475, 0.0], abs=1e-15)


@pytest.mark.parametrize(
    ("bid", "ask", "depth"),
    [
        pytest.param([0.5, 0.4, 0.4], [0.6, 0.5, 0.5], 0.1, id="bids sum to more than 1"),
        pytest.param([0.9, 0.3, 0.01], [0.95, 0.4, 0.1], 0.1, id="a small bid is widened away first"),
        pytest.param([0.1, 0.2, 0.1], [0.2, 0.3, 0.2], 0.1, id="asks sum to less than 1"),
        pytest.param([0.3, 0.5, 0.2], [0.4, 0.3, 0.6], 0.1, id="a crossed book"),
        pytest.param([0.2, 0.3, 0.2], [0.4, 0.5, 0.4], 0.0, id="none"),
    ],
)
def test_arbitrage_depth_is_the_least_shift_that_lets_the_masses_sum_to_one(
    bid: list[float], ask: list[float], depth: float
) -> None:
    mass, gross, _ = solve(bid, ask, [W, W, W])
    assert gross == pytest.approx(depth, abs=1e-15)
    assert mass.sum() == pytest.approx(1.0, abs=1e-15)


def test_fees_lessen_the_depth() -> None:
    _, gross, net = solve([0.5, 0.4, 0.4], [0.6, 0.5, 0.5], [W, W, W], rate=FEE_RATE)
    assert gross == pytest.approx(0.1)
    assert net == pytest.approx((1.3 - 0.07 * (0.25 + 0.24 + 0.24) - 1) / 3, abs=1e-15)


def test_without_any_target_free_cells_share_the_mass_by_the_room_in_their_bands() -> None:
    mass, _, _ = solve([0.2, 0.0, 0.0], [1.0, 1.0, 0.1], [F, F, B])
    assert mass == pytest.approx([0.2 + 0.8 * 0.8 / 1.8, 0.8 / 1.8, 0.0], abs=1e-15)


def check(case: Case) -> None:
    """What every repaired bucket ladder must satisfy: feasible, summing to 1, at the optimum of one multiplier."""
    ladder, mass = case.ladder, case.mass
    assert (mass >= 0).all()
    assert abs(mass.sum() - 1) <= 1e-12
    assert case.gross >= case.net >= 0
    low, high, pull = np.zeros(ladder.cells), np.ones(ladder.cells), np.zeros(ladder.cells)
    at = ladder.first
    low[at], high[at] = np.maximum(ladder.bid - case.gross, 0), np.minimum(ladder.ask + case.gross, 1)
    assert (mass >= low - 1e-12).all()
    assert (mass <= high + 1e-12).all()

    bound = np.zeros(ladder.cells, dtype=bool)
    bound[at] = (ladder.weight == 0) & (ladder.bid == 0)
    if (mass[bound] > 1e-11).any():
        assert mass[~bound] == pytest.approx(high[~bound], abs=1e-11)
    weighted = ladder.weight > 0
    pull[at[weighted]] = ladder.weight[weighted] * (mass[at] - ladder.target)[weighted] / ladder.weight.max()
    can_fall, can_rise = ~bound & (mass > low + 1e-11), ~bound & (mass < high - 1e-11)
    assert np.max(pull[can_fall], initial=-np.inf) <= np.min(pull[can_rise], initial=np.inf) + 1e-9


def test_two_thousand_random_ladders_meet_the_conditions_of_the_optimum() -> None:
    for case in random_buckets(np.random.default_rng(11), 2_000, 20).cases():
        check(case)


def test_depth_equals_the_optimum_of_the_linear_programme() -> None:
    for case in random_buckets(np.random.default_rng(12), 80, 14).cases():
        assert case.gross == pytest.approx(depth_by_programme(case.ladder), abs=1e-12)
        assert case.net == pytest.approx(depth_by_programme(case.ladder, FEE_RATE), abs=1e-12)


def test_general_conditions_of_optimality_agree() -> None:
    compared = 0
    for case in random_buckets(np.random.default_rng(13), 600, 14).cases():
        if ((case.ladder.weight == 0) & (case.ladder.bid == 0)).any():
            continue  # masses kept from markets without a bid are a convention, not an optimum
        assert optimality_residual(case.ladder, case.mass, case.gross) <= 1e-9
        compared += 1
    assert compared > 50


def test_the_solver_for_mixed_ladders_agrees_wherever_no_convention_decides() -> None:
    batch = random_buckets(np.random.default_rng(14), 300, 12, missing=False)
    own, general = batch.repaired(), as_mixed(batch).repaired()
    assert general.arrived.all()
    assert general.gross == pytest.approx(own.gross, abs=1e-12)
    assert general.survival_low == pytest.approx(own.survival_low, abs=1e-11)
    assert general.survival_high == pytest.approx(own.survival_high, abs=1e-11)
    assert general.probability_low == pytest.approx(own.probability_low, abs=1e-11)
    assert general.probability_high == pytest.approx(own.probability_high, abs=1e-11)
    pointer = batch.layouts.leg_pointer
    two_sided = np.array([batch.bands.two_sided[a:b].all() for a, b in pairwise(pointer)])
    assert two_sided.sum() > 20
    cells = np.repeat(two_sided, np.diff(batch.layouts.cell_pointer))
    assert general.probability[cells] == pytest.approx(own.probability[cells], abs=1e-11)


@pytest.mark.slow
def test_fifty_thousand_ladders_of_up_to_two_hundred_cells_meet_the_conditions_of_the_optimum() -> None:
    rng = np.random.default_rng(15)
    for most, batches in ((12, 20), (50, 20), (200, 10)):
        for _ in range(batches):
            for case in random_buckets(rng, 1_000, most).cases():
                check(case)
