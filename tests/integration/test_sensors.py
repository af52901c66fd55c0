"""The sensors over an instance of their own: who is told of a failed run and of stale data, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from kalshi_pipeline.defs import sensors
from kalshi_pipeline.defs.alerts import Alert
from kalshi_pipeline.settings import Settings, Source

pytestmark = pytest.mark.integration

LIVE = Settings(source=Source.parse("live"))
QUOTES = dg.AssetKey(["raw", "quotes"])


class Ear:
    """A notifier that remembers."""

    def __init__(self) -> None:
        self.heard: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.heard.append(alert)


@dg.asset(key=QUOTES, group_name="facts")
def quotes() -> None:
    """Stands for the table of quotes."""


@dg.asset(key=["staging", "stg_quotes"], group_name="staging")
def view() -> None:
    """A view: nobody expects it to be fresh."""


@dg.op
def breaks() -> None:
    try:
        raise ValueError("two rows share a key")
    except ValueError as error:
        raise RuntimeError("the step failed") from error


@dg.job
def broken() -> None:
    breaks()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def look(instance: dg.DagsterInstance, ear: Ear, cursor: str | None = None, settings: Settings = LIVE) -> str | None:
    """One evaluation of the sensor on stale data; returns its cursor."""
    _, stale_data = sensors.build_sensors(settings)
    defs = dg.Definitions(assets=[quotes, view], sensors=[stale_data], resources={"notifier": ear})
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=defs.get_repository_def(),
        resources={"notifier": ear},
    )
    stale_data.evaluate_tick(context)
    return context.cursor


def later(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    """Move the sensor's clock."""
    now = datetime.now(UTC) + timedelta(hours=hours)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return now

    monkeypatch.setattr(sensors, "datetime", Clock)


def test_a_failed_run_is_told_with_step_and_cause(instance: dg.DagsterInstance) -> None:
    ear = Ear()
    result = broken.execute_in_process(instance=instance, raise_on_error=False)
    context = dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
        resources={"notifier": ear},
    ).for_run_failure()
    sensors.failed_runs(context)
    (alert,) = ear.heard
    assert alert.kind == "run_failed"
    assert alert.title == "broken failed at breaks"
    assert "two rows share a key" in alert.text
    assert alert.details["run_id"] == result.run_id


def test_what_was_never_materialised_is_not_stale(instance: dg.DagsterInstance) -> None:
    ear = Ear()
    look(instance, ear)
    assert ear.heard == []


def test_stale_data_is_told_once_and_again_only_after_it_was_fresh(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    dg.materialize([quotes, view], instance=instance)
    cursor = look(instance, ear)
    assert ear.heard == []
    later(monkeypatch, 3.5)
    cursor = look(instance, ear, cursor)
    cursor = look(instance, ear, cursor)
    (alert,) = ear.heard
    assert alert.kind == "stale_data"
    assert alert.title == "1 asset is stale"
    assert list(alert.details["last_materialised"]) == ["raw/quotes"]
    dg.materialize([quotes], instance=instance)
    later(monkeypatch, 0)
    cursor = look(instance, ear, cursor)
    later(monkeypatch, 4)
    look(instance, ear, cursor)
    assert len(ear.heard) == 2


def test_a_source_without_a_present_never_goes_stale(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    dg.materialize([quotes], instance=instance)
    later(monkeypatch, 1000)
    look(instance, ear, settings=Settings())
    assert ear.heard == []
