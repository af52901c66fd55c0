"""Violations are counted on raw mids in the direction each market is worded, and recounted on what is published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kalshi_pipeline.distributions.violations import violations_after
from tests.unit.distribution_kit import around, buckets, market, snapshot, thresholds

pytestmark = pytest.mark.unit

STRIKES = [3.0, 3.1, 3.2, 3.3]


def before(markets: list[dict[str, Any]], values: list[float]) -> tuple[int, float, float]:
    """Number, sum and renormalisation delta of the violations of mids."""
    row = snapshot(markets, around(markets, values, 0.005))
    assert row["violations_post"] == 0
    return row["violations_pre"], row["violation_magnitude"], row["renormalisation_delta"]


@pytest.mark.parametrize(
    ("strike_type", "values", "number", "size"),
    [
        ("greater", [0.8, 0.6, 0.4, 0.2], 0, 0.0),
        ("greater", [0.6, 0.6, 0.4, 0.4], 0, 0.0),
        ("greater", [0.6, 0.7, 0.4, 0.45], 2, 0.15),
        ("less", [0.2, 0.4, 0.6, 0.8], 0, 0.0),
        ("less", [0.2, 0.4, 0.3, 0.8], 1, 0.1),
    ],
)
def test_half_lines_must_not_grow_dearer_as_they_pay_less_often(
    strike_type: str, values: list[float], number: int, size: float
) -> None:
    assert before(thresholds(STRIKES, strike_type=strike_type), values) == (number, pytest.approx(size), 0.0)


@pytest.mark.parametrize(
    ("values", "number", "magnitude", "delta"),
    [
        ([0.2, 0.3, 0.3, 0.2], 0, 0.0, 0.0),
        ([0.2, 0.3, 0.4, 0.2], 1, 0.0, 0.1),
        ([0.2, 0.3, 0.3, 0.1], 1, 0.0, 0.1),
    ],
)
def test_buckets_that_are_all_priced_must_sum_to_one(
    values: list[float], number: int, magnitude: float, delta: float
) -> None:
    markets = buckets(62, [(62, 63), (64, 65)], 65, event="KXHIGHNY-26JUL14")
    assert before(markets, values) == (number, magnitude, pytest.approx(delta))


def test_buckets_that_are_not_all_priced_must_not_sum_to_more_than_one() -> None:
    markets = buckets(62, [(62, 63), (66, 67)], 67, event="KXHIGHNY-26JUL14")
    assert before(markets, [0.2, 0.2, 0.2, 0.2]) == (0, 0.0, 0.0)
    assert before(markets, [0.3, 0.3, 0.3, 0.2]) == (1, pytest.approx(0.1), 0.0)


def test_on_a_mixed_ladder_what_pays_less_often_must_not_be_dearer() -> None:
    markets = [*thresholds([3.0, 3.2]), market("B3.15", "between", 3.1, 3.2)]
    assert before(markets, [0.5, 0.3, 0.2]) == (0, 0.0, 0.0)
    assert before(markets, [0.5, 0.3, 0.6]) == (1, pytest.approx(0.1), 0.0)


def recount(probability: list[float], survival: list[float]) -> int:
    """Violations of one published ladder."""
    cells = np.array([0, len(probability)])
    return int(violations_after(cells, np.array(probability), np.array(survival))[0])


def test_the_recount_finds_every_kind_of_fault() -> None:
    assert recount([0.2, 0.5, 0.3], [1.0, 0.8, 0.3]) == 0
    assert recount([0.2, 0.5 + 1e-10, 0.3], [1.0, 0.8, 0.3]) == 0
    assert recount([-0.1, 0.8, 0.3], [1.0, 1.1, 0.3]) == 2  # a rising curve and the negative mass it means
    assert recount([0.2, 0.5, 0.4], [1.0, 0.8, 0.3]) == 2  # a mass that is not the step of the curve, a wrong sum
    assert recount([0.1, 0.5, 0.3], [0.9, 0.8, 0.3]) == 1  # a curve that does not begin at 1
