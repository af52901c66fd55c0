"""Every hard gate can fail a snapshot alone, exactly at its limit; what failed publishes no moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from kalshi_pipeline.distributions.gates import REASONS, GateInputs, evaluate_gates
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.tables import QUANTILES
from tests.unit.distribution_kit import Quote, around, computed, ladders_of, market, observe, snapshot, thresholds

pytestmark = pytest.mark.unit

RULES = Rules()
PASSING = GateInputs(
    coverage=np.array([1.0]),
    median_age=np.array([60.0]),
    cutoff=np.array([120.0]),
    median_spread=np.array([0.02]),
    depth_net=np.array([0.0]),
    direction_resolved=np.array([True]),
    live_markets=np.array([5]),
    converged=np.array([True]),
)

#: Everything that must be NULL where a gate failed.
WITHHELD = (
    "mean",
    "variance",
    "std",
    "skew",
    "excess_kurtosis",
    "entropy",
    "entropy_atoms",
    "mass_below",
    "mass_above",
    "tail_probabilities",
    "tail_dominated",
    "iqr",
    *QUANTILES,
    *(f"{name}_edge" for name in QUANTILES),
)


def reasons(**changed: Any) -> list[str]:
    """The reasons for which a passing snapshot fails once some inputs are changed."""
    inputs = replace(PASSING, **{name: np.array([value]) for name, value in changed.items()})
    return [name for name, failed in zip(REASONS, evaluate_gates(inputs, RULES)[0], strict=True) if failed]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"coverage": 0.80}, []),
        ({"coverage": 0.79}, ["coverage_low"]),
        ({"coverage": np.nan}, ["coverage_unknown"]),
        ({"median_age": 120.0}, []),
        ({"median_age": 120.001}, ["age_stale"]),
        ({"median_age": np.nan}, ["age_unknown"]),
        ({"median_spread": 0.2499}, []),
        ({"median_spread": 0.25}, ["spread_wide"]),
        ({"median_spread": 0.65 - 0.40}, ["spread_wide"]),
        ({"median_spread": 0.35 - 0.10 - 1e-17}, ["spread_wide"]),
        ({"median_spread": np.nan}, ["spread_unknown"]),
        ({"depth_net": 0.05}, []),
        ({"depth_net": (0.8 - 0.7) / 2}, []),
        ({"depth_net": 0.0501}, ["arbitrage"]),
        ({"depth_net": np.nan}, ["arbitrage_unknown"]),
        ({"direction_resolved": False}, ["direction_unresolved"]),
        ({"live_markets": 3}, []),
        ({"live_markets": 2}, ["too_few_live_markets"]),
        ({"converged": False}, ["repair_not_converged"]),
    ],
)
def test_each_gate_fails_alone_at_its_limit(changed: dict[str, Any], expected: list[str]) -> None:
    assert reasons(**changed) == expected


def hundred_markets(covered: int) -> dict[str, Any]:
    """A ladder of 100 markets of which some have narrow quotes and the rest have 30 cents between bid and ask."""
    markets = thresholds([1000.0 * i for i in range(100)], event="KXPAYROLLS-26JUN")
    values = [round(0.80 - 0.006 * i, 4) for i in range(100)]
    quotes = around(markets, values)
    for row, value in zip(markets[covered:], values[covered:], strict=True):
        quotes[row["ticker"]] = (round(value - 0.15, 4), round(value + 0.15, 4))
    return snapshot(markets, quotes)


def test_coverage_of_eighty_in_a_hundred_passes_and_of_seventy_nine_fails() -> None:
    passed, failed = hundred_markets(80), hundred_markets(79)
    assert (passed["coverage"], passed["gate_reasons"]) == (0.80, [])
    assert (failed["coverage"], failed["gate_reasons"]) == (0.79, ["coverage_low"])
    assert passed["mean"] is not None
    assert failed["mean"] is None


STRIKES, VALUES = [3.0, 3.1, 3.2, 3.3, 3.4], [0.9, 0.7, 0.5, 0.3, 0.1]
OPEN_COVERAGE = replace(RULES, min_coverage=0.0, min_live_markets=0)


def ladder(half: float = 0.01, **more: Any) -> dict[str, Any]:
    """A CPI ladder of five markets a week before its close."""
    markets = thresholds(STRIKES)
    return snapshot(markets, around(markets, VALUES, half), **more)


def test_age_at_the_cutoff_passes_and_above_it_fails() -> None:
    # A week ahead: 60 min, times 0.80 for CPI; neither thin nor deep.
    cutoff = timedelta(minutes=48)
    at, above = ladder(age=cutoff), ladder(age=cutoff + timedelta(seconds=1), rules=OPEN_COVERAGE)
    assert (at["stale_cutoff_seconds"], at["median_age_seconds"]) == (2880.0, 2880.0)
    assert at["gate_reasons"] == []
    assert above["gate_reasons"] == ["age_stale"]
    assert "stale_quotes" in above["flags"]


def test_the_median_of_ages_is_judged_not_the_oldest() -> None:
    tables = ladders_of(thresholds(STRIKES))
    rows = observe(tables, around(thresholds(STRIKES), VALUES))
    rows[0]["available_ts"] -= timedelta(days=3)
    (row,) = computed(tables, rows).distributions.to_pylist()
    assert row["gate_reasons"] == []
    assert row["max_age_seconds"] == 60.0 + 3 * 86_400
    assert row["median_age_seconds"] == 60.0


def test_a_quote_older_than_its_cutoff_covers_nothing() -> None:
    tables = ladders_of(thresholds(STRIKES))
    for late, coverage in ((timedelta(0), 1.0), (timedelta(seconds=1), 0.8)):
        rows = observe(tables, around(thresholds(STRIKES), VALUES))
        rows[0]["available_ts"] = rows[0]["asof"] - timedelta(minutes=48) - late
        (row,) = computed(tables, rows).distributions.to_pylist()
        assert (row["coverage"], row["n_live"]) == (coverage, round(5 * coverage))


def test_ages_are_judged_unfiltered_so_the_gate_can_fire() -> None:
    row = ladder(age=timedelta(days=2))
    assert {"age_stale", "coverage_low", "too_few_live_markets"} <= set(row["gate_reasons"])
    assert row["n_quoted"] == 5


def test_a_median_spread_of_a_quarter_fails_and_just_less_passes() -> None:
    assert ladder(half=0.125, rules=OPEN_COVERAGE)["gate_reasons"] == ["spread_wide"]
    assert ladder(half=0.1245, rules=OPEN_COVERAGE)["gate_reasons"] == []


def test_without_any_quoted_side_the_spread_is_unknown_and_fails() -> None:
    markets = thresholds(STRIKES)
    empty: dict[str, Quote] = {row["ticker"]: (None, None) for row in markets}
    row = snapshot(markets, empty, rules=OPEN_COVERAGE)
    assert row["gate_reasons"] == ["spread_unknown"]
    assert row["median_spread"] is None


def test_without_any_quote_age_and_spread_are_unknown_and_fail() -> None:
    row = snapshot(thresholds(STRIKES), {})
    assert {"age_unknown", "spread_unknown", "coverage_low", "too_few_live_markets"} == set(row["gate_reasons"])
    assert (row["quote_kind"], row["latest_available_ts"], row["max_age_seconds"]) == (None, None, None)


def test_no_quote_counts_as_a_spread_of_one_dollar() -> None:
    markets = thresholds(STRIKES)
    row = snapshot(markets, around(markets[:2], VALUES[:2]))
    assert row["median_spread"] == 1.0


@pytest.mark.parametrize(("overlap", "expected"), [(0.10, []), (0.1002, ["arbitrage"])])
def test_arbitrage_is_judged_net_of_fees_at_its_limit(overlap: float, expected: list[str]) -> None:
    # Without fees the depth is half the overlap of the two books.
    markets = thresholds(STRIKES)
    quotes = around(markets, VALUES)
    quotes[markets[2]["ticker"]] = (0.49, 0.50)
    quotes[markets[3]["ticker"]] = (round(0.50 + overlap, 4), round(0.51 + overlap, 4))
    assert snapshot(markets, quotes, rules=replace(RULES, fee_rate=0.0))["gate_reasons"] == expected
    assert snapshot(markets, quotes)["arbitrage_depth_net"] < overlap / 2


def test_a_depth_that_fees_eat_up_is_no_arbitrage() -> None:
    markets = thresholds(STRIKES)
    quotes = around(markets, VALUES)
    quotes[markets[2]["ticker"]], quotes[markets[3]["ticker"]] = (0.49, 0.50), (0.63, 0.64)
    row = snapshot(markets, quotes)
    assert row["arbitrage_depth"] == pytest.approx(0.065)
    assert row["arbitrage_depth_net"] == pytest.approx((0.63 - 0.07 * 0.63 * 0.37 - 0.50 - 0.07 * 0.25) / 2)
    assert row["gate_reasons"] == []


def test_a_guessed_direction_publishes_no_moments() -> None:
    markets = [market(f"T{strike}", event="CPI-26JUN", series="CPI") for strike in STRIKES]
    row = snapshot(markets, around(markets, VALUES))
    assert (row["confidence"], row["gate_reasons"]) == ("low", ["direction_unresolved"])
    assert row["mean"] is None


def test_two_markets_are_too_few() -> None:
    markets = thresholds(STRIKES[:2])
    row = snapshot(markets, around(markets, VALUES[:2]))
    assert row["gate_reasons"] == ["too_few_live_markets"]


def test_a_market_without_a_bid_and_a_cent_of_ask_is_covered_and_an_almost_empty_book_is_not() -> None:
    markets = thresholds(STRIKES)
    quotes = around(markets, VALUES)
    quotes[markets[4]["ticker"]] = (None, 0.01)
    row = snapshot(markets, quotes)
    assert (row["coverage"], row["two_sided_share"]) == (1.0, 0.8)
    quotes[markets[4]["ticker"]] = (None, 0.99)
    assert snapshot(markets, quotes)["coverage"] == 0.8


def test_what_failed_is_kept_with_its_cells_and_bounds_and_publishes_nothing_else() -> None:
    row = ladder(age=timedelta(days=2))
    assert row["hard_gate_failed"]
    assert row["quality_low"]
    assert [name for name in WITHHELD if row[name] is not None] == []
    assert len(row["cells"]) == 6
    assert sum(cell["probability"] for cell in row["cells"]) == pytest.approx(1.0, abs=1e-12)
    assert row["mean_low"] is not None
    assert row["mean_high"] is not None
    assert row["mean_low"] < row["mean_high"]


def test_what_passed_publishes_everything() -> None:
    markets = thresholds(STRIKES)
    row = snapshot(markets, around(markets, [0.97, 0.7, 0.5, 0.3, 0.03]))
    assert not row["hard_gate_failed"]
    assert not row["quality_low"]
    assert [name for name in WITHHELD if row[name] is None and not name.endswith("_edge")] == []
    assert row["mean_low"] <= row["mean"] <= row["mean_high"]
