"""Models, baselines and the scorecard on made-up events whose truth is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kalshi_pipeline.research.baselines import CLIMATOLOGY_LEAST, fair_mids, naive_mids, remembered, uniform_masses
from kalshi_pipeline.research.cases import Cases, build_cases
from kalshi_pipeline.research.evaluation import METHODS, RESULT_SCHEMA, evaluate, make_forecasts
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.history import History
from kalshi_pipeline.research.models.recalibration import (
    RECALIBRATION_SCHEMA,
    fit_recalibrations,
    recalibrated_masses,
)
from kalshi_pipeline.research.models.ridge import FIT_SCHEMA, PREDICTION_SCHEMA, fit_ridges
from kalshi_pipeline.research.panel import PANEL_SCHEMA
from kalshi_pipeline.research.scorecard import METRICS, SCORECARD_SCHEMA, build_scorecard
from kalshi_pipeline.research.single_markets import single_markets
from kalshi_pipeline.research.surprises import LABEL_WITH_SURPRISE_SCHEMA
from kalshi_pipeline.schemas import evaluation as schemas
from tests.unit.invented_events import CELL_SCHEMA, HORIZONS, LADDER_SCHEMA, QUOTE_SCHEMA, Invented, invented

pytestmark = pytest.mark.unit

RULES = FoldRules(HORIZONS)
EVENTS = 120


@pytest.fixture(scope="module")
def some() -> Invented:
    return invented(EVENTS, seed=1)


@pytest.fixture(scope="module")
def fitted(some: Invented) -> dict[str, Any]:
    folds, _ = build_folds(some.labels, RULES)
    fits, predictions = fit_ridges(some.panel, some.labels, folds)
    curves = fit_recalibrations(some.cases, folds)
    forecasts = make_forecasts(some.cases, some.labels, folds, curves, predictions)
    results = evaluate(some.cases, forecasts)
    card = build_scorecard(results, some.cases, forecasts)
    fitted = {"folds": folds, "fits": fits, "predictions": predictions, "curves": curves, "forecasts": forecasts}
    return {**fitted, "results": results, "card": card}


def test_the_tables_are_those_that_are_stored(fitted: dict[str, Any]) -> None:
    for table, rows, schema in (
        (schemas.RECALIBRATIONS, fitted["curves"], RECALIBRATION_SCHEMA),
        (schemas.RIDGE_FITS, fitted["fits"], FIT_SCHEMA),
        (schemas.RIDGE_PREDICTIONS, fitted["predictions"], PREDICTION_SCHEMA),
        (schemas.WALKFORWARD_RESULTS, fitted["results"], RESULT_SCHEMA),
        (schemas.SCORECARD, fitted["card"], SCORECARD_SCHEMA),
    ):
        assert len(rows) > 0 and rows.schema == schema
        assert list(table.columns) == schema.names
        table.frame_schema.validate(rows.to_pandas())
    assert tuple(schemas.METHODS) == METHODS


def test_every_baseline_is_scored_beside_the_market(fitted: dict[str, Any]) -> None:
    assert set(fitted["results"]["method"].to_pylist()) == set(METHODS)


def test_only_fitted_methods_name_a_fold_and_only_for_its_test_block(fitted: dict[str, Any]) -> None:
    test = fitted["folds"].filter(pc.equal(fitted["folds"]["role"], "test"))
    blocks = set(zip(test["fold_id"].to_pylist(), test["release_id"].to_pylist(), strict=True))
    for row in fitted["results"].to_pylist():
        if row["method"] in ("ridge", "recalibrated"):
            assert (row["fold_id"], row["release_id"]) in blocks
        else:
            assert row["fold_id"] is None


def test_what_a_test_block_turned_out_to_be_changes_no_model(some: Invented, fitted: dict[str, Any]) -> None:
    last = max(fitted["folds"]["fold_id"].to_pylist())
    own = fitted["folds"].filter(pc.equal(fitted["folds"]["fold_id"], last))
    tested = own.filter(pc.equal(own["role"], "test"))["release_id"].combine_chunks()
    hidden = pc.is_in(some.labels["release_id"], value_set=tested)
    at = some.labels.column_names.index("label_value")
    poisoned = some.labels.set_column(at, "label_value", pc.if_else(hidden, pa.scalar(1e6), some.labels["label_value"]))
    fits, predictions = fit_ridges(some.panel, poisoned, own)
    mine = fitted["fits"].filter(pc.equal(fitted["fits"]["fold_id"], last))
    assert fits == mine
    assert predictions == fitted["predictions"].filter(pc.equal(fitted["predictions"]["fold_id"], last))


def test_ridge_finds_a_bias_that_a_feature_tells() -> None:
    told = invented(200, seed=2, bias_by_feature=3.0)
    folds, _ = build_folds(told.labels, RULES)
    fits, predictions = fit_ridges(told.panel, told.labels, folds)
    assert set(fits["alpha"].to_pylist()) <= set(fits["alphas"][0].as_py())
    assert all(row["configurations_tried"] == len(row["alphas"]) for row in fits.to_pylist())
    curves = fit_recalibrations(told.cases, folds)
    results = evaluate(told.cases, make_forecasts(told.cases, told.labels, folds, curves, predictions))
    crps = {method: np.mean(_of(results, method, "crps")) for method in ("market", "ridge")}
    assert crps["ridge"] < 0.8 * crps["market"]


def test_recalibration_narrows_a_market_that_is_unsure_of_what_it_knows() -> None:
    wide = invented(EVENTS, seed=3, spread=3.0)
    folds, _ = build_folds(wide.labels, RULES)
    curves = fit_recalibrations(wide.cases, folds)
    assert all(slope > 1.5 for slope in curves["slope"].to_pylist())
    _, predictions = fit_ridges(wide.panel, wide.labels, folds)
    results = evaluate(wide.cases, make_forecasts(wide.cases, wide.labels, folds, curves, predictions))
    assert np.mean(_of(results, "recalibrated", "rps")) < np.mean(_of(results, "market", "rps"))


def test_a_recalibrated_distribution_keeps_its_mass_and_its_certainties(some: Invented) -> None:
    case = np.arange(len(some.cases))
    masses = recalibrated_masses(some.cases, case, np.full(len(case), 0.7), np.full(len(case), 1.8))
    assert np.add.reduceat(masses, some.cases.cells.pointer[:-1]) == pytest.approx(np.ones(len(case)))
    assert np.abs(masses[some.cases.cells.mass == 0]).max(initial=0.0) == 0.0
    same = recalibrated_masses(some.cases, case, np.zeros(len(case)), np.ones(len(case)))
    assert same == pytest.approx(some.cases.cells.mass, abs=1e-12)


def test_too_little_to_fit_is_a_reason_and_no_forecast() -> None:
    few = invented(65, seed=4, missing=0.9)
    folds, _ = build_folds(few.labels, RULES)
    curves, (fits, predictions) = fit_recalibrations(few.cases, folds), fit_ridges(few.panel, few.labels, folds)
    assert all("training events" in reason for reason in curves["fallback_reason"].to_pylist())
    assert all("training rows" in reason for reason in fits["not_fitted_reason"].to_pylist())
    results = evaluate(few.cases, make_forecasts(few.cases, few.labels, folds, curves, predictions))
    assert not {"ridge", "recalibrated"} & set(results["method"].to_pylist())


def test_without_folds_nothing_is_fitted_and_the_market_is_scored_all_the_same() -> None:
    few = invented(12, seed=5)
    folds, _ = build_folds(few.labels, RULES)
    curves, (fits, predictions) = fit_recalibrations(few.cases, folds), fit_ridges(few.panel, few.labels, folds)
    assert (len(curves), len(fits), len(predictions)) == (0, 0, 0)
    forecasts = make_forecasts(few.cases, few.labels, folds, curves, predictions)
    assert len(build_scorecard(evaluate(few.cases, forecasts), few.cases, forecasts)) > 0


def test_without_a_single_case_every_table_is_empty() -> None:
    none = invented(12, seed=6, missing=1.0)
    folds, _ = build_folds(none.labels, RULES)
    curves = fit_recalibrations(none.cases, folds)
    forecasts = make_forecasts(none.cases, none.labels, folds, curves, PREDICTION_SCHEMA.empty_table())
    results = evaluate(none.cases, forecasts)
    assert len(none.cases) == len(results) == len(build_scorecard(results, none.cases, forecasts)) == 0


def test_missing_rows_are_in_no_fit_and_missing_features_are_filled_from_training_alone() -> None:
    gappy = invented(EVENTS, seed=7, missing=0.3)
    folds, _ = build_folds(gappy.labels, RULES)
    fits, predictions = fit_ridges(gappy.panel, gappy.labels, folds)
    assert max(fits["n_train"].to_pylist()) < max(folds["train_groups"].to_pylist())
    passed = gappy.panel.filter(pc.is_null(gappy.panel["missing_reason"])).select(["ladder_id", "horizon_minutes"])
    assert {tuple(row.values()) for row in predictions.select(["ladder_id", "horizon_minutes"]).to_pylist()} <= {
        tuple(row.values()) for row in passed.to_pylist()
    }


def test_an_alpha_must_be_given(some: Invented) -> None:
    with pytest.raises(ValueError, match="at least one alpha"):
        fit_ridges(some.panel, some.labels, build_folds(some.labels, RULES).table, alphas=())


# --- baselines, by hand ---


Leg = tuple[float | None, float | None, float | None, float | None]


def one_case(kind: str, cuts: list[float], legs: list[Leg]) -> Cases:
    """One case with an even belief; a leg is its payoff interval, bid and ask."""
    asof = datetime(2026, 1, 1, tzinfo=UTC)
    key = {"ladder_id": "L", "asof": asof}
    panel = [{**key, "horizon_minutes": 60, "anchor_ts": asof}]
    label = {"ladder_id": "L", "has_label": True, "label_value": 1.0, "learned_at": asof}
    ladder = {"ladder_id": "L", "kind": kind, "grid_step": 1.0, "tail_ratio": 0.45}
    edges = list(zip([None, *cuts], [*cuts, None], strict=True))
    cells = [
        {**key, "cell_index": i, "low_cut": low, "high_cut": high, "probability": 1 / len(edges)}
        for i, (low, high) in enumerate(edges)
    ]
    quotes = [
        {**key, "leg_index": i, "low_cut": low, "high_cut": high, "yes_bid": bid, "yes_ask": ask, "repaired": 0.5}
        for i, (low, high, bid, ask) in enumerate(legs)
    ]
    return build_cases(
        pa.Table.from_pylist(panel, schema=PANEL_SCHEMA),
        pa.Table.from_pylist([label], schema=LABEL_WITH_SURPRISE_SCHEMA),
        pa.Table.from_pylist([ladder], schema=LADDER_SCHEMA),
        pa.Table.from_pylist(cells, schema=CELL_SCHEMA),
        pa.Table.from_pylist(quotes, schema=QUOTE_SCHEMA),
    )


def test_mids_of_a_bucket_ladder_are_renormalised() -> None:
    legs = [(None, 0.5, 0.1, 0.3), (0.5, 1.5, 0.5, 0.7), (1.5, None, None, 0.2)]
    case = one_case("bucket", [0.5, 1.5], legs)
    assert naive_mids(case).tolist() == pytest.approx([0.2 / 0.9, 0.6 / 0.9, 0.1 / 0.9])
    assert fair_mids(case).tolist() == pytest.approx([0.25, 0.75, 0.0])
    assert uniform_masses(case).tolist() == pytest.approx([1 / 3] * 3)


def test_mids_of_a_threshold_ladder_are_differenced_and_a_rise_counts_as_nothing() -> None:
    legs = [(0.5, None, 0.7, 0.9), (None, 1.5, 0.5, 0.7), (2.5, None, 0.5, 0.5)]
    case = one_case("threshold", [0.5, 1.5, 2.5], legs)
    raw = np.array([0.2, 0.4, 0.0, 0.5])
    assert fair_mids(case).tolist() == pytest.approx((raw / raw.sum()).tolist())
    gap = one_case(
        "threshold", [0.5, 1.5, 2.5], [(0.5, None, 0.8, 0.8), (1.5, None, None, None), (2.5, None, 0.2, 0.2)]
    )
    assert fair_mids(gap).tolist() == pytest.approx([0.2, 0.3, 0.3, 0.2])


def test_mids_say_nothing_of_a_mixed_ladder_or_without_a_two_sided_market() -> None:
    assert np.isnan(naive_mids(one_case("mixed", [0.5], [(None, 0.5, 0.4, 0.6)]))).all()
    assert np.isnan(fair_mids(one_case("bucket", [0.5], [(None, 0.5, None, 0.6), (0.5, None, 0.1, None)]))).all()


def test_climatology_needs_its_least_number_of_outcomes() -> None:
    sizes = [CLIMATOLOGY_LEAST - 1, CLIMATOLOGY_LEAST]
    pointer = np.cumsum([0, *sizes])
    memory = remembered(History(pointer, np.arange(pointer[-1])), np.ones(pointer[-1]), CLIMATOLOGY_LEAST)
    assert memory.cases.tolist() == [1] and len(memory.forecasts) == 1


def test_baselines_remember_only_what_was_learned_by_the_instant(some: Invented, fitted: dict[str, Any]) -> None:
    learned = dict(zip(some.labels["ladder_id"].to_pylist(), some.labels["learned_at"].to_pylist(), strict=True))
    value = dict(zip(some.labels["ladder_id"].to_pylist(), some.labels["label_value"].to_pylist(), strict=True))
    anchors = dict(zip(some.labels["ladder_id"].to_pylist(), some.labels["anchor_ts"].to_pylist(), strict=True))
    rows = fitted["results"].filter(pc.equal(fitted["results"]["method"], "no_change")).to_pylist()
    assert rows
    for row in rows:
        known = [name for name, when in learned.items() if when <= row["asof"] and anchors[name] < row["anchor_ts"]]
        assert row["forecast_mean"] == pytest.approx(value[max(known, key=lambda name: anchors[name])])


# --- the scorecard ---


def test_the_scorecard_averages_the_results_and_pairs_them_with_the_market(fitted: dict[str, Any]) -> None:
    card = fitted["card"].to_pylist()
    (row,) = [
        row
        for row in card
        if (row["scope"], row["method"], row["metric"], row["horizon_minutes"]) == ("series", "climatology", "crps", 60)
    ]
    mine, market = (_by_ladder(fitted["results"], method, "crps", 60) for method in ("climatology", "market"))
    assert row["estimate"] == pytest.approx(np.mean(list(mine.values())))
    assert row["difference"] == pytest.approx(np.mean([mine[name] - market[name] for name in mine]))
    assert row["n_events"] == row["n_paired_events"] == len(mine)
    assert row["estimate_low"] < row["estimate"] < row["estimate_high"]
    assert row["difference_low"] > 0 and row["dm_p_value"] < 0.01
    assert {row["metric"] for row in card} == set(METRICS)
    assert all(row["n_events"] > 0 for row in card)


def test_a_true_market_is_covered_and_reliable(fitted: dict[str, Any]) -> None:
    rows = {
        (row["metric"], row["horizon_minutes"]): row
        for row in fitted["card"].to_pylist()
        if row["scope"] == "all" and row["method"] == "market"
    }
    for minutes in HORIZONS:
        covered = rows["coverage_80", minutes]
        assert covered["estimate_low"] - 0.05 <= 0.8 <= covered["estimate_high"] + 0.05
        parts = {name: rows[f"market_brier{name}", minutes]["estimate"] for name in ("", "_miscalibration")}
        assert parts["_miscalibration"] < parts[""] / 2


def test_every_method_is_told_how_reliable_it_is(some: Invented, fitted: dict[str, Any]) -> None:
    card = [row for row in fitted["card"].to_pylist() if row["metric"].startswith("market_brier")]
    score = {
        (row["scope"], row["scope_value"], row["horizon_minutes"], row["method"], row["metric"]): row for row in card
    }
    assert {row["method"] for row in card} == set(METHODS)
    assert {row["scope"] for row in card} == {"all", "release_type", "series"}
    for key, row in score.items():
        if key[-1] == "market_brier":
            mcb, dsc, unc = (
                score[(*key[:-1], f"market_brier_{part}")]["estimate"]
                for part in ("miscalibration", "discrimination", "uncertainty")
            )
            assert row["estimate"] == pytest.approx(mcb - dsc + unc, abs=1e-12)
            assert mcb >= 0 and row["estimate_low"] <= row["estimate"] <= row["estimate_high"]
        same = pc.and_(
            pc.equal(fitted["results"]["method"], row["method"]),
            pc.equal(fitted["results"]["horizon_minutes"], row["horizon_minutes"]),
        )
        if row["scope"] == "all":
            assert row["n_events"] == pc.sum(same).as_py() >= row["n_groups"] > 0
    told = {method: score["all", "all", 60, method, "market_brier"]["estimate"] for method in METHODS}
    assert told["market"] < told["uniform"] and told["market"] < told["no_change"]


def test_a_method_gives_a_market_the_mass_of_its_cells(some: Invented, fitted: dict[str, Any]) -> None:
    by_method = {markets.method: markets for markets in single_markets(some.cases, fitted["forecasts"])}
    market = by_method["market"]
    assert market.probability == pytest.approx(some.cases.legs.repaired, abs=1e-9)
    assert np.array_equal(market.case, np.repeat(np.arange(len(some.cases)), np.diff(some.cases.legs.pointer)))
    legs, cells = some.cases.legs, some.cases.cells
    uniform = by_method["uniform"].probability
    for case in (0, len(some.cases) - 1):
        own = slice(cells.pointer[case], cells.pointer[case + 1])
        for leg in range(legs.pointer[case], legs.pointer[case + 1]):
            paying = (cells.low[own] >= legs.low[leg]) & (cells.high[own] <= legs.high[leg])
            assert uniform[leg] == pytest.approx(paying.mean(), abs=1e-9)
            assert market.paid[leg] == (legs.low[leg] <= some.cases.outcome[case] < legs.high[leg])
    fewer = by_method["ridge"]
    assert 0 < fewer.case.size < market.case.size
    of_case = {int(case): fewer.paid[fewer.case == case].tolist() for case in np.unique(fewer.case)}
    assert all(told == market.paid[market.case == case].tolist() for case, told in of_case.items())


def test_units_that_differ_are_never_averaged(some: Invented, fitted: dict[str, Any]) -> None:
    results = fitted["results"]
    first = pc.equal(results["ladder_id"], results["ladder_id"][0])
    at = results.column_names.index("unit")
    mixed = results.set_column(at, "unit", pc.if_else(first, "jobs", results["unit"]))
    card = build_scorecard(mixed, some.cases, fitted["forecasts"])
    metrics = {row["metric"] for row in card.to_pylist() if row["scope"] == "all"}
    assert "crps" not in metrics and {"log_score", "rps", "coverage_50"} <= metrics


def _of(results: pa.Table, method: str, metric: str) -> list[float]:
    """A metric of one method on the cases that every fitted method has."""
    tested = set(_by_case(results, "ridge", metric)) & set(_by_case(results, "recalibrated", metric))
    return [value for case, value in _by_case(results, method, metric).items() if case in tested]


def _by_case(results: pa.Table, method: str, metric: str) -> dict[tuple[str, int], float]:
    rows = results.filter(pc.equal(results["method"], method)).to_pylist()
    return {(row["ladder_id"], row["horizon_minutes"]): row[metric] for row in rows}


def _by_ladder(results: pa.Table, method: str, metric: str, horizon: int) -> dict[str, float]:
    found = _by_case(results, method, metric)
    return {ladder: value for (ladder, minutes), value in found.items() if minutes == horizon}
