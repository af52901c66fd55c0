"""Pictures and tables of folds and scores: what they show, and what they say where there is nothing to show."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from kalshi_pipeline.report.folds import folds_picture
from kalshi_pipeline.report.reliability import reliability_markdown, reliability_picture
from kalshi_pipeline.report.results import results_markdown
from kalshi_pipeline.report.scorecard import horizon_words, scorecard_markdown, scorecard_picture
from kalshi_pipeline.research.evaluation import evaluate, make_forecasts
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import FOLD_SCHEMA, build_folds
from kalshi_pipeline.research.models.recalibration import RECALIBRATION_SCHEMA
from kalshi_pipeline.research.models.ridge import PREDICTION_SCHEMA
from kalshi_pipeline.research.scorecard import SCORECARD_SCHEMA, build_scorecard
from tests.unit.invented_events import HORIZONS, invented

pytestmark = pytest.mark.unit

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    events = invented(70, seed=1)
    folds, _ = build_folds(events.labels, FoldRules(HORIZONS))
    nothing = RECALIBRATION_SCHEMA.empty_table(), PREDICTION_SCHEMA.empty_table()
    forecasts = make_forecasts(events.cases, events.labels, folds, *nothing)
    card = build_scorecard(evaluate(events.cases, forecasts), events.cases, forecasts)
    return {"events": events, "folds": folds, "card": card}


def test_a_picture_of_folds_is_drawn_and_the_same_twice(made: dict[str, Any]) -> None:
    png = folds_picture(made["folds"])
    assert png.startswith(PNG) and png == folds_picture(made["folds"])
    assert len(png) > len(folds_picture(FOLD_SCHEMA.empty_table()))


def test_a_scorecard_is_drawn_and_an_empty_one_says_so(made: dict[str, Any]) -> None:
    png, empty = scorecard_picture(made["card"]), scorecard_picture(SCORECARD_SCHEMA.empty_table())
    assert png.startswith(PNG) and empty.startswith(PNG) and len(png) > len(empty)
    assert scorecard_picture(made["card"], limit=1) != png


def test_the_table_shows_every_method_with_events_dates_and_its_difference(made: dict[str, Any]) -> None:
    table = scorecard_markdown(made["card"], "crps")
    lines = table.splitlines()
    methods = {line.split("|")[3].strip() for line in lines[2:]}
    assert methods == {"market", "no change", "climatology", "uniform", "naive mids", "fair mids"}
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| CPI | 1 d | market |") and "2020-01-01" in lines[2]
    rows: pa.Table = made["card"]
    assert len(lines) - 2 == sum(row["scope"] == "release_type" and row["metric"] == "crps" for row in rows.to_pylist())
    assert "there is no rps to show" in scorecard_markdown(SCORECARD_SCHEMA.empty_table(), "rps")


def test_reliability_is_shown_for_every_method_with_its_parts(made: dict[str, Any]) -> None:
    lines = reliability_markdown(made["card"]).splitlines()
    methods = {line.split("|")[3].strip() for line in lines[2:]}
    assert methods == {"market", "no change", "climatology", "uniform", "naive mids", "fair mids"}
    assert len({line.count("|") for line in lines}) == 1
    cells = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    score, mcb, dsc, unc = (float(cells[at].replace("−", "-")) for at in (3, 5, 6, 7))
    assert score == pytest.approx(mcb - dsc + unc, abs=0.002) and int(cells[8]) == 70
    assert "nothing can be reliable" in reliability_markdown(SCORECARD_SCHEMA.empty_table())
    png, empty = reliability_picture(made["card"]), reliability_picture(SCORECARD_SCHEMA.empty_table())
    assert png.startswith(PNG) and empty.startswith(PNG) and len(png) > len(empty)
    assert reliability_picture(made["card"], limit=1) != png == reliability_picture(made["card"])


def test_horizons_are_told_in_their_largest_unit() -> None:
    told = [horizon_words(minutes) for minutes in (10_080, 1_440, 240, 90, 5)]
    assert told == ["7 d", "1 d", "4 h", "90 min", "5 min"]


def test_the_results_tell_what_passed_and_leave_nothing_out(made: dict[str, Any]) -> None:
    events, folds = made["events"], made["folds"]
    text = results_markdown(events.labels, events.panel, made["card"], {"CPI": "CPI: 1 fold."})
    assert text.startswith("70 of 70 ladders have an outcome.")
    assert "| before | passed | gated | no snapshot | not trading |" in text
    assert "| 1 d | 70 | 0 | 0 | 0 |" in text
    assert "- CPI: 1 fold." in text and len(folds) > 0
    assert text.count("| CPI | 1 d |") == 2 * 6 + 1
    empty = results_markdown(events.labels.slice(0, 0), events.panel.slice(0, 0), SCORECARD_SCHEMA.empty_table(), {})
    assert empty.startswith("0 of 0 ladders") and "there is no crps to show" in empty
