"""The jobs that keep the warehouse: what they leave behind, and that they let go of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.integration.pipeline import Pipeline
from tests.unit.warehouse_kit import opens_elsewhere

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline whose reference data is loaded."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline.at(tmp_path_factory.mktemp("data"), instance, universe=("KXCPI",))
        pipeline.run(job="reference")
        yield pipeline


def test_the_file_is_free_after_every_step(pipeline: Pipeline) -> None:
    tried: list[bool] = []

    @dg.success_hook
    def try_to_open(context: dg.HookContext) -> None:
        tried.append(opens_elsewhere(pipeline.settings.database))

    job = pipeline.defs.resolve_job_def("reference").with_hooks({try_to_open})
    result = job.execute_in_process(instance=pipeline.instance)
    steps = {event.step_key for event in result.all_node_events if event.is_step_success}
    assert len(steps) >= 8
    assert tried == [True] * len(steps)


def test_publishing_is_one_asset_after_all_tables(pipeline: Pipeline) -> None:
    graph = pipeline.defs.resolve_asset_graph()
    tables = {key for key in graph.materializable_asset_keys if key.path[0] in ("marts", "research")}
    assert graph.get(dg.AssetKey(["published", "tables"])).parent_keys == tables
    result = pipeline.run(job="publish")
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["rows"].value > 0
    folder = pipeline.settings.source_dir / "published"
    with duckdb.connect() as con:
        published = con.execute(f"SELECT count(*) FROM '{folder}/marts/markets/data.parquet'").fetchall()[0][0]
    assert published == pipeline.value("SELECT count(*) FROM marts.markets")


def test_the_checkpoint_leaves_no_log(pipeline: Pipeline) -> None:
    database = pipeline.settings.database
    with duckdb.connect(database) as con:
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute("INSERT INTO meta.quarantine VALUES ('t', NULL, 'r', '{}', 'run', now())")
    log = Path(f"{database}.wal")
    assert log.exists()
    assert pipeline.defs.resolve_job_def("checkpoint").execute_in_process(instance=pipeline.instance).success
    assert not log.exists()
    assert opens_elsewhere(database)


def test_upkeep_starts_by_itself_only_when_switched_on(pipeline: Pipeline) -> None:
    schedules = {schedule.name: schedule for schedule in pipeline.defs.schedules or []}
    for name, job in (("nightly_publication", "publish"), ("nightly_checkpoint", "checkpoint")):
        schedule = schedules[name]
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert schedule.job_name == job
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
