"""A market pays on the grid points its raw strike admits; its edges lie half a step outside them."""

from __future__ import annotations

from decimal import Decimal
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.ladders.grid import Grid, infer_step

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("step", "strike_type", "low", "high", "expected"),
    [
        (0.1, "greater", 0.3, None, (0.35, inf)),
        (0.1, "greater_or_equal", 0.3, None, (0.25, inf)),
        (0.1, "less", None, 0.3, (-inf, 0.25)),
        (0.1, "less_or_equal", None, 0.3, (-inf, 0.35)),
        (1, "between", 68.0, 69.0, (67.5, 69.5)),
        (1, "greater", 73.0, None, (73.5, inf)),
        (1, "less", None, 62.0, (-inf, 61.5)),
        (0.01, "between", 50700.0, 50799.99, (50699.995, 50799.995)),
        (0.25, "greater", 4.25, None, (4.375, inf)),
        (1000, "greater", 352999.0, None, (352500.0, inf)),
        (1000, "greater", -1.0, None, (-500.0, inf)),
        (1000, "greater", -100001.0, None, (-100500.0, inf)),
        (1000, "greater", 250000.0, None, (250500.0, inf)),
        (0.1, "greater", 4.099999, None, (4.05, inf)),
        (0.1, "less", None, 4.099999, (-inf, 4.05)),
        (0.1, "greater", -0.1, None, (-0.05, inf)),
        (None, "greater", 0.3, None, (0.3, inf)),
        (None, "between", 1.0, 2.0, (1.0, 2.0)),
    ],
)
def test_edges(
    step: float | None, strike_type: str, low: float | None, high: float | None, expected: tuple[float, float]
) -> None:
    assert Grid.of(step).payoff(strike_type, low, high) == expected


def test_float_noise_is_snapped_and_nothing_else() -> None:
    grid = Grid.of(0.1)
    assert grid.payoff("greater", 0.1 + 0.2, None) == (0.35, inf)
    assert grid.payoff("greater", 0.3 - 1e-9, None) == (0.35, inf)
    assert grid.payoff("greater", 0.3 - 1e-5, None) == (0.25, inf)


def test_a_range_that_holds_no_grid_point_never_pays() -> None:
    low, high = Grid.of(0.1).payoff("between", 3.02, 3.08)
    assert low >= high


def test_a_missing_strike_or_a_type_without_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a cap_strike"):
        Grid.of(1).payoff("between", 1.0, None)
    with pytest.raises(ValueError, match="not numeric"):
        Grid.of(1).payoff("structured", 1.0, None)


@given(
    step=st.sampled_from(["0.01", "0.1", "0.25", "1", "5", "1000"]),
    strike=st.integers(-400, 400),
    offset=st.sampled_from(["0", "0.3", "-0.3", "0.001"]),
    strike_type=st.sampled_from(["greater", "greater_or_equal", "less", "less_or_equal"]),
    point=st.integers(-410, 410),
)
def test_every_grid_point_is_inside_the_interval_iff_the_exact_comparison_says_yes(
    step: str, strike: int, offset: str, strike_type: str, point: int
) -> None:
    exact_strike = (Decimal(strike) + Decimal(offset)) * Decimal(step)
    value = Decimal(point) * Decimal(step)
    pays = {
        "greater": value > exact_strike,
        "greater_or_equal": value >= exact_strike,
        "less": value < exact_strike,
        "less_or_equal": value <= exact_strike,
    }[strike_type]
    floored = strike_type.startswith("greater")
    low, high = Grid.of(float(step)).payoff(
        strike_type, float(exact_strike) if floored else None, None if floored else float(exact_strike)
    )
    assert (low <= float(value) < high) == pays


@pytest.mark.parametrize(
    ("buckets", "step"),
    [
        ([(68, 69), (70, 71), (72, 73)], 1.0),
        ([(50700, 50799.99), (50800, 50899.99)], 0.01),
        ([(3, 3), (4, 4)], 1.0),
        ([(1.0, 1.4), (1.5, 1.9)], 0.1),
        ([(1, 2), (2, 3)], None),
        ([(68, 69), (72, 73)], None),
        ([(68, 69)], None),
        ([], None),
    ],
)
def test_the_step_of_an_unknown_series_is_what_neighbouring_buckets_leave_out(
    buckets: list[tuple[float, float]], step: float | None
) -> None:
    assert infer_step(buckets) == step
