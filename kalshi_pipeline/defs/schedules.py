"""Schedules: when runs start by themselves. All are stopped until a user starts them."""

from __future__ import annotations

from datetime import UTC, timedelta

import dagster as dg

from kalshi_pipeline.defs.jobs import ingest, orderbook_snapshot, publish, quote_snapshot, reference
from kalshi_pipeline.defs.upkeep import checkpoint_job
from kalshi_pipeline.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Quotes every KALSHI_QUOTE_MINUTES, order books and reference data hourly, facts and upkeep once a day."""

    @dg.schedule(
        job=quote_snapshot,
        cron_schedule=f"*/{settings.quote_minutes} * * * *",
        execution_timezone="UTC",
        description="Snapshot of every open market of the universe, into today's partition.",
    )
    def quote_snapshots(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=_day(context))

    @dg.schedule(
        job=orderbook_snapshot,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        description="Order books of every open market of the universe, into today's partition.",
    )
    def hourly_orderbooks(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=_day(context))

    @dg.schedule(
        job=reference,
        cron_schedule="15 * * * *",
        execution_timezone="UTC",
        description="Series, events, markets and settlements, every hour.",
    )
    def hourly_reference(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    @dg.schedule(
        job=ingest,
        cron_schedule="30 0 * * *",
        execution_timezone="UTC",
        description="Candles, trades and quotes of the day that just ended.",
    )
    def daily_ingest(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=_day(context, days_back=1))

    @dg.schedule(
        job=publish,
        cron_schedule="0 2 * * *",
        execution_timezone="UTC",
        description="The tables as Parquet, when the facts of the day that ended have been taken in.",
    )
    def nightly_publication(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    @dg.schedule(
        job=checkpoint_job,
        cron_schedule="40 2 * * *",
        execution_timezone="UTC",
        description="The warehouse's log into its file.",
    )
    def nightly_checkpoint(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    return [
        quote_snapshots,
        hourly_orderbooks,
        hourly_reference,
        daily_ingest,
        nightly_publication,
        nightly_checkpoint,
    ]


def _day(context: dg.ScheduleEvaluationContext, *, days_back: int = 0) -> str:
    instant = context.scheduled_execution_time.astimezone(UTC) - timedelta(days=days_back)
    return instant.date().isoformat()
