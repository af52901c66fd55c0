"""What a schedule does when its time comes: ask for a run, or say why not.

A tick is skipped while a run of its job that began earlier is under way, so runs never pile up; what it would have
observed is missing for good, and counted (``snapshot_gaps``). Not here: the schedules (``schedules``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

#: States of a run that has not ended.
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

#: A run that has been under way for longer is taken to have died with its machine: it holds nothing up any more.
DEAD_AFTER = timedelta(hours=24)


def partition_day(context: dg.ScheduleEvaluationContext, *, days_back: int = 0) -> str:
    """The partition of a tick: the UTC day it falls on, or one before."""
    instant = context.scheduled_execution_time.astimezone(UTC) - timedelta(days=days_back)
    return instant.date().isoformat()


def run_or_skip(
    context: dg.ScheduleEvaluationContext, job_name: str, tags: Mapping[str, str], *, partition: str | None = None
) -> dg.RunRequest | dg.SkipReason:
    """A run of the job, or why there is none: the run before it is still under way.

    Args:
        context: the tick.
        job_name: job of the schedule.
        tags: tags of the run.
        partition: partition to run, where the job has partitions.
    """
    tick = context.scheduled_execution_time.astimezone(UTC)
    if (reason := _held_up(context.instance, job_name, tick)) is not None:
        return dg.SkipReason(reason)
    if partition is not None:
        return dg.RunRequest(partition_key=partition, tags=tags)
    return dg.RunRequest(run_key=tick.isoformat(), tags=tags)


def _held_up(instance: dg.DagsterInstance, job_name: str, tick: datetime) -> str | None:
    """The sentence about the run that is still under way, if there is one."""
    filters = dg.RunsFilter(job_name=job_name, statuses=UNDER_WAY, created_after=tick - DEAD_AFTER)
    for record in instance.get_run_records(filters, limit=1):
        run, since = record.dagster_run, record.create_timestamp
        since = since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)
        return (
            f"The tick of {tick:%Y-%m-%d %H:%M} UTC is skipped: run {run.run_id[:8]} of {job_name}, created "
            f"{since:%Y-%m-%d %H:%M} UTC, is still {run.status.value.lower().replace('_', ' ')}."
        )
    return None
