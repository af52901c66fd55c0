"""Starts Dagster runs from Python: a job, or some assets, over a range of partitions, in this process.

The runs are recorded in the same Dagster instance that the UI reads, so what a command did can be looked at there.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from kalshi_pipeline.settings import Settings

PROJECT_ROOT = Path(__file__).resolve().parents[1]
_OWN_INSTANCE = """# Dagster's storage for the runs of this source.
telemetry:
  enabled: false
nux:
  enabled: false
storage:
  custom:
    module: kalshi_pipeline.defs.event_storage
    class: PooledSqliteStorage
    config:
      base_dir: {folder}
python_logs:
  managed_python_loggers: [kalshi_pipeline]
  dagster_handler_config:
    handlers:
      lines:
        class: logging.handlers.RotatingFileHandler
        formatter: lines
        filename: {log}
        maxBytes: 20000000
        backupCount: 5
        delay: true
    formatters:
      lines:
        "()": kalshi_pipeline.logs.JsonLines
freshness:
  enabled: true
"""


#: How Dagster words an exception of ours: its class in front.
_OWN_CLASS = re.compile(r"^(kalshi_pipeline|dagster)[\w.]*: ")


#: Errors of ours that say that something named does not exist, by class.
NOT_FOUND = frozenset({"NothingFound", "UnknownSeries", "WarehouseMissing", "WorldError"})


class RunFailed(RuntimeError):
    """A Dagster run failed; the message names the step and its error.

    Attributes:
        not_found: whether the user named something that does not exist.
    """

    def __init__(self, message: str, *, not_found: bool = False) -> None:
        super().__init__(message)
        self.not_found = not_found


def source_tags(settings: Settings) -> dict[str, str]:
    """Tags of every run over a source: what the UI filters runs by."""
    return {"kalshi/source": settings.source_name, "kalshi/universe": "chosen" if settings.universe else "default"}


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance that keeps the runs of a source.

    The sandbox's runs are kept where ``dagster dev`` at the root of the checkout looks for them. Every other source
    has an instance of its own beside its data, so that a partition of one world never counts as done in another.
    """
    home = instance_home(settings)
    if home != PROJECT_ROOT:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            (home / "dagster.yaml").write_text(_OWN_INSTANCE.format(folder=home / "storage", log=home / "runs.jsonl"))
    return dg.DagsterInstance.from_config(str(home))


def instance_home(settings: Settings) -> Path:
    """Folder that holds the ``dagster.yaml`` of the source's instance."""
    shared = settings.source_name == "sandbox" and settings.data_dir == Settings().data_dir
    return PROJECT_ROOT if shared else (settings.source_dir / "dagster").absolute()


def run_assets(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    *,
    job: str = "everything",
    assets: Sequence[str] = (),
    days: tuple[date, date] | None = None,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    tags: Mapping[str, str] | None = None,
    heard: Callable[[dg.EventLogEntry], object] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job, or some of its assets, in this process.

    Args:
        defs: the definitions.
        instance: where the run is recorded.
        job: name of the job.
        assets: keys of the assets to materialise, ``schema/table``; empty means all of the job's.
        days: first and last partition; needed where an asset is partitioned.
        config: run configuration by name of the asset's function.
        tags: further tags of the run.
        heard: hears every event of the run.

    Raises:
        RunFailed: a step failed.
    """
    range_tags = {}
    if days:
        range_tags = {
            "dagster/asset_partition_range_start": days[0].isoformat(),
            "dagster/asset_partition_range_end": days[1].isoformat(),
        }
    run_id = str(uuid.uuid4())
    if heard is not None:
        instance.add_event_listener(run_id, heard)
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        asset_selection=_keys(assets) or None,
        tags={**(tags or {}), **range_tags},
        run_config={
            "ops": {name: {"config": dict(values)} for name, values in (config or {}).items()},
            "loggers": {"console": {"config": {"log_level": "ERROR"}}},
        },
        raise_on_error=False,
        run_id=run_id,
    )
    if not result.success:
        raise _first_failure(result)
    return result


def steps_of(defs: dg.Definitions, job: str, assets: Sequence[str] = ()) -> int:
    """How many steps a run of a job has, or one of some of its assets."""
    whole = defs.resolve_job_def(job)
    return len((whole.get_subset(asset_selection=set(_keys(assets))) if assets else whole).nodes)


def _keys(assets: Sequence[str]) -> list[dg.AssetKey]:
    return [dg.AssetKey(key.split("/")) for key in assets]


def _first_failure(result: dg.ExecuteInProcessResult) -> RunFailed:
    """The step that failed first and what it said; an error of our own says one sentence, without its class."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error and error.cause:
                error = error.cause
            said = error.message.strip() if error else "no message"
            missing = error is not None and error.cls_name in NOT_FOUND
            return RunFailed(f"{event.step_key}: {_OWN_CLASS.sub('', said)}", not_found=missing)
    return RunFailed(f"run {result.run_id} failed before its first step; the Dagster UI shows its log.")
