"""The whole pipeline over a short window: what one run leaves behind, and what a second one changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from kalshi_pipeline import read
from kalshi_pipeline.cli.app import app
from kalshi_pipeline.defs.dbt_project import manifest_path
from kalshi_pipeline.defs.metadata import first_rows
from kalshi_pipeline.warehouse.bookkeeping import row_counts
from kalshi_pipeline.warehouse.previews import preview
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.integration.pipeline import DAYS, PROJECT_ROOT, Pipeline
from tests.integration.recipes import RECIPES, Recipe

pytestmark = pytest.mark.integration

MOMENTS = ("mean", "variance", "std", "skew", "excess_kurtosis", "median", "iqr", "entropy", "mass_below", "mass_above")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline after one run of everything."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline.at(tmp_path_factory.mktemp("data"), instance)
        pipeline.run(days=DAYS)
        yield pipeline


def test_every_asset_is_materialised(done: Pipeline) -> None:
    keys = done.defs.resolve_asset_graph().materializable_asset_keys
    missing = [key.to_user_string() for key in keys if done.instance.get_latest_materialization_event(key) is None]
    assert not missing


def test_every_table_shows_its_first_rows_where_it_was_made(done: Pipeline) -> None:
    with Warehouse(database=str(done.settings.database)).read() as con:
        filled = {name for name, rows in row_counts(con).items() if rows}
    bare = []
    for key in done.defs.resolve_asset_graph().materializable_asset_keys:
        event = done.instance.get_latest_materialization_event(key)
        assert event is not None
        assert event.asset_materialization is not None
        if ".".join(key.path) in filled and "first rows" not in event.asset_materialization.metadata:
            bare.append(key.to_user_string())
    assert bare == []
    assert len(filled) > 30


@pytest.mark.parametrize(
    "table",
    [
        "raw.series",
        "raw.events",
        "raw.markets",
        "raw.settlements",
        "raw.outcome_vintages",
        "raw.candles",
        "raw.trades",
        "marts.series",
        "marts.events",
        "marts.markets",
        "marts.quotes",
        "marts.candles",
        "marts.trades",
        "marts.market_settlements",
        "marts.event_outcomes",
        "marts.event_outcomes_first_print",
        "marts.event_outcomes_revised",
        "marts.market_specifications",
        "marts.event_specifications",
        "research.event_market_map_versions",
        "research.mapping_versions",
        "health.candle_coverage",
        "health.decision_time_coverage",
        "health.coverage_diagnostics",
        "health.daily_health_report",
        "meta.market_coverage",
        "research.ladders",
        "research.ladder_legs",
        "research.implied_distributions",
        "research.implied_cells",
        "research.distribution_distances",
        "research.hybrid_backtest",
        "research.releases",
        "research.event_feature_panel",
        "research.event_labels",
        "research.walkforward_folds",
        "research.walkforward_results",
        "research.scorecard",
    ],
)
def test_every_table_holds_rows(done: Pipeline, table: str) -> None:
    assert done.value(f"select count(*) from {table}") > 0


def test_no_response_of_the_exchange_differs_from_its_known_form(done: Pipeline) -> None:
    assert done.rows("select table_name, kind, field, expected, seen from meta.wire_drift") == []


def test_every_market_is_on_a_ladder_or_says_why_not(done: Pipeline) -> None:
    assert done.value("select count(*) from marts.markets") == done.value("select count(*) from research.ladder_legs")
    assert done.value("select count(*) from research.ladder_legs where ladder_id is null and reason is null") == 0


def test_a_past_day_without_a_snapshot_says_so(done: Pipeline) -> None:
    loads = done.rows(
        "select partition_date, rows, reason from meta.partition_loads where dataset = 'quotes' order by all"
    )
    assert [(day, rows) for day, rows, _ in loads] == [(day, 0) for day in DAYS]
    assert all("no live snapshot" in reason for *_, reason in loads)


def test_a_passed_snapshot_is_a_distribution(done: Pipeline) -> None:
    passed = done.value("select count(*) from research.implied_distributions where not hard_gate_failed")
    assert passed > 0
    worst = done.value(
        """
        select max(abs(total - 1)) from (
            select sum(probability) as total
            from research.implied_cells as c
            semi join (from research.implied_distributions where not hard_gate_failed) using (ladder_id, "asof")
            group by ladder_id, "asof"
        )
        """
    )
    assert worst <= 1e-12


def test_a_gated_snapshot_has_reasons_and_no_moments(done: Pipeline) -> None:
    gated = "research.implied_distributions where hard_gate_failed"
    assert done.value(f"select count(*) from {gated}") > 0
    assert done.value(f"select count(*) from {gated} and len(gate_reasons) = 0") == 0
    finite = " or ".join(f"{name} is not null" for name in MOMENTS)
    assert done.value(f"select count(*) from {gated} and ({finite})") == 0


def test_every_snapshot_says_how_far_it_moved_or_why_it_does_not(done: Pipeline) -> None:
    lags = done.rows("select lag, count(*), count(js) from research.distribution_distances group by lag order by lag")
    snapshots = done.value("select count(*) from research.implied_distributions")
    assert [(lag, rows) for lag, rows, _ in lags] == [("1d", snapshots), ("1h", snapshots)]
    assert all(0 < compared < rows for _, rows, compared in lags)
    measures = ("kl", "js", "wasserstein", "mean_change", "earlier_asof")
    unexplained = " or ".join(f"({name} is null) != (reason is not null)" for name in measures)
    assert done.value(f"select count(*) from research.distribution_distances where {unexplained}") == 0
    gated = done.value(
        """
        select count(*)
        from research.distribution_distances as d
        semi join (from research.implied_distributions where hard_gate_failed) using (ladder_id, "asof")
        where d.reason != 'gated'
        """
    )
    assert gated == 0


def test_no_snapshot_uses_a_quote_from_its_future(done: Pipeline) -> None:
    late = 'select count(*) from research.implied_distributions where latest_available_ts > "asof"'
    assert done.value(late) == 0


def test_every_data_test_of_a_model_is_an_asset_check(done: Pipeline) -> None:
    manifest = json.loads(manifest_path(done.settings.database).read_text())
    tests = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"}
    assert tests
    assert tests <= {key.name for key in done.defs.resolve_asset_graph().asset_check_keys}


def test_the_same_partition_twice_gives_the_same_rows(done: Pipeline) -> None:
    before = _contents(done)
    done.run(days=DAYS)
    assert _contents(done) == before


def test_a_partition_that_is_made_alone_shows_its_own_rows(done: Pipeline) -> None:
    shown = {
        day: _shown_of(done, day, "raw.candles", "marts.candles", "research.distribution_distances") for day in DAYS
    }
    with Warehouse(database=str(done.settings.database)).read() as con:
        for day, texts in shown.items():
            assert texts == {table: first_rows(preview(con, table, [day]))["first rows"] for table in texts}
    # Rows of one day stand first in a whole table, so showing those for both would be found out here.
    assert not set(shown[DAYS[0]].values()) & set(shown[DAYS[1]].values())


def _shown_of(done: Pipeline, day: date, *tables: str) -> dict[str, Any]:
    """The rows that the materialisations of one day show, by table."""
    done.run(assets=[table.replace(".", "/") for table in tables], days=(day, day))
    shown = {}
    for table in tables:
        event = done.instance.get_latest_materialization_event(dg.AssetKey(table.split(".")))
        assert event is not None
        assert event.asset_materialization is not None
        shown[table] = event.asset_materialization.metadata["first rows"]
    return shown


def test_feeds_agree_on_every_release_and_the_settled_sides_with_them(done: Pipeline) -> None:
    assert done.rows("select * from marts.event_outcome_rejects") == []
    assert done.rows("select * from marts.settlement_disagreements") == []
    sources = done.rows("select distinct source from marts.event_outcomes_first_print order by all")
    assert sources == [("alfred",), ("exchange_settlement",)]
    assert done.value("select count(*) from marts.event_outcomes where revision_number > 0") > 0


def test_clean_days_raise_no_alarm(done: Pipeline) -> None:
    assert done.rows("select distinct status, findings from health.daily_health_report") == [("ok", "nothing odd")]
    checks = [key for key in done.defs.resolve_asset_graph().asset_check_keys if key.asset_key.path[0] == "health"]
    assert len(checks) >= 8
    summary = done.instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    assert {key.name: record.status.value for key, record in summary.items()} == {
        key.name: "SUCCEEDED" for key in checks
    }


def test_a_decision_never_sees_a_bar_that_had_not_ended(done: Pipeline) -> None:
    late = "select count(*) from health.decision_time_coverage where bar_end > decision_at"
    assert done.value(late) == 0
    covered = "select count(*) filter (where is_covered), count(*) from health.decision_time_coverage where was_open"
    [(seen, due)] = done.rows(covered)
    assert seen >= 0.95 * due > 0
    window = "health.decision_times_between('2026-06-29', '2026-06-30')"
    assert done.rows(f"from {window} order by all") == done.rows("from health.decision_time_coverage order by all")


def test_one_version_of_a_mart_is_built_alone(done: Pipeline) -> None:
    before = done.rows("from marts.event_outcomes order by all")
    for mart in ("marts/event_outcomes", "marts/event_outcomes_v1"):
        assert done.run(assets=[mart]).success
    assert done.rows("from marts.event_outcomes order by all") == before
    assert done.value("select count(*) from marts.event_outcomes_v1") == len(before)


def test_a_notebook_reads_a_distribution_a_ladder_and_outcomes(done: Pipeline) -> None:
    path = done.settings.database
    event = done.value("select event_ticker from research.implied_distributions where not hard_gate_failed limit 1")
    asof = "2026-06-30T18:00Z"
    assert len(read.distribution(event, asof, warehouse=path)) == 1
    assert len(read.cells(event, asof, warehouse=path)) > 1
    legs = read.ladder(event, asof, form="arrow", warehouse=path)
    assert legs.num_rows > 1
    assert len(read.outcomes("WEATHER", warehouse=path)) > 0
    with pytest.raises(read.NothingFound, match="No event 'NOPE'"):
        read.distribution("NOPE", warehouse=path)


def test_a_moment_is_explained_down_to_its_quotes_and_the_run(done: Pipeline) -> None:
    path = done.settings.database
    ladder, event, asof, mean, run = done.rows(
        """
        select ladder_id, event_ticker, "asof", mean, l.run_id
        from research.implied_distributions as d
        inner join meta.partition_loads as l
            on l.dataset = 'implied_distributions' and d.partition_date = l.partition_date
        where not hard_gate_failed
        order by ladder_id, "asof"
        limit 1
        """
    )[0]
    rows = read.explain(event, asof, form="arrow", warehouse=path).to_pylist()
    own = [row for row in rows if row["ladder_id"] == ladder]
    assert len(own) == done.value("select n_legs from research.ladders where ladder_id = ?", ladder)
    assert {(row["asof"], row["mean"], row["run_id"], row["method_version"]) for row in own} == {(asof, mean, run, "1")}
    for row in own:
        if row["available_ts"] is not None:
            assert row["age_seconds"] == (asof - row["available_ts"]).total_seconds()
            quoted = done.rows(
                "select yes_bid::double from marts.quotes where ticker = ? and available_ts = ?",
                row["ticker"],
                row["available_ts"],
            )
            assert (row["yes_bid"],) in quoted


@pytest.mark.parametrize("kind", ["belief", "cells", "curve"])
def test_a_notebook_draws_a_ladder(done: Pipeline, kind: Any) -> None:
    event = done.value("select event_ticker from research.implied_distributions where not hard_gate_failed limit 1")
    assert read.picture(event, kind=kind, warehouse=done.settings.database).startswith(b"\x89PNG")
    with pytest.raises(read.NothingFound, match="No snapshot of"):
        read.picture(event, "2020-01-01", kind=kind, warehouse=done.settings.database)


def test_probabilities_are_held_against_what_came_true(done: Pipeline) -> None:
    rows = read.reliability("WEATHER", form="arrow", warehouse=done.settings.database).to_pylist()
    assert sum(row["markets"] for row in rows) > 0
    for row in rows:
        assert row["probability_from"] - 1e-9 <= row["said"] <= row["probability_to"] + 1e-9
        assert 0 <= row["came_true"] <= 1
    assert read.reliability("WEATHER", asof="2020-01-01", warehouse=done.settings.database).empty


def test_outcomes_are_read_as_they_were_known(done: Pipeline) -> None:
    path = done.settings.database
    early, late = (len(read.outcomes("WEATHER", day, warehouse=path)) for day in ("2026-06-01", "2026-07-01"))
    assert early < late


def _contents(pipeline: Pipeline) -> dict[str, Any]:
    """A fingerprint of every table's rows, without the columns that say when and by which run they were written."""
    tables = pipeline.rows(
        """
        select table_schema || '.' || table_name,
            list('"' || column_name || '"') filter (
                where column_name not in ('run_id', 'load_id', 'loaded_at', 'quarantined_at', 'dbt_loaded_at')
            )
        from information_schema.columns
        where table_schema in ('raw', 'marts', 'research')
        group by all
        """
    )
    return {
        table: pipeline.rows(f"select count(*), bit_xor(hash({', '.join(columns)})) from {table}")[0]
        for table, columns in tables
    }


