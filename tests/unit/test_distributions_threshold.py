"""A threshold ladder is repaired to the survival curve nearest to the targets inside the no-arbitrage bands."""

from __future__ import annotations

import numpy as np
import pytest

from kalshi_pipeline.distributions import threshold
from tests.unit.random_ladders import FEE_RATE, Case, as_mixed, random_thresholds
from tests.unit.repair_oracles import (
    Floats,
    Ladder,
    depth_by_programme,
    optimality_residual,
    survival_by_enumeration,
)

pytestmark = pytest.mark.unit


def solve(bid: list[float], ask: list[float], target: list[float], weight: list[float]) -> tuple[Floats, float]:
    """The repaired curve and the gross depth of one ladder of ``greater`` markets."""
    strikes = len(target)
    survival = np.full(strikes, np.nan)
    gross, _ = threshold.solve(
        strikes,
        np.array(bid, dtype=float),
        np.array(ask, dtype=float),
        np.array(target, dtype=float),
        np.array(weight, dtype=float),
        0.0,
        survival,
        threshold.blocks_for(strikes),
    )
    return survival, gross


def chain_residual(ladder: Ladder, survival: Floats, depth: float) -> float:
    """KKT residual of a survival curve at strikes, weights scaled to at most 1, by passing multipliers down the chain.

    The multiplier of ``S_i >= S_{i+1}`` lies in an interval that a bound which S_i sits on opens at one end; it must
    reach zero or more, and exactly zero where the curve falls.
    """
    order, bid, ask, target, weight = [], [], [], [], []
    for i in range(ladder.first.size):
        upward = ladder.stop[i] == ladder.cells
        order.append(ladder.first[i] if upward else ladder.stop[i])
        bid.append(ladder.bid[i] if upward else 1 - ladder.ask[i])
        ask.append(ladder.ask[i] if upward else 1 - ladder.bid[i])
        target.append(ladder.target[i] if upward else 1 - ladder.target[i])
        weight.append(ladder.weight[i])
    by_strike = np.argsort(order)
    low = np.maximum(np.maximum.accumulate(np.array(bid)[by_strike][::-1])[::-1] - depth, 0)
    high = np.minimum(np.minimum.accumulate(np.array(ask)[by_strike]) + depth, 1)
    target_at = np.array(target)[by_strike]
    weight_at = np.array(weight)[by_strike] / max(weight)
    curve = survival[1:]
    keep = weight_at > 0
    curve, low, high, target_at, weight_at = (x[keep] for x in (curve, low, high, target_at, weight_at))
    near, worst = 1e-10, float(max(np.max(low - curve, initial=0), np.max(curve - high, initial=0)))
    least = most = 0.0
    for i in range(curve.size):
        pull = weight_at[i] * (curve[i] - target_at[i])
        least, most = least + pull, most + pull
        if curve[i] <= low[i] + near:
            least = -np.inf
        if curve[i] >= high[i] - near:
            most = np.inf
        pooled = i + 1 < curve.size and curve[i] - curve[i + 1] <= near
        worst = max(worst, -most if pooled else max(-most, least))
        least = max(least, 0.0)
        most = max(most, 0.0) if pooled else 0.0
        if not pooled:
            least = 0.0
    return worst


def test_a_rising_curve_with_equal_weights_and_free_bands_is_pooled_to_its_mean() -> None:
    survival, depth = solve([0, 0, 0], [1, 1, 1], [0.2, 0.4, 0.6], [1, 1, 1])
    assert survival == pytest.approx([0.4, 0.4, 0.4], abs=1e-15)
    assert depth == 0


def test_a_pool_pulls_in_neighbours_until_the_curve_falls() -> None:
    survival, _ = solve([0] * 4, [1] * 4, [0.1, 0.2, 0.3, 0.4], [1] * 4)
    assert survival == pytest.approx([0.25] * 4, abs=1e-15)


def test_weights_decide_where_a_pool_lies() -> None:
    survival, _ = solve([0, 0], [1, 1], [0.2, 0.6], [3, 1])
    assert survival == pytest.approx([0.3, 0.3], abs=1e-15)
    # And here it is below the second strike's bid.
    survival, _ = solve([0, 0.7], [1, 1], [0.2, 0.6], [1, 1])
    assert survival == pytest.approx([0.7, 0.7], abs=1e-15)


def test_the_band_of_one_strike_holds_for_the_whole_pool() -> None:
    # The pooled mean of 0.4 is above the first strike's ask.
    survival, _ = solve([0, 0], [0.3, 1], [0.2, 0.6], [1, 1])
    assert survival == pytest.approx([0.3, 0.3], abs=1e-15)
    # And here it is below the second strike's bid.
    survival, _ = solve([0, 0.7], [1, 1], [0.2, 0.6], [1, 1])
    assert survival == pytest.approx([0.7, 0.7], abs=1e-15)


def test_clipping_the_pooled_mids_would_be_another_and_a_worse_answer() -> None:
    target, ask = [0.5, 0.1, 0.6], [1.0, 1.0, 0.2]
    survival, _ = solve([0, 0, 0], ask, target, [1, 1, 1])
    assert survival == pytest.approx(survival_by_enumeration(np.zeros(3), np.array(ask), np.array(target), np.ones(3)))
    assert survival == pytest.approx([0.5, 0.2, 0.2], abs=1e-15)
    pooled_then_clipped = np.minimum([0.5, 0.35, 0.35], ask)
    assert pooled_then_clipped == pytest.approx([0.5, 0.35, 0.2])


