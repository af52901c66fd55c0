"""Moments, quantiles and tails are those of the mass on the grid's atoms, or of uniform cells without a grid."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from kalshi_pipeline.distributions.layout import Layouts, build_layouts
from kalshi_pipeline.distributions.moments import Moments, moments, quantiles, tail_probabilities
from kalshi_pipeline.distributions.tails import cell_shapes, convention
from tests.unit.distribution_kit import around, snapshot, thresholds

pytestmark = pytest.mark.unit

Floats = npt.NDArray[np.float64]
LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


def layout_of(cuts: list[float], **spec: Any) -> Layouts:
    """A threshold ladder of cuts."""
    ladder = {
        "mutually_exclusive": False,
        "grid_step": 0.1,
        "support_low": None,
        "support_high": None,
        "tail_ratio": 0.45,
        "tail_thresholds": [],
        **spec,
    }
    payoff = np.column_stack([np.array(cuts), np.full(len(cuts), np.inf)])
    return build_layouts([ladder], [payoff], [["high"] * len(cuts)])


def of(layouts: Layouts, masses: list[float]) -> Moments:
    """Moments of masses; the bands are the masses themselves."""
    q = np.array(masses, dtype=float)
    survival = q[::-1].cumsum()[::-1]
    return moments(layouts, np.array([0]), np.array([0, q.size]), q, survival, survival)


def atoms(
    cuts: list[float], masses: list[float], step: float, low: float, high: float, ratio: float = 0.45
) -> tuple[Floats, Floats]:
    """The grid points from ``low`` to ``high`` and their masses, written out one by one."""
    points = np.round(np.arange(round(low / step), round(high / step) + 1) * step, 10)
    mass = np.zeros(points.size)
    edges = [-np.inf, *cuts, np.inf]
    for cell, q in enumerate(masses):
        inside = (points > edges[cell]) & (points < edges[cell + 1])
        share = np.ones(inside.sum())
        if cell == 0:
            share = ratio ** np.arange(inside.sum())[::-1]
        if cell == len(masses) - 1:
            share = ratio ** np.arange(inside.sum(), dtype=float)
        mass[inside] += q * share / share.sum()
    return points, mass


CUTS, MASSES = [2.95, 3.05, 3.35, 3.45], [0.07, 0.2, 0.4, 0.21, 0.12]


def test_moments_on_a_grid_are_those_of_its_atoms() -> None:
    got = of(layout_of(CUTS, support_low=2.0, support_high=4.5), MASSES)
    x, p = atoms(CUTS, MASSES, 0.1, 2.0, 4.5)
    mean = p @ x
    variance = p @ (x - mean) ** 2
    assert got.mean[0] == pytest.approx(mean, abs=1e-12)
    assert got.variance[0] == pytest.approx(variance, abs=1e-12)
    assert got.skew[0] == pytest.approx(p @ (x - mean) ** 3 / variance**1.5, abs=1e-10)
    assert got.excess_kurtosis[0] == pytest.approx(p @ (x - mean) ** 4 / variance**2 - 3, abs=1e-10)
    assert got.entropy_atoms[0] == pytest.approx(-(p[p > 0] @ np.log(p[p > 0])), abs=1e-12)
    assert got.entropy[0] == pytest.approx(-(np.array(MASSES) @ np.log(MASSES)), abs=1e-12)


def test_a_cap_close_to_the_last_cut_truncates_the_tail_and_renormalises_it() -> None:
    got = of(layout_of(CUTS, support_low=2.8, support_high=3.6), MASSES)
    x, p = atoms(CUTS, MASSES, 0.1, 2.8, 3.6)
    assert p.sum() == pytest.approx(1)
    assert got.mean[0] == pytest.approx(p @ x, abs=1e-12)
    assert got.variance[0] == pytest.approx(p @ (x - p @ x) ** 2, abs=1e-12)


def test_without_caps_the_tail_goes_on_for_ever() -> None:
    got = of(layout_of(CUTS), MASSES)
    x, p = atoms(CUTS, MASSES, 0.1, -4.0, 10.0)
    assert got.mean[0] == pytest.approx(p @ x, abs=1e-12)
    assert got.variance[0] == pytest.approx(p @ (x - p @ x) ** 2, abs=1e-12)


def test_quantiles_are_grid_points_and_unknown_in_open_cells() -> None:
    layouts = layout_of(CUTS, support_low=2.0, support_high=4.5)
    value, edge = quantiles(layouts, np.array([0]), np.array([0, 5]), np.array(MASSES), LEVELS)
    x, p = atoms(CUTS, MASSES, 0.1, 2.0, 4.5)
    expected = x[np.searchsorted(p.cumsum(), LEVELS - 1e-12)]
    assert value[0] == pytest.approx([np.nan, *expected[1:5], np.nan, np.nan], nan_ok=True)
    assert edge[0] == pytest.approx([2.95, *[np.nan] * 4, 3.45, 3.45], nan_ok=True)


def test_a_level_reached_exactly_at_a_cut_stays_below_it() -> None:
    layouts = layout_of([2.95, 3.05])
    value, _ = quantiles(layouts, np.array([0]), np.array([0, 3]), np.array([0.1, 0.4, 0.5]), np.array([0.5]))
    assert value[0, 0] == pytest.approx(3.0)


def test_without_a_grid_cells_are_uniform_and_their_inner_variance_is_added() -> None:
    cuts, q = [0.0, 1.0, 3.0, 4.0], np.array([0.0, 0.25, 0.5, 0.25, 0.0])
    got = of(layout_of(cuts, grid_step=None), q.tolist())
    draws = [np.linspace(low, high, 20_001) for low, high in pairwise(cuts)]
    x = np.concatenate([(d[1:] + d[:-1]) / 2 for d in draws])
    p = np.repeat(q[1:-1] / 20_000, 20_000)
    mean = p @ x
    variance = p @ (x - mean) ** 2
    assert got.mean[0] == pytest.approx(mean, abs=1e-9)
    assert got.variance[0] == pytest.approx(variance, abs=1e-7)
    assert got.skew[0] == pytest.approx(p @ (x - mean) ** 3 / variance**1.5, abs=1e-6)
    assert got.excess_kurtosis[0] == pytest.approx(p @ (x - mean) ** 4 / variance**2 - 3, abs=1e-6)
    assert np.isnan(got.entropy_atoms[0])
    value, _ = quantiles(layout_of(cuts, grid_step=None), np.array([0]), np.array([0, 5]), q, LEVELS)
    assert value[0, 3] == pytest.approx(2.0)


def test_a_point_mass_has_no_skewness() -> None:
    got = of(layout_of([2.95, 3.05]), [0.0, 1.0, 0.0])
    assert (got.mean[0], got.variance[0]) == (pytest.approx(3.0), 0.0)
    assert np.isnan(got.skew[0])
    assert np.isnan(got.excess_kurtosis[0])


def test_bounds_of_the_mean_put_every_cell_on_its_outermost_value() -> None:
    got = of(layout_of(CUTS, support_low=2.0, support_high=4.5), MASSES)
    assert got.mean_low[0] == pytest.approx(np.array(MASSES) @ [2.0, 3.0, 3.1, 3.4, 3.5])
    assert got.mean_high[0] == pytest.approx(np.array(MASSES) @ [2.9, 3.0, 3.3, 3.4, 4.5])


def test_bounds_are_unknown_only_where_mass_may_lie_beyond_an_uncapped_edge() -> None:
    got = of(layout_of(CUTS, support_low=2.0), MASSES)
    assert np.isfinite(got.mean_low[0])
    assert np.isnan(got.mean_high[0])
    assert np.isfinite(of(layout_of(CUTS), [0.0, 0.3, 0.4, 0.3, 0.0]).mean_high[0])


def test_tail_probabilities_split_a_cell_by_its_grid_points_and_never_an_open_one() -> None:
    layouts = layout_of(CUTS, tail_thresholds=[2.9, 3.0, 3.1, 3.2, 3.3, 3.5, 3.6])
    q = np.array(MASSES)
    _, got = tail_probabilities(layouts, np.array([0]), np.array([0, 5]), q, q[::-1].cumsum()[::-1])
    expected = [np.nan, 0.93, 0.73, 0.33 + 0.4 * 2 / 3, 0.33 + 0.4 / 3, 0.12, np.nan]
    assert got == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_strike_beyond_a_cap_leaves_its_tail_one_atom() -> None:
    shapes = cell_shapes(np.array([2.95, 3.05]), 0.1, 0.45, 3.0, 10.0)
    assert (shapes.centre[0], shapes.variance[0]) == (pytest.approx(2.9), 0.0)
    assert shapes.least[0] == shapes.most[0] == pytest.approx(2.9)


def test_the_convention_is_spelled_out() -> None:
    assert (
        convention(0.1, 0.45, -3.0, 4.0) == "geometric 0.45 on grid atoms, truncated at the support cap below and above"
    )
    assert convention(None, 0.45, None, None) == "geometric 0.45 on atoms one typical cell apart, not truncated"


def published(survival: list[float], event: str = "KXCPIYOY-26JUN") -> dict[str, Any]:
    """The snapshot of a threshold ladder at 3.0, 3.1, ... with given survival values."""
    markets = thresholds([round(3.0 + 0.1 * i, 1) for i in range(len(survival))], event=event)
    return snapshot(markets, around(markets, survival, 0.005))


def test_with_registered_caps_a_heavy_tail_is_published_and_flagged() -> None:
    row = published([0.94, 0.6, 0.3, 0.08])
    assert row["variance"] is not None
    assert "outer_mass_high" in row["flags"]
    assert row["tail_dominated"] is True
    assert row["support_high"] == 25.0


def test_without_registered_caps_a_heavy_tail_withholds_variance_skew_and_kurtosis_but_not_the_mean() -> None:
    row = published([0.94, 0.6, 0.3, 0.08], event="KXNEW-26JUL14")
    assert row["mean"] is not None
    assert [row[name] for name in ("variance", "std", "skew", "excess_kurtosis")] == [None] * 4
    assert (row["mean_low"], row["mean_high"]) == (None, None)


def test_without_registered_caps_a_light_tail_withholds_nothing() -> None:
    row = published([0.975, 0.6, 0.3, 0.025], event="KXNEW-26JUL14")
    assert row["variance"] is not None


def test_the_mean_is_tail_dominated_only_above_a_tenth() -> None:
    assert published([0.95, 0.6, 0.3, 0.05])["tail_dominated"] is False
    assert published([0.949, 0.6, 0.3, 0.05])["tail_dominated"] is True