def test_a_landing_folder_alone_rebuilds_the_raw_tables(done: Pipeline, tmp_path: Path) -> None:
    """Reload without the exchange: the landed files of another data folder, and an exchange nobody may open."""
    raw = [f"raw/{name}" for name in ("series", "events", "markets", "settlements", "candles", "trades")]
    elsewhere = Pipeline.at(tmp_path, done.instance)
    elsewhere.settings.source_dir.mkdir(parents=True)
    elsewhere.settings.landing_dir.symlink_to(done.settings.landing_dir)
    elsewhere.run(days=DAYS, assets=raw)
    for name in raw:
        table = name.replace("/", ".")
        assert elsewhere.rows(f"select * exclude (unit_id) from {table} order by all") == done.rows(
            f"select * exclude (unit_id) from {table} order by all"
        )


def test_the_proofs_pass_on_what_was_made_and_fail_where_a_row_is_from_the_future(done: Pipeline) -> None:
    made = done.run(job="proofs", config={"look_ahead": {"cuts": 2, "seed": 1}}).get_asset_check_evaluations()
    assert len(made) == 16
    assert {check.check_name: check.metadata["failures"].value for check in made if not check.passed} == {}
    moved = "update research.event_feature_panel set latest_available_ts = latest_available_ts {} interval 30 day"
    warehouse = Warehouse(database=str(done.settings.database))
    with warehouse.write() as con:
        con.execute(moved.format("+"))
    try:
        made = done.run(job="proofs", config={"look_ahead": {"cuts": 0, "seed": 1}}).get_asset_check_evaluations()
    finally:
        with warehouse.write() as con:
            con.execute(moved.format("-"))
    assert [check.check_name for check in made if not check.passed] == ["nothing_newer_than_its_instant"]