def test_an_unweighted_strike_takes_the_middle_of_what_its_neighbours_and_its_band_leave_it() -> None:
    survival, _ = solve([0, 0, 0], [1, 1, 1], [0.8, 0, 0.2], [1, 0, 1])
    assert survival == pytest.approx([0.8, 0.5, 0.2])
    survival, _ = solve([0, 0, 0], [1, 0.3, 1], [0.8, 0, 0.2], [1, 0, 1])
    assert survival == pytest.approx([0.8, 0.25, 0.2])


def test_unweighted_strikes_in_a_row_do_not_depend_on_which_end_is_read_first() -> None:
    survival, _ = solve([0, 0.4, 0, 0], [1, 1, 1, 0.3], [0, 0, 0, 0], [0, 0, 0, 0])
    mirrored, _ = solve([0.7, 0, 0, 0], [1, 1, 0.6, 1], [0, 0, 0, 0], [0, 0, 0, 0])
    assert survival == pytest.approx(1 - mirrored[::-1], abs=1e-15)
    assert survival == pytest.approx([0.7, 0.7, 0.5, 0.15])


def test_arbitrage_depth_is_half_the_widest_overlap_and_the_bands_then_meet() -> None:
    # Someone pays 0.60 for the rarer event while the commoner one is offered at 0.50.
    survival, depth = solve([0.4, 0.6], [0.5, 0.7], [0.45, 0.65], [1, 1])
    assert depth == pytest.approx(0.05, abs=1e-15)
    assert survival == pytest.approx([0.55, 0.55], abs=1e-15)


def test_fees_lessen_the_depth_by_what_both_trades_cost() -> None:
    gross, net = threshold.solve(
        2,
        np.array([0.4, 0.6]),
        np.array([0.5, 0.7]),
        np.array([0.45, 0.65]),
        np.ones(2),
        FEE_RATE,
        np.empty(2),
        threshold.blocks_for(2),
    )
    assert gross == pytest.approx(0.05)
    assert net == pytest.approx((0.6 - 0.07 * 0.24 - (0.5 + 0.07 * 0.25)) / 2, abs=1e-15)


def check(case: Case) -> None:
    """What every repaired threshold ladder must satisfy."""
    assert (case.mass >= 0).all()
    assert abs(case.mass.sum() - 1) <= 1e-12
    assert (np.diff(case.survival) <= 0).all()
    assert case.gross >= case.net >= 0
    if (case.ladder.weight > 0).any():
        assert chain_residual(case.ladder, case.survival, case.gross) <= 1e-9


def test_two_thousand_random_ladders_meet_the_conditions_of_the_optimum() -> None:
    for case in random_thresholds(np.random.default_rng(1), 2_000, 20).cases():
        check(case)


def test_small_random_ladders_equal_the_best_of_all_ways_to_pool() -> None:
    compared = 0
    for case in random_thresholds(np.random.default_rng(2), 400, 7).cases():
        ladder = case.ladder
        if not (ladder.weight > 0).all() or not (ladder.stop == ladder.cells).all():
            continue
        low = np.maximum.accumulate(ladder.bid[::-1])[::-1] - case.gross
        high = np.minimum.accumulate(ladder.ask) + case.gross
        best = survival_by_enumeration(np.maximum(low, 0), np.minimum(high, 1), ladder.target, ladder.weight)
        assert case.survival[1:] == pytest.approx(best, abs=1e-12)
        compared += 1
    assert compared > 20


def test_depth_equals_the_optimum_of_the_linear_programme() -> None:
    for case in random_thresholds(np.random.default_rng(3), 80, 12).cases():
        assert case.gross == pytest.approx(depth_by_programme(case.ladder), abs=1e-12)
        assert case.net == pytest.approx(depth_by_programme(case.ladder, FEE_RATE), abs=1e-12)


def test_general_conditions_of_optimality_agree_with_those_of_the_chain() -> None:
    for case in random_thresholds(np.random.default_rng(4), 150, 12).cases():
        assert optimality_residual(case.ladder, case.mass, case.gross) <= 1e-9


def test_the_solver_for_mixed_ladders_finds_the_same_curve() -> None:
    batch = random_thresholds(np.random.default_rng(5), 200, 12)
    own, general = batch.repaired(), as_mixed(batch).repaired()
    assert general.arrived.all()
    assert general.gross == pytest.approx(own.gross, abs=1e-12)
    assert general.survival == pytest.approx(own.survival, abs=1e-11)
    assert general.survival_low == pytest.approx(own.survival_low, abs=1e-11)
    assert general.probability_high == pytest.approx(own.probability_high, abs=1e-11)


@pytest.mark.slow
def test_a_hundred_thousand_ladders_of_up_to_two_hundred_strikes_meet_the_conditions_of_the_optimum() -> None:
    rng = np.random.default_rng(6)
    for most, batches in ((12, 40), (50, 40), (200, 20)):
        for _ in range(batches):
            for case in random_thresholds(rng, 1_000, most).cases():
                check(case)


@pytest.mark.slow
def test_ladders_of_up_to_ten_strikes_equal_the_best_of_all_ways_to_pool() -> None:
    compared = 0
    for case in random_thresholds(np.random.default_rng(7), 12_000, 10).cases():
        ladder = case.ladder
        if not (ladder.weight > 0).all() or not (ladder.stop == ladder.cells).all():
            continue
        low = np.maximum.accumulate(ladder.bid[::-1])[::-1] - case.gross
        high = np.minimum.accumulate(ladder.ask) + case.gross
        best = survival_by_enumeration(np.maximum(low, 0), np.minimum(high, 1), ladder.target, ladder.weight)
        assert case.survival[1:] == pytest.approx(best, abs=1e-12)
        compared += 1
    assert compared > 400
