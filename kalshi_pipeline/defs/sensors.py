"""Sensors: they tell people of failed runs and of data that went stale; none of them starts a run."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg

from kalshi_pipeline.defs.alerts import Alert, Notifier
from kalshi_pipeline.defs.freshness import Expectation, expectation
from kalshi_pipeline.settings import Settings


@dg.run_failure_sensor(
    name="failed_runs",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the notifier (log, and KALSHI_ALERT_WEBHOOK where set) which run failed, where and why.",
)
def failed_runs(context: dg.RunFailureSensorContext, notifier: dg.ResourceParam[Notifier]) -> None:
    """Tell of one failed run."""
    failures = context.get_step_failure_events()
    steps = [event.step_key for event in failures if event.step_key]
    first = failures[0].event_specific_data if failures else None
    error = getattr(first, "error", None)
    while error and error.cause:
        error = error.cause
    said = error.message.strip() if error else context.failure_event.message or "no message"
    run = context.dagster_run
    notifier.send(
        Alert(
            kind="run_failed",
            title=f"{run.job_name} failed" + (f" at {steps[0]}" if steps else ""),
            text=said,
            details={"run_id": run.run_id, "job": run.job_name, "steps": steps, "tags": dict(run.tags)},
        )
    )


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensor on failed runs and the one on stale data."""

    @dg.sensor(
        name="stale_data",
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tells the notifier once when an asset that was materialised before is older than its freshness policy "
            "allows, and again only after it was fresh in between."
        ),
    )
    def stale_data(
        context: dg.SensorEvaluationContext, notifier: dg.ResourceParam[Notifier]
    ) -> dg.SkipReason | dg.SensorResult:
        told: dict[str, float] = json.loads(context.cursor or "{}")
        stale = _stale(context, settings, datetime.now(UTC))
        new = {name: at for name, at in stale.items() if told.get(name) != at}
        if new:
            notifier.send(_stale_alert(new))
        context.update_cursor(json.dumps(stale, sort_keys=True))
        return dg.SkipReason(f"{len(stale)} assets are stale, {len(new)} of them newly." if stale else "All is fresh.")

    return [failed_runs, stale_data]


def _stale(context: dg.SensorEvaluationContext, settings: Settings, now: datetime) -> Mapping[str, float]:
    """Stale assets with the time of their latest materialisation, in seconds since 1970."""
    expected = _expectations(context, settings)
    found = {}
    for key, record in context.instance.get_latest_materialization_events(list(expected)).items():
        if record is not None and now.timestamp() - record.timestamp > expected[key].fail.total_seconds():
            found[key.to_user_string()] = record.timestamp
    return found


def _expectations(context: dg.SensorEvaluationContext, settings: Settings) -> dict[dg.AssetKey, Expectation]:
    if context.repository_def is None:
        return {}
    graph = context.repository_def.asset_graph
    found = {key: expectation(key, graph.get(key).group_name, settings) for key in graph.materializable_asset_keys}
    return {key: expected for key, expected in found.items() if expected}


def _stale_alert(stale: Mapping[str, float]) -> Alert:
    since = {name: datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes") for name, at in sorted(stale.items())}
    lines = [f"{name}: last materialised {at}" for name, at in since.items()]
    return Alert(
        kind="stale_data",
        title=f"{len(stale)} {'asset is' if len(stale) == 1 else 'assets are'} stale",
        text="\n".join([*lines, "Is its schedule running, and did its last run succeed?"]),
        details={"last_materialised": since},
    )