def test_the_commands_prove_and_tell_the_results(done: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KALSHI_DATA_DIR", str(done.settings.data_dir))
    proven = CliRunner().invoke(app, ["prove", "--cuts", "1"])
    assert (proven.exit_code, "Nothing looked ahead." in proven.stdout) == (0, True), proven.output
    page = done.settings.data_dir / "after.html"
    assert CliRunner().invoke(app, ["report", "--output", str(page)]).exit_code == 0
    assert re.search(r"(\d+) of \1 proofs passed", page.read_text("utf-8"))
    told = CliRunner().invoke(app, ["results"])
    assert told.exit_code == 0 and "## What passed" in told.stdout


def test_the_backtest_decides_on_the_last_bar_known_and_explains_what_it_does_not_trade(done: Pipeline) -> None:
    rows = done.rows("SELECT stage, reason, ticker, decision_ts, available_ts FROM research.hybrid_backtest")
    assert {stage for stage, *_ in rows} >= {"quote", "priced"} or {stage for stage, *_ in rows} & {"edge", "filled"}
    assert all((stage == "filled") == (reason is None) for stage, reason, *_ in rows)
    looked_at = [row for row in rows if row[4] is not None]
    assert looked_at
    last_bars = "SELECT max(available_ts) FROM marts.candles WHERE ticker = ? AND available_ts <= ?"
    for _, _, ticker, decision_ts, available_ts in looked_at[:20]:
        assert available_ts == done.value(last_bars, ticker, decision_ts)


def test_the_backtest_shows_its_funnel_and_its_check(done: Pipeline) -> None:
    key = dg.AssetKey(["research", "hybrid_backtest"])
    event = done.instance.get_latest_materialization_event(key)
    assert event is not None and event.asset_materialization is not None
    assert "events: " in str(event.asset_materialization.metadata["in a sentence"].value)
    checks = done.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key, "trades_per_city"), limit=1
    )
    assert [check.status.value for check in checks] == ["SUCCEEDED"]


