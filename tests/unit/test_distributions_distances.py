"""Distances between distributions agree with their definitions on every atom, and say why where there are none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, wasserstein_distance

from kalshi_pipeline.distributions.changes import REASONS, distances
from kalshi_pipeline.distributions.common_cells import common_cuts, spread
from kalshi_pipeline.distributions.distances import EPSILON, jensen_shannon, kullback_leibler, wasserstein
from kalshi_pipeline.distributions.lags import LAGS, Lag, earlier
from kalshi_pipeline.distributions.tables import DISTANCE_SCHEMA, SnapshotTables
from kalshi_pipeline.distributions.tails import TailRule, cell_shapes, tail_atoms
from kalshi_pipeline.ladders.tables import LadderTables
from kalshi_pipeline.schemas import distributions as stored
from tests.unit.distribution_kit import ASOF, around, computed, ladders_of, observe, thresholds

pytestmark = pytest.mark.unit

Floats = Any
STEP = 0.1
RULE = TailRule(STEP, 0.45, -2.0, 6.0)
CUTS = np.array([0.05, 0.25, 0.35, 0.95, 1.55])
MASSES = st.lists(st.integers(0, 50), min_size=6, max_size=6).filter(any).map(lambda w: np.array(w) / sum(w))


def atoms(mass: Floats, cuts: Floats, rule: TailRule = RULE) -> tuple[Floats, Floats]:
    """Every atom of a distribution on a grid with its mass, one by one."""
    places, masses = [], []
    for cell, q in enumerate(mass):
        if 0 < cell < cuts.size:
            own = np.arange(cuts[cell - 1] + rule.step / 2, cuts[cell], rule.step)
            share = np.full(own.size, 1 / own.size)
        else:
            own, share = tail_atoms(cuts, rule, -1.0 if cell == 0 else 1.0)
        places.append(own)
        masses.append(q * share)
    return np.concatenate(places), np.concatenate(masses)


def one(measure: Any, p: Floats, q: Floats, *more: Any) -> float:
    return float(measure(p[None, :], q[None, :], *more)[0])


@given(MASSES, MASSES)
def test_divergences_are_those_of_scipy(p: Floats, q: Floats) -> None:
    assert one(kullback_leibler, p, q) == pytest.approx(entropy(p + EPSILON, q + EPSILON), abs=1e-10)
    assert one(jensen_shannon, p, q) == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-12)


@given(MASSES, MASSES)
def test_wasserstein_is_that_of_scipy_on_every_atom(p: Floats, q: Floats) -> None:
    x, a = atoms(p, CUTS)
    y, b = atoms(q, CUTS)
    got = one(wasserstein, p, q, CUTS, cell_shapes(CUTS, *RULE))
    assert got == pytest.approx(wasserstein_distance(x, y, a, b), abs=1e-12)


def test_wasserstein_crosses_zero_inside_a_cell_of_many_grid_points() -> None:
    """A wide cell between narrow ones: the distribution functions cross in its middle."""
    cuts = np.array([-0.005, 0.095, 3.095, 3.195])
    rule = TailRule(0.01, 0.45, -1.0, 5.0)
    p, q = np.array([0.0, 0.6, 0.2, 0.2, 0.0]), np.array([0.0, 0.3, 0.7, 0.0, 0.0])
    x, a = atoms(p, cuts, rule)
    y, b = atoms(q, cuts, rule)
    got = one(wasserstein, p, q, cuts, cell_shapes(cuts, *rule))
    assert got == pytest.approx(wasserstein_distance(x, y, a, b), abs=1e-12)


def test_without_a_grid_wasserstein_is_the_integral_between_uniform_cells() -> None:
    cuts = np.array([0.0, 2.0, 3.0])
    p, q = np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 0.0])
    assert one(wasserstein, p, q, cuts, cell_shapes(cuts, None, 0.45, None, None)) == pytest.approx(1.5)


@given(MASSES, MASSES)
def test_wasserstein_is_never_less_than_the_distance_of_the_means(p: Floats, q: Floats) -> None:
    shapes = cell_shapes(CUTS, *RULE)
    assert one(wasserstein, p, q, CUTS, shapes) >= abs(float((p - q) @ shapes.centre)) - 1e-12


@given(MASSES, st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any))
def test_states_with_other_cuts_are_compared_on_their_common_cells(p: Floats, weights: list[int]) -> None:
    """The later ladder has cuts beyond and between those of the earlier one, which has some of its own."""
    q, other = np.array(weights) / sum(weights), np.array([0.25, 0.55, 2.15])
    cuts = common_cuts(CUTS, other, RULE)
    onto_p, onto_q = p @ spread(CUTS, cuts, RULE), q @ spread(other, cuts, RULE)
    x, a = atoms(p, CUTS)
    y, b = atoms(q, other)
    assert onto_p.sum() == pytest.approx(1.0, abs=1e-12)
    assert onto_q.sum() == pytest.approx(1.0, abs=1e-12)
    got = one(wasserstein, onto_p, onto_q, cuts, cell_shapes(cuts, *RULE))
    assert got == pytest.approx(wasserstein_distance(x, y, a, b), abs=1e-9)
    steps = np.rint(np.concatenate([x, y]) / STEP).astype(int)
    grid = np.unique(steps)
    on_p, on_q = np.zeros(grid.size), np.zeros(grid.size)
    np.add.at(on_p, np.searchsorted(grid, steps[: x.size]), a)
    np.add.at(on_q, np.searchsorted(grid, steps[x.size :]), b)
    assert one(jensen_shannon, onto_p, onto_q) == pytest.approx(jensenshannon(on_p, on_q) ** 2, abs=1e-9)


def test_common_cells_of_equal_cuts_are_these_cells() -> None:
    assert common_cuts(CUTS, CUTS + 1e-12, RULE).tolist() == CUTS.tolist()
    assert spread(CUTS, CUTS, RULE) == pytest.approx(np.eye(CUTS.size + 1))


def test_the_earlier_snapshot_is_the_latest_at_least_a_lag_and_at_most_the_gap_before() -> None:
    minutes = np.array([0, 10, 59, 61, 70, 136, 0, 60])
    ladder = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    passed = np.array([True, False, True, True, True, True, True, True])
    found, gated = earlier(ladder, minutes * 60_000_000, passed, Lag(60, 15))
    # 61 goes back to 0; 70 reaches the gated 10 and falls back to 0; 136 finds 70 and 61 but takes the latest, 70.
    assert found.tolist() == [-1, -1, -1, 0, 0, 4, -1, 6]
    assert not gated.any()
    found, gated = earlier(ladder, minutes * 60_000_000, np.array([False, *passed[1:]]), Lag(60, 15))
    assert found.tolist() == [-1, -1, -1, -1, -1, 4, -1, 6]
    assert gated.tolist() == [False, False, False, True, True, False, False, False]


def test_a_snapshot_older_than_the_gap_counts_as_none() -> None:
    for minutes, found in ((75, 0), (76, -1)):
        instants = np.array([0, minutes]) * 60_000_000
        assert earlier(np.zeros(2, dtype=np.int64), instants, np.ones(2, dtype=bool), Lag(60, 15))[0][1] == found


STRIKES = [2.8, 3.0, 3.2, 3.4]
EARLY, LATE = [0.9, 0.7, 0.4, 0.1], [0.95, 0.8, 0.6, 0.3]


def looks(
    *, late_age: timedelta | None = None, early_age: timedelta | None = None
) -> tuple[LadderTables, SnapshotTables]:
    """A ladder a day ago, an hour ago and now."""
    markets = thresholds(STRIKES)
    tables = ladders_of(markets)
    rows = [
        *observe(tables, around(markets, EARLY), ASOF - timedelta(days=1)),
        *observe(tables, around(markets, EARLY), ASOF - timedelta(hours=1), age=early_age),
        *observe(tables, around(markets, LATE), ASOF, age=late_age),
    ]
    return tables, computed(tables, rows)


def rows_of(tables: LadderTables, made: SnapshotTables) -> list[dict[str, Any]]:
    passed = {(row["ladder_id"], row["asof"]) for row in made.distributions.to_pylist() if not row["hard_gate_failed"]}
    cells = [row for row in made.cells.to_pylist() if (row["ladder_id"], row["asof"]) in passed]
    table = distances(
        tables.ladders, made.distributions, pa.Table.from_pylist(cells, schema=made.cells.schema), [ASOF.date()]
    )
    return [row for row in table.to_pylist() if row["asof"] == ASOF]


def test_a_row_says_how_far_the_ladder_moved_since_which_snapshot() -> None:
    tables, made = looks()
    day, hour = rows_of(tables, made)
    assert (day["lag"], hour["lag"]) == ("1d", "1h")
    assert (day["earlier_asof"], hour["earlier_asof"]) == (ASOF - timedelta(days=1), ASOF - timedelta(hours=1))
    assert hour["gap_seconds"] == 0 and hour["reason"] is None
    mean = {row["asof"]: row["mean"] for row in made.distributions.to_pylist()}
    assert hour["mean_change"] == pytest.approx(mean[ASOF] - mean[hour["earlier_asof"]], abs=1e-12)
    # Every survival value rose, so all mass moved up: the way is the distance of the means.
    assert hour["wasserstein"] == pytest.approx(hour["mean_change"], abs=1e-9)
    mass = {asof: [c["probability"] for c in made.cells.to_pylist() if c["asof"] == asof] for asof in mean}
    now, then = np.array(mass[ASOF]), np.array(mass[hour["earlier_asof"]])
    assert hour["kl"] == pytest.approx(entropy(now + EPSILON, then + EPSILON), abs=1e-10)
    assert hour["js"] == pytest.approx(jensenshannon(now, then) ** 2, abs=1e-12)
    assert all(day[name] == hour[name] for name in ("kl", "js", "wasserstein", "mean_change"))


@pytest.mark.parametrize(
    ("ages", "reasons"),
    [
        ({"late_age": timedelta(hours=5)}, ["gated", "gated"]),
        ({"early_age": timedelta(hours=5)}, [None, "earlier_gated"]),
    ],
)
def test_what_failed_a_gate_has_no_distance_on_either_end(
    ages: dict[str, timedelta], reasons: list[str | None]
) -> None:
    rows = rows_of(*looks(**ages))
    assert [row["reason"] for row in rows] == reasons
    for row in rows:
        measures = [row[name] for name in ("kl", "js", "wasserstein", "mean_change", "earlier_asof", "gap_seconds")]
        assert all((value is None) == (row["reason"] is not None) for value in measures)


def test_a_first_snapshot_says_that_there_is_none_before_it() -> None:
    tables, made = looks()
    table = distances(tables.ladders, made.distributions, made.cells, [ASOF.date() - timedelta(days=1)])
    assert [row["reason"] for row in table.to_pylist()] == ["no_earlier_snapshot"] * 2


def test_a_market_listed_within_the_hour_does_not_hide_the_move() -> None:
    markets = [*thresholds(STRIKES), *thresholds([3.6], spec_known_at=ASOF - timedelta(minutes=5))]
    tables = ladders_of(markets)
    rows = [
        *observe(tables, around(markets[:-1], EARLY), ASOF - timedelta(hours=1)),
        *observe(tables, around(markets, [*LATE, 0.1]), ASOF),
    ]
    made = computed(tables, rows)
    assert made.distributions["n_cells"].to_pylist() == [5, 6]
    hour = rows_of(tables, made)[1]
    assert hour["wasserstein"] >= hour["mean_change"] - 1e-9 > 0.1


def test_a_passed_snapshot_without_its_cells_is_an_error() -> None:
    tables, made = looks()
    with pytest.raises(ValueError, match="needs its cells"):
        distances(tables.ladders, made.distributions, made.cells.slice(0, 5), [ASOF.date()])


def test_without_snapshots_there_are_no_rows() -> None:
    tables, made = looks()
    table = distances(tables.ladders, made.distributions.slice(0, 0), made.cells.slice(0, 0), [ASOF.date()])
    assert table.num_rows == 0
    assert table.schema == DISTANCE_SCHEMA


def test_the_table_has_the_columns_lags_and_reasons_of_the_stored_table() -> None:
    assert DISTANCE_SCHEMA.names == list(stored.DISTRIBUTION_DISTANCES.columns)
    assert tuple(LAGS) == stored.LAGS
    assert stored.DISTANCE_REASONS == REASONS
