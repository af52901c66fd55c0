"""Schedules: when runs start by themselves. All are stopped until a user starts them."""

from __future__ import annotations

from datetime import UTC, timedelta

import dagster as dg

from kalshi_pipeline.defs.jobs import ingest, orderbook_snapshot, proofs, publish, quote_snapshot, reference
from kalshi_pipeline.defs.upkeep import checkpoint_job
from kalshi_pipeline.runs import source_tags
from kalshi_pipeline.settings import Settings

_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Quotes every KALSHI_QUOTE_MINUTES, books and reference data hourly, facts and upkeep daily, proofs weekly."""
    tags = source_tags(settings)

    @dg.schedule(
        job=quote_snapshot,
        cron_schedule=f"*/{settings.quote_minutes} * * * *",
        execution_timezone="UTC",
        description="Snapshot of every open market of the universe, into today's partition.",
    )
    def quote_snapshots(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _unless_running(context, quote_snapshot, dg.RunRequest(partition_key=_day(context), tags=tags))

    @dg.schedule(
        job=orderbook_snapshot,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        description="Order books of every open market of the universe, into today's partition.",
    )
    def hourly_orderbooks(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _unless_running(context, orderbook_snapshot, dg.RunRequest(partition_key=_day(context), tags=tags))

    @dg.schedule(
        job=reference,
        cron_schedule="15 * * * *",
        execution_timezone="UTC",
        description="Series, events, markets and settlements, every hour.",
    )
    def hourly_reference(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        request = dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)
        return _unless_running(context, reference, request)

    @dg.schedule(
        job=ingest,
        cron_schedule="30 0 * * *",
        execution_timezone="UTC",
        description="Candles, trades and quotes of the day that just ended.",
    )
    def daily_ingest(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=_day(context, days_back=1), tags=tags)

    @dg.schedule(
        job=publish,
        cron_schedule="0 2 * * *",
        execution_timezone="UTC",
        description="The tables as Parquet, when the facts of the day that ended have been taken in.",
    )
    def nightly_publication(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)

    @dg.schedule(
        job=checkpoint_job,
        cron_schedule="40 2 * * *",
        execution_timezone="UTC",
        description="The warehouse's log into its file.",
    )
    def nightly_checkpoint(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)

    @dg.schedule(
        job=proofs,
        cron_schedule="0 6 * * 0",
        execution_timezone="UTC",
        description="Proofs that nothing looked ahead, every Sunday.",
    )
    def weekly_proofs(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)

    return [
        quote_snapshots,
        hourly_orderbooks,
        hourly_reference,
        daily_ingest,
        nightly_publication,
        nightly_checkpoint,
        weekly_proofs,
    ]


def _unless_running(
    context: dg.ScheduleEvaluationContext, job: dg.UnresolvedAssetJobDefinition, request: dg.RunRequest
) -> dg.RunRequest | dg.SkipReason:
    """The request, unless an earlier run of the job is still under way: what it missed cannot be observed any more."""
    under_way = dg.RunsFilter(job_name=job.name, statuses=_UNDER_WAY)
    if context.instance.get_runs_count(under_way):
        return dg.SkipReason(f"An earlier run of {job.name} is still under way.")
    return request


def _day(context: dg.ScheduleEvaluationContext, *, days_back: int = 0) -> str:
    instant = context.scheduled_execution_time.astimezone(UTC) - timedelta(days=days_back)
    return instant.date().isoformat()
