"""Schedules: when runs start by themselves. All are stopped until a user starts them."""

from __future__ import annotations

from datetime import UTC, timedelta

import dagster as dg

from kalshi_pipeline.defs.jobs import ingest, orderbook_snapshot, quote_snapshot, reference
from kalshi_pipeline.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Quote snapshots (every KALSHI_QUOTE_MINUTES), order books and reference data hourly, yesterday's facts daily."""

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

    return [quote_snapshots, hourly_orderbooks, hourly_reference, daily_ingest]


def _day(context: dg.ScheduleEvaluationContext, *, days_back: int = 0) -> str:
    instant = context.scheduled_execution_time.astimezone(UTC) - timedelta(days=days_back)
    return instant.date().isoformat()
