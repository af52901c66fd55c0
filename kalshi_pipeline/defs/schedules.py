"""Schedules: when runs start by themselves. All are stopped until a user starts them, and none piles up (``ticks``)."""

from __future__ import annotations

import dagster as dg

from kalshi_pipeline.defs.canary import NOT_ALLOWED, canary_job, may_probe
from kalshi_pipeline.defs.jobs import ingest, orderbook_snapshot, proofs, publish, quote_snapshot, reconcile, reference
from kalshi_pipeline.defs.ticks import partition_day, run_or_skip
from kalshi_pipeline.defs.upkeep import checkpoint_job
from kalshi_pipeline.runs import source_tags
from kalshi_pipeline.settings import Settings

Outcome = dg.RunRequest | dg.SkipReason


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Quotes every KALSHI_QUOTE_MINUTES, books and reference data hourly, facts and upkeep daily, proofs weekly."""
    tags = source_tags(settings)

    @dg.schedule(
        job=quote_snapshot,
        cron_schedule=f"*/{settings.quote_minutes} * * * *",
        execution_timezone="UTC",
        description="Snapshot of every open market of the universe, into today's partition.",
    )
    def quote_snapshots(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, quote_snapshot.name, tags, partition=partition_day(context))

    @dg.schedule(
        job=orderbook_snapshot,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        description="Order books of every open market of the universe, into today's partition.",
    )
    def hourly_orderbooks(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, orderbook_snapshot.name, tags, partition=partition_day(context))

    @dg.schedule(
        job=reference,
        cron_schedule="15 * * * *",
        execution_timezone="UTC",
        description="Series, events, markets and settlements, every hour.",
    )
    def hourly_reference(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, reference.name, tags)

    @dg.schedule(
        job=ingest,
        cron_schedule="30 0 * * *",
        execution_timezone="UTC",
        description="Candles, trades and quotes of the day that just ended.",
    )
    def daily_ingest(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, ingest.name, tags, partition=partition_day(context, days_back=1))

    @dg.schedule(
        job=publish,
        cron_schedule="0 2 * * *",
        execution_timezone="UTC",
        description="The tables as Parquet, when the facts of the day that ended have been taken in.",
    )
    def nightly_publication(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, publish.name, tags)

    @dg.schedule(
        job=reconcile,
        cron_schedule="20 2 * * *",
        execution_timezone="UTC",
        description="The raw tables of the last seven landed days against the landing.",
    )
    def nightly_reconciliation(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, reconcile.name, tags)

    @dg.schedule(
        job=checkpoint_job,
        cron_schedule="40 2 * * *",
        execution_timezone="UTC",
        description="The warehouse's log into its file.",
    )
    def nightly_checkpoint(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, checkpoint_job.name, tags)

    @dg.schedule(
        job=canary_job,
        cron_schedule="50 * * * *",
        execution_timezone="UTC",
        description="The exchange held against its contract, where KALSHI_RUN_LIVE_API=1 allows to ask a remote one.",
    )
    def hourly_canary(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, canary_job.name, tags) if may_probe(settings) else dg.SkipReason(NOT_ALLOWED)

    @dg.schedule(
        job=proofs,
        cron_schedule="0 6 * * 0",
        execution_timezone="UTC",
        description="Proofs that nothing looked ahead, every Sunday.",
    )
    def weekly_proofs(context: dg.ScheduleEvaluationContext) -> Outcome:
        return run_or_skip(context, proofs.name, tags)

    return [
        quote_snapshots,
        hourly_orderbooks,
        hourly_reference,
        daily_ingest,
        nightly_publication,
        nightly_reconciliation,
        nightly_checkpoint,
        weekly_proofs,
        hourly_canary,
    ]
