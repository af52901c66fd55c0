"""What a newcomer meets in the Dagster UI: every asset says what it is, whose, in which units, and how fresh."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.defs.freshness import expectation
from kalshi_pipeline.settings import Settings, Source

pytestmark = pytest.mark.integration

#: A page, and files of many tables: neither has columns of its own.
WITHOUT_COLUMNS = {"report", "report/verification", "published/tables"}
LAYERS = ("landing", "raw", "staging", "intermediate", "marts", "health", "research", "report", "published")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(source=Source.parse("live"), data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def defs(live: Settings) -> dg.Definitions:
    return build_defs(live)


@pytest.fixture(scope="module")
def graph(defs: dg.Definitions) -> dg.AssetGraph:
    return defs.resolve_asset_graph()


def nodes(graph: dg.AssetGraph) -> list[dg.AssetNode]:
    return [graph.get(key) for key in sorted(graph.materializable_asset_keys)]


def missing(graph: dg.AssetGraph, what: str) -> list[str]:
    """Assets that do not say something."""
    return [node.key.to_user_string() for node in nodes(graph) if not getattr(node, what)]


@pytest.mark.parametrize("what", ["description", "group_name", "owners", "kinds"])
def test_every_asset_says(graph: dg.AssetGraph, what: str) -> None:
    assert missing(graph, what) == []


def test_no_asset_is_in_dagsters_default_group(graph: dg.AssetGraph) -> None:
    assert [node.key.to_user_string() for node in nodes(graph) if node.group_name == "default"] == []


def test_a_description_is_a_sentence_of_its_own(graph: dg.AssetGraph) -> None:
    said = {node.key.to_user_string(): (node.description or "").strip() for node in nodes(graph)}
    assert {name: text for name, text in said.items() if len(text) < 20} == {}
    assert len(set(said.values())) == len(said)


def test_every_table_states_its_columns_with_type_and_description(graph: dg.AssetGraph) -> None:
    bare = []
    for node in nodes(graph):
        name = node.key.to_user_string()
        if name in WITHOUT_COLUMNS:
            continue
        schema = node.metadata.get("dagster/column_schema")
        columns = schema.columns if isinstance(schema, dg.TableSchema) else []
        bare += [name] if not columns else []
        bare += [f"{name}.{column.name}" for column in columns if not (column.description and column.type)]
    assert bare == []


#: Numbers without a unit: codes, ranks and versions, ratios and multipliers, coefficients and statistics.
_DIMENSIONLESS = {
    *("status", "load_id", "level", "version_id", "revision_number", "specification_number", "outcome_number"),
    *("fee_multiplier", "fee_multiplier_override", "tail_ratio", "skew", "excess_kurtosis"),
    *("intercept", "slope", "alpha", "alphas", "dm_statistic", "rps"),
}


def test_every_number_states_its_unit(graph: dg.AssetGraph) -> None:
    bare, numbers = [], 0
    for node in nodes(graph):
        schema = node.metadata.get("dagster/column_schema")
        for column in schema.columns if isinstance(schema, dg.TableSchema) else []:
            if not re.match("decimal|double|float|bigint|integer|hugeint", column.type, re.IGNORECASE):
                continue
            numbers += 1
            # Units stand in brackets, or in words: "in the ladder's unit".
            if column.name not in _DIMENSIONLESS and not re.search(r"[\[(]|\bunits?\b", column.description or ""):
                bare.append(f"{node.key.to_user_string()}.{column.name}")
    assert bare == []
    assert numbers > 300


def test_lineage_goes_from_the_exchange_to_the_report_and_never_back(graph: dg.AssetGraph) -> None:
    backwards = [
        f"{parent.to_user_string()} before {node.key.to_user_string()}"
        for node in nodes(graph)
        for parent in node.parent_keys
        if parent in graph.materializable_asset_keys
        and node.key.path[0] != "landing"
        and LAYERS.index(parent.path[0]) > LAYERS.index(node.key.path[0])
    ]
    assert backwards == []


def test_only_views_are_left_without_an_expectation_of_freshness(graph: dg.AssetGraph) -> None:
    without = {node.group_name for node in nodes(graph) if node.freshness_policy is None}
    assert without == {"staging", "intermediate"}


def test_nothing_is_expected_of_an_exchange_without_a_present(tmp_path: Path) -> None:
    assert {node.freshness_policy for node in nodes(build_defs(Settings(data_dir=tmp_path)).resolve_asset_graph())} == {
        None
    }


def test_what_is_expected_follows_the_schedules(live: Settings) -> None:
    quotes = expectation(dg.AssetKey(["raw", "quotes"]), "facts", live)
    candles = expectation(dg.AssetKey(["marts", "candles"]), "marts", live)
    assert quotes is not None
    assert candles is not None
    assert quotes.warn == timedelta(minutes=60)
    assert quotes.warn < quotes.fail < candles.warn < candles.fail


def test_every_job_takes_its_steps_in_one_process(defs: dg.Definitions) -> None:
    jobs = [job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
    assert len(jobs) > 10
    assert {job.name for job in jobs if job.executor_def != dg.in_process_executor} == set()


def test_everything_that_is_partitioned_takes_a_range_in_one_run(defs: dg.Definitions) -> None:
    for asset in defs.assets or []:
        if isinstance(asset, dg.AssetsDefinition):
            assert asset.backfill_policy == dg.BackfillPolicy.single_run(), asset.keys


@pytest.mark.parametrize("name", ["quote_snapshots", "hourly_orderbooks", "hourly_reference", "daily_ingest"])
def test_a_schedule_starts_a_run_that_names_its_source_and_is_off_at_first(live: Settings, name: str) -> None:
    schedule = build_defs(live).resolve_schedule_def(name)
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    with dg.instance_for_test() as instance:
        asked = schedule(_tick(instance))
    assert isinstance(asked, dg.RunRequest)
    assert asked.tags["kalshi/source"] == "live"
    assert asked.partition_key in (None, "2026-07-01", "2026-06-30")


def test_a_snapshot_is_skipped_while_the_last_one_runs(live: Settings) -> None:
    defs = build_defs(live)
    with dg.instance_for_test() as instance:
        instance.create_run_for_job(defs.resolve_job_def("quote_snapshot"), status=dg.DagsterRunStatus.STARTED)
        asked = defs.resolve_schedule_def("quote_snapshots")(_tick(instance))
        other = defs.resolve_schedule_def("hourly_orderbooks")(_tick(instance))
    assert isinstance(asked, dg.SkipReason)
    assert isinstance(other, dg.RunRequest)


def _tick(instance: dg.DagsterInstance) -> dg.ScheduleEvaluationContext:
    return dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    )


def test_a_range_of_days_is_one_run_whatever_is_chosen(graph: dg.AssetGraph) -> None:
    assert {node.backfill_policy for node in nodes(graph) if node.partitions_def} == {dg.BackfillPolicy.single_run()}
    # A backfill splits where a partition depends on others than its own.
    assert [node.key for node in nodes(graph) if node.partitions_def and any(node.partition_mappings.values())] == []
