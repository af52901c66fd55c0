"""The proofs: honest code passes all of them, and every planted leak is caught by the one that is named for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kalshi_pipeline.distributions.asof import observations_as_of
from kalshi_pipeline.research.columns import instants, timestamps
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.proofs.fits import fits_learn_from_training_alone
from kalshi_pipeline.research.proofs.invariance import INVARIANCES, Trial, random_cuts
from kalshi_pipeline.research.proofs.run import audit, joins_agree, prove_cuts
from kalshi_pipeline.research.proofs.world import World
from kalshi_pipeline.warehouse.proving import joins_in_memory
from tests.unit.invented_events import HORIZONS as WEEKLY
from tests.unit.invented_events import Invented, invented
from tests.unit.planted_leaks import FIT_LEAKS, ROW_LEAKS, STEP_LEAKS, FitLeak, RowLeak, StepLeak
from tests.unit.proof_world import HORIZONS, STEPS, Proven, proof_world

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def proven() -> Proven:
    return proof_world()


@pytest.fixture(scope="module")
def cuts(proven: Proven) -> list[np.datetime64]:
    """Just after every horizon, just before every outcome: where a leak has to show if it is there."""
    anchors = instants(proven.world.releases, "anchor_ts")
    after = [anchor - np.timedelta64(minutes - 20, "m") for anchor in anchors for minutes in HORIZONS]
    before = [moment - np.timedelta64(2, "m") for moment in instants(proven.world.outcomes, "learned_at")]
    found = [*after, *before]
    return [found[place] for place in np.random.default_rng(1).permutation(len(found))]


@pytest.fixture(scope="module")
def events() -> tuple[Invented, pa.Table]:
    made = invented(90, seed=1)
    return made, build_folds(made.labels, FoldRules(WEEKLY, min_train_groups=50, test_groups=30)).table


def test_at_least_thirty_leaks_are_planted_and_each_has_a_name_of_its_own() -> None:
    names = [leak.name for leak in (*STEP_LEAKS, *ROW_LEAKS, *FIT_LEAKS)]
    assert len(names) == len(set(names)) >= 30
    assert {leak.proof for leak in STEP_LEAKS} >= set(INVARIANCES) - {"history length"}


def test_honest_steps_pass_every_proof(proven: Proven) -> None:
    results = prove_cuts(proven.world, 5, seed=3, steps=STEPS, stored=proven.tables["distributions"])
    assert {result.name for result in results} == {*INVARIANCES, "as-of joins", "stored rows"}
    assert [result.text() for result in results if not result.passed] == []
    assert all(result.trials == 5 for result in results)


def test_honest_rows_pass_every_audit(proven: Proven) -> None:
    assert [result.text() for result in audit(proven.tables) if not result.passed] == []


def test_honest_fits_learn_from_training_alone(events: tuple[Invented, pa.Table]) -> None:
    made, folds = events
    assert fits_learn_from_training_alone(made.panel, made.labels, folds, made.cases) == []


@pytest.mark.parametrize("leak", STEP_LEAKS, ids=lambda leak: leak.name)
def test_a_leak_in_a_step_is_caught(proven: Proven, cuts: list[np.datetime64], leak: StepLeak) -> None:
    proof = {**INVARIANCES, "as-of joins": lambda trial, _: joins_agree(trial)}[leak.proof]
    rng = np.random.default_rng(2)
    assert any(proof(Trial.at(proven.world, cut, leak.steps, ladders=3), rng) for cut in cuts)


@pytest.mark.parametrize("leak", ROW_LEAKS, ids=lambda leak: leak.name)
def test_a_leak_in_stored_rows_is_caught(proven: Proven, leak: RowLeak) -> None:
    results = {result.name: result for result in audit(leak.plant(proven.tables))}
    assert not results[leak.audit].passed
    assert results[leak.audit].failures


@pytest.mark.parametrize("leak", FIT_LEAKS, ids=lambda leak: leak.name)
def test_a_leak_in_a_fit_is_caught(events: tuple[Invented, pa.Table], leak: FitLeak) -> None:
    made, folds = events
    assert fits_learn_from_training_alone(made.panel, made.labels, folds, made.cases, leak.fits)


def test_stored_rows_that_are_not_what_was_known_are_told(proven: Proven) -> None:
    made = proven.tables["distributions"]
    at = made.column_names.index("mean")
    wrong = made.set_column(at, "mean", pa.array([value and value + 1e-9 for value in made["mean"].to_pylist()]))
    results = {result.name: result for result in prove_cuts(proven.world, 2, seed=1, steps=STEPS, stored=wrong)}
    assert not results["stored rows"].passed
    assert "mean of" in results["stored rows"].text()


def test_a_result_that_leans_on_quotes_of_long_ago_is_told(proven: Proven) -> None:
    """The proof of the length of history, on a join that counts every quote there ever was."""

    def counted(world: World, wanted: pa.Table) -> pa.Table:
        known = STEPS.join(world, wanted)
        count = pa.array([float(len(world.quotes))] * len(known))
        return known.set_column(known.column_names.index("volume"), "volume", count)

    cut = instants(proven.world.releases, "anchor_ts").max()
    last = Trial.at(proven.world, cut, replace(STEPS, join=counted), ladders=1)
    quotes = proven.world.quotes
    own = quotes.filter(pc.starts_with(quotes["ticker"], last.ladders[0].as_py())).slice(0, 1)
    long_ago = timestamps(instants(own, "available_ts") - np.timedelta64(90, "D"))
    old = own.set_column(own.column_names.index("available_ts"), "available_ts", long_ago)
    trial = Trial.at(replace(proven.world, quotes=pa.concat_tables([old, quotes])), cut, last.steps, ladders=1)
    assert INVARIANCES["history length"](trial, np.random.default_rng(1))


def test_the_joins_of_the_warehouse_give_what_a_search_through_rows_gives(proven: Proven) -> None:
    world = proven.world
    old = timestamps(instants(world.quotes, "available_ts") - np.timedelta64(6 * 24 + 12, "h"))
    aged = replace(world, quotes=world.quotes.set_column(1, "available_ts", old))
    with joins_in_memory() as joins:
        steps = replace(
            STEPS,
            join=lambda world, wanted: observations_as_of(world.legs, wanted, joins.quotes(world.quotes, world.legs)),
            activity=lambda world, wanted, hours: joins.activity(world.quotes, world.legs, wanted, hours),
        )
        cut = instants(world.releases, "anchor_ts").max()
        for some in (world, aged):
            assert joins_agree(Trial.at(some, cut, steps)) == []
        assert INVARIANCES["partitions"](Trial.at(aged, cut, steps), np.random.default_rng(1)) == []
        told = [result.text() for result in prove_cuts(world, 1, seed=3, steps=steps) if not result.passed]
        assert told == []


def test_cuts_fall_anywhere_after_horizons_and_before_outcomes(proven: Proven) -> None:
    drawn = random_cuts(proven.world, 300, HORIZONS, np.random.default_rng(1))
    anchors = instants(proven.world.releases, "anchor_ts")
    assert len(drawn) == len(set(drawn)) == 300
    horizons = np.concatenate([anchors - np.timedelta64(minutes, "m") for minutes in HORIZONS])
    late = np.array(drawn)[:, None] - horizons[None, :]
    just_after = ((late >= np.timedelta64(0, "h")) & (late < np.timedelta64(1, "h"))).any(axis=1)
    assert 80 < just_after.sum() < 220
    nothing = replace(proven.world, releases=proven.world.releases.slice(0, 0))
    assert random_cuts(nothing, 5, HORIZONS, np.random.default_rng(1)) == []


@pytest.mark.slow
def test_a_thousand_cuts_leave_no_result_that_looked_ahead() -> None:
    for seed in range(4):
        world = proof_world(seed=seed).world
        chosen = {name: INVARIANCES[name] for name in ("truncation", "future poison")}
        results = prove_cuts(world, 250, seed=seed, steps=STEPS, proofs=chosen)
        assert [(result.trials, result.failed) for result in results] == [(250, 0), (250, 0)]
