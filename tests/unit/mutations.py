"""Mistakes that the core could contain, each with the test that would see it.

A mutation replaces one piece of source text by another; ``tests/unit/test_mutations.py`` plants it and runs the test.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """One mistake: in which file below the package, what it replaces, by what, and which test must turn red."""

    name: str
    file: str
    right: str
    wrong: str
    test: str


def _in(folder: str, file: str, name: str, right: str, wrong: str, test: str) -> Mutation:
    return Mutation(name, f"{folder}/{file}.py", right, wrong, test)


def _core(file: str, name: str, right: str, wrong: str, test: str) -> Mutation:
    return _in("distributions", file, name, right, wrong, f"tests/unit/test_distributions_{test}")


def _ladder(file: str, name: str, right: str, wrong: str, test: str) -> Mutation:
    return _in("ladders", file, name, right, wrong, f"tests/unit/test_ladders_{test}")


_EMPTY_SIDES = "quality.py::test_the_exchanges_empty_sides_are_bounds_and_never_prices"
_WEIGHT = "quality.py::test_a_weight_halves_with_every_cutoff_and_falls_with_the_variance_of_the_mid"
_GATES = "gates.py::test_each_gate_fails_alone_at_its_limit"
_MOMENTS = "moments.py::test_moments_on_a_grid_are_those_of_its_atoms"
_EDGES = "payoffs.py::test_edges"

MUTATIONS: tuple[Mutation, ...] = (
    # Ladders: strict ends, half steps, noise, exclusivity, recovery
    _ladder("grid", "greater pays on its strike", 'strict=strike_type == "greater"', "strict=False", _EDGES),
    _ladder("grid", "less pays on its strike", 'strict=strike_type == "less"', "strict=False", _EDGES),
    _ladder("grid", "a lower edge on the grid point", "else ceil(point)) - 1)", "else ceil(point)))", _EDGES),
    _ladder(
        "grid",
        "a strike is rounded to the grid",
        "NOISE = 1e-6",
        "NOISE = 0.4",
        "payoffs.py::test_float_noise_is_snapped_and_nothing_else",
    ),
    _ladder(
        "classify",
        "exclusive and overlapping is believed",
        'level = CONFIDENCES.index("low")',
        "level = 0",
        "build.py::test_exclusivity_that_the_geometry_contradicts_lowers_the_confidence",
    ),
    _ladder(
        "build",
        "two cities are one ladder",
        'groups[market["event_ticker"], ticker.subject]',
        'groups[market["event_ticker"], None]',
        "build.py::test_two_cities_in_one_event_are_two_ladders",
    ),
    # Bands and weights
    _core(
        "bands", "an empty ask is a price", "np.where(has_ask, ask, 1.0)", "np.where(has_ask, ask, 0.99)", _EMPTY_SIDES
    ),
    _core("bands", "a bid of zero is a price", "(values > 0.0)", "(values >= 0.0)", _EMPTY_SIDES),
    _core("weights", "the spread is not squared", "half_spread**2 +", "half_spread +", _WEIGHT),
    _core("weights", "older counts more", "np.exp2(-np.minimum", "np.exp2(np.minimum", _WEIGHT),
    _core(
        "weights",
        "a bound counts as a target",
        "np.where(np.isnan(bands.mid), 0.0,",
        "np.where(np.isnan(bands.mid), 1.0,",
        "quality.py::test_one_sided_and_empty_books_have_no_weight_and_a_last_trade_has_a_wide_books",
    ),
    # Repair
    _core(
        "threshold",
        "bids speak only for themselves",
        "below = max(below, lower[strike])",
        "below = lower[strike]",
        "threshold.py::test_the_band_of_one_strike_holds_for_the_whole_pool",
    ),
    _core(
        "threshold",
        "a pool is an average of averages",
        "(total / joint)",
        "0.5",
        "threshold.py::test_a_rising_curve_with_equal_weights_and_free_bands_is_pooled_to_its_mean",
    ),
    _core(
        "threshold",
        "the curve may rise",
        "blocks.value[before] < value",
        "blocks.value[before] < value - 1.0",
        "threshold.py::test_a_pool_pulls_in_neighbours_until_the_curve_falls",
    ),
    _core(
        "threshold",
        "the whole overlap is the depth",
        "return 0.5 * overlap",
        "return overlap",
        "threshold.py::test_arbitrage_depth_is_half_the_widest_overlap_and_the_bands_then_meet",
    ),
    _core(
        "threshold",
        "fees are earned",
        "bid - fee(bid, rate) - ask - fee(ask, rate)",
        "bid + fee(bid, rate) - ask + fee(ask, rate)",
        "threshold.py::test_fees_lessen_the_depth_by_what_both_trades_cost",
    ),
    _core(
        "bucket",
        "mids are renormalised",
        "target[i] + lam / weight[i], lower[i]), upper[i])\n\n\n",
        "target[i] * (1.0 + lam), lower[i]), upper[i])\n\n\n",
        "bucket.py::test_an_excess_is_shared_by_inverse_weight",
    ),
    _core(
        "bucket",
        "markets without a bid take mass first",
        "FREE, 1.0 - weighted - bound_least, mass)",
        "FREE, free_least, mass)",
        "bucket.py::test_a_missing_bucket_takes_what_is_left_and_nothing_is_renormalised",
    ),
    # Tails and moments
    _core("tails", "a tail begins at its cut", "cut + outward * pitch / 2\n", "cut\n", _MOMENTS),
    _core(
        "tails",
        "a cap is one atom off",
        "(cap - start) / pitch + 1 + 1e-6",
        "(cap - start) / pitch + 1e-6",
        "moments.py::test_a_cap_close_to_the_last_cut_truncates_the_tail_and_renormalises_it",
    ),
    _core(
        "tails",
        "variance inside cells is subtracted",
        "(n**2 - 1) * step**2 / 12",
        "(1 - n**2) * step**2 / 12",
        _MOMENTS,
    ),
    _core("moments", "the sign of the skew", "skew[s] = third", "skew[s] = -third", _MOMENTS),
    _core("moments", "kurtosis of a normal is three", "(second * second) - 3.0", "(second * second)", _MOMENTS),
    _core(
        "moments",
        "a quantile beyond the last cut is the cut",
        "edge[s, k] = low_cut[base + i]",
        "value[s, k] = low_cut[base + i]",
        "moments.py::test_quantiles_are_grid_points_and_unknown_in_open_cells",
    ),
    # Gates and quality
    _core("gates", "coverage at its limit fails", "rules.min_coverage - noise", "rules.min_coverage + noise", _GATES),
    _core("gates", "age at its cutoff fails", "inputs.cutoff + age_noise", "inputs.cutoff - age_noise", _GATES),
    _core("gates", "a spread at its limit passes", "rules.max_spread - noise", "rules.max_spread + noise", _GATES),
    _core("gates", "an unknown spread passes", "np.isnan(inputs.median_spread)", "inputs.median_spread < 0", _GATES),
    _core("gates", "a depth at its limit fails", "max_arbitrage_depth + noise", "max_arbitrage_depth - noise", _GATES),
    _core(
        "freshness",
        "stale quotes are left out of the ages",
        "median_age=medians(batch.leg_pointer, age)",
        "median_age=medians(batch.leg_pointer, np.where(age <= cutoff, age, np.nan))",
        "gates.py::test_ages_are_judged_unfiltered_so_the_gate_can_fire",
    ),
    _core(
        "freshness",
        "a stale quote covers",
        "covered = fresh.fresh & (",
        "covered = (",
        "gates.py::test_a_quote_older_than_its_cutoff_covers_nothing",
    ),
    _core(
        "stale",
        "the schedule runs backwards",
        "near_age + along * (far_age - near_age)",
        "far_age + along * (near_age - far_age)",
        "quality.py::test_the_schedule",
    ),
    _core(
        "publish",
        "a failed snapshot publishes its mean",
        "numbers(moments.mean, failed)",
        "numbers(moments.mean)",
        "gates.py::test_what_failed_is_kept_with_its_cells_and_bounds_and_publishes_nothing_else",
    ),
    _core(
        "quality",
        "an unknown spread is perfect",
        "np.where(np.isnan(spread), UNKNOWN, spread)",
        "np.where(np.isnan(spread), 1.0, spread)",
        "quality.py::test_the_quality_score_is_the_weighted_sum_of_its_stored_components",
    ),
    # Point in time and recount
    _core(
        "asof",
        "a quote counts before it is known",
        "if asof[middle] < at[quote]:",
        "if asof[middle] < at[quote] - 1:",
        "asof.py::test_a_quote_counts_from_the_instant_it_became_known_and_not_a_microsecond_before",
    ),
    _core(
        "asof",
        "a leg takes over the quote of another",
        "(filled >= self.begin[leg])",
        "(filled >= 0)",
        "asof.py::test_a_leg_is_expected_from_when_it_was_known_and_has_no_quote_before_its_first",
    ),
    _core(
        "observations",
        "a quote from the future is used",
        'late = instants(observations, "available_ts") > asof',
        'late = instants(observations, "available_ts") > asof + 10**10',
        "snapshots.py::test_a_quote_from_the_future_is_refused",
    ),
    _core(
        "violations",
        "the recount finds nothing",
        "int(fall < -VIOLATION_TOLERANCE)",
        "int(fall < -1.0)",
        "violations.py::test_the_recount_finds_every_kind_of_fault",
    ),
    # Distances
    _core(
        "distances",
        "divergence the wrong way round",
        "np.log(p / q)",
        "np.log(q / p)",
        "distances.py::test_divergences_are_those_of_scipy",
    ),
    _core(
        "distances",
        "grid points are a line",
        "within * (1.0 - within), 0.0)",
        "0.0, 0.0)",
        "distances.py::test_wasserstein_is_that_of_scipy_on_every_atom",
    ),
    _core(
        "lags",
        "a gated snapshot is compared",
        "candidates = every[own][passed[own]]",
        "candidates = every[own]",
        "distances.py::test_the_earlier_snapshot_is_the_latest_at_least_a_lag_and_at_most_the_gap_before",
    ),
)