def test_the_verification_is_dated_on_disk_and_signed_for_the_days_that_ran(done: Pipeline) -> None:
    text = (done.settings.source_dir / "verification.md").read_text()
    assert "## last 60 days: " in text
    checks = done.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey(["report", "verification"]), "signed_off"), limit=1
    )
    assert len(checks) == 1


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.file)
def test_a_recipe_gives_the_number_that_another_way_gives(done: Pipeline, recipe: Recipe) -> None:
    sql = (PROJECT_ROOT / "docs" / "recipes" / f"{recipe.file}.sql").read_text("utf-8")
    first = "select min(ticker) from marts.candles where ticker like 'KXHIGHCHI-26JUN30-%'"
    asked = {name: done.value(first) if value == "?" else value for name, value in recipe.parameters.items()}
    with Warehouse(database=str(done.settings.database)).read() as con:
        answer = con.execute(sql, asked).to_arrow_table()
        assert answer.num_rows > 0
        con.register("answer", answer)
        [(found, expected)] = con.execute(recipe.holds).fetchall()
    assert found is not None
    assert found == (pytest.approx(float(expected)) if isinstance(found, float) else expected)


def test_every_recipe_is_tested_and_listed() -> None:
    folder = PROJECT_ROOT / "docs" / "recipes"
    files = {path.stem for path in folder.glob("*.sql")}
    assert files == {recipe.file for recipe in RECIPES}
    assert all(f"({name}.sql)" in (folder / "README.md").read_text("utf-8") for name in files)
