"""One belief gives one distribution, however its markets are worded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.distribution_kit import around, buckets, market, snapshot, thresholds

pytestmark = pytest.mark.unit

#: Values between the cuts of every wording below: cuts at 2.95, 3.05, ... on a grid of 0.1.
STRIKES = [2.9, 3.0, 3.1, 3.2, 3.3]
NUMBERS = (
    "mean",
    "variance",
    "std",
    "skew",
    "excess_kurtosis",
    "entropy",
    "entropy_atoms",
    "median",
    "q05",
    "q25",
    "q75",
    "q95",
    "iqr",
    "mass_below",
    "mass_above",
)


def worded(masses: list[float], wording: str) -> dict[str, Any]:
    """The snapshot of masses on the cells between 2.95, 3.05, ..., 3.35, quoted a cent wide in one wording."""
    survival = [round(sum(masses[i + 1 :]), 6) for i in range(len(STRIKES))]
    exclusive = wording == "between"
    if wording == "greater":
        markets, values = thresholds(STRIKES), survival
    elif wording == "less_or_equal":
        markets, values = thresholds(STRIKES, strike_type="less_or_equal"), [1 - s for s in survival]
    elif wording == "greater and less":
        up = thresholds(STRIKES[::2])
        down = [market(f"L{strike}", "less", None, strike) for strike in (3.1, 3.3)]
        markets, values = [*up, *down], [*survival[::2], 1 - survival[1], 1 - survival[3]]
    elif wording == "between":
        markets = buckets(3.0, [(x, x) for x in (3.0, 3.1, 3.2, 3.3)], 3.3, exclusive=exclusive)
        values = masses
    else:
        markets = [*thresholds([2.9, 3.1, 3.3]), *(market(f"B{x}", "between", x, x) for x in (3.0, 3.2, 3.3))]
        values = [survival[0], survival[2], survival[4], masses[1], masses[3], masses[4]]
    return snapshot(markets, around(markets, [round(value, 6) for value in values], half=0.005))


WORDINGS = ("less_or_equal", "greater and less", "between", "mixed")


@pytest.mark.parametrize("wording", WORDINGS)
def test_the_same_belief_on_the_same_cuts_gives_the_same_numbers(wording: str) -> None:
    masses = [0.05, 0.15, 0.30, 0.25, 0.15, 0.10]
    reference, other = worded(masses, "greater"), worded(masses, wording)
    assert not reference["hard_gate_failed"]
    assert not other["hard_gate_failed"]
    for name in NUMBERS:
        assert other[name] == pytest.approx(reference[name], abs=1e-12), name
    assert other["tail_probabilities"] == pytest.approx(reference["tail_probabilities"], abs=1e-12)


@pytest.mark.parametrize("wording", ["less_or_equal", "greater and less"])
def test_half_lines_worded_either_way_give_the_same_doubles(wording: str) -> None:
    masses = [0.05, 0.15, 0.30, 0.25, 0.15, 0.10]
    reference, other = worded(masses, "greater"), worded(masses, wording)
    assert [cell["probability"] for cell in other["cells"]] == [cell["probability"] for cell in reference["cells"]]
    assert [other[name] for name in NUMBERS] == [reference[name] for name in NUMBERS]


@given(weights=st.lists(st.integers(2, 30), min_size=6, max_size=6), wording=st.sampled_from(WORDINGS))
def test_any_belief_gives_the_same_cells_in_any_wording(weights: list[int], wording: str) -> None:
    masses = [round(weight / sum(weights), 3) for weight in weights]
    masses[-1] = round(1 - sum(masses[:-1]), 3)
    reference, other = worded(masses, "greater"), worded(masses, wording)
    assert [cell["probability"] for cell in other["cells"]] == pytest.approx(
        [cell["probability"] for cell in reference["cells"]], abs=1e-12
    )


def test_on_different_cuts_the_mean_agrees_within_half_a_step() -> None:
    centre, spread = 3.23, 0.12
    grid = np.round(np.arange(2.0, 4.5, 0.1), 1)
    belief = np.exp(-((grid - centre) ** 2) / (2 * spread**2))
    belief /= belief.sum()
    means = []
    for strikes in ([2.9, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5], [2.9, 3.1, 3.3, 3.5], [2.8, 3.0, 3.2, 3.4, 3.6]):
        markets = thresholds(strikes)
        values = [float(belief[grid > strike + 0.01].sum()) for strike in strikes]
        means.append(
            snapshot(markets, around(markets, [round(min(max(v, 0.006), 0.994), 4) for v in values], 0.005))["mean"]
        )
    assert max(means) - min(means) <= 0.05
