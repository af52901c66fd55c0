"""Schedules ask for one run at a time: a tick that meets the run before it is skipped and says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from kalshi_pipeline.defs.schedules import build_schedules
from kalshi_pipeline.defs.ticks import DEAD_AFTER, UNDER_WAY
from kalshi_pipeline.settings import Settings, Source, SourceKind

pytestmark = pytest.mark.unit

SCHEDULES = {schedule.name: schedule for schedule in build_schedules(Settings())}
LIVE = Source(SourceKind.LIVE)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        yield instance


@pytest.fixture
def instance(storage: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """An instance without runs."""
    yield storage
    for run in storage.get_runs():
        storage.delete_run(run.run_id)


def tick(name: str, instance: dg.DagsterInstance, at: datetime | None = None) -> Any:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at or datetime.now(UTC))
    return SCHEDULES[name](context)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_tick_is_skipped_while_the_run_before_it_is_under_way_and_says_so(
    name: str, instance: dg.DagsterInstance
) -> None:
    job = SCHEDULES[name].job_name
    before = create_run_for_test(instance, job_name=job, status=dg.DagsterRunStatus.STARTED)
    outcome = tick(name, instance)
    assert isinstance(outcome, dg.SkipReason)
    said = outcome.skip_message or ""
    assert f"run {before.run_id[:8]} of {job}, created" in said and said.endswith("is still started.")


def test_a_run_is_under_way_until_it_has_ended(instance: dg.DagsterInstance) -> None:
    ended = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
    assert not ended & set(UNDER_WAY) and dg.DagsterRunStatus.QUEUED in UNDER_WAY
    create_run_for_test(instance, job_name="ingest", status=dg.DagsterRunStatus.NOT_STARTED)
    assert isinstance(tick("daily_ingest", instance), dg.SkipReason)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_a_tick_runs_once_the_run_before_it_has_ended_however_it_ended(name: str, instance: dg.DagsterInstance) -> None:
    for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        create_run_for_test(instance, job_name=SCHEDULES[name].job_name, status=status)
    create_run_for_test(instance, job_name="another_job", status=dg.DagsterRunStatus.STARTED)
    assert isinstance(tick(name, instance), dg.RunRequest)


def test_a_run_that_died_with_its_machine_holds_nothing_up_for_ever(instance: dg.DagsterInstance) -> None:
    create_run_for_test(instance, job_name="quote_snapshot", status=dg.DagsterRunStatus.STARTED)
    soon, late = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) + DEAD_AFTER + timedelta(minutes=1)
    assert isinstance(tick("quote_snapshots", instance, soon), dg.SkipReason)
    assert isinstance(tick("quote_snapshots", instance, late), dg.RunRequest)


def test_ticks_name_the_day_they_fall_on_in_utc(instance: dg.DagsterInstance) -> None:
    at = datetime.fromisoformat("2026-06-30T23:45:00-05:00")
    assert tick("quote_snapshots", instance, at).partition_key == "2026-07-01"
    assert tick("daily_ingest", instance, at).partition_key == "2026-06-30"
    assert tick("hourly_reference", instance, at).run_key == "2026-07-01T04:45:00+00:00"


def test_nothing_runs_by_itself_until_it_is_switched_on() -> None:
    assert {schedule.default_status for schedule in SCHEDULES.values()} == {dg.DefaultScheduleStatus.STOPPED}


@pytest.mark.parametrize(
    ("settings", "runs"),
    [(Settings(), True), (Settings(source=LIVE), False), (Settings(source=LIVE, run_live_api=True), True)],
)
def test_the_canary_asks_a_remote_exchange_only_where_that_is_allowed(
    settings: Settings, runs: bool, instance: dg.DagsterInstance
) -> None:
    (canary,) = (schedule for schedule in build_schedules(settings) if schedule.job_name == "canary")
    outcome = canary(dg.build_schedule_context(instance=instance, scheduled_execution_time=datetime.now(UTC)))
    assert isinstance(outcome, dg.RunRequest) == runs
    if not runs:
        assert isinstance(outcome, dg.SkipReason) and "KALSHI_RUN_LIVE_API=1" in (outcome.skip_message or "")
