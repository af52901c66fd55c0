"""Schedules: when runs start by themselves. All are stopped until a user starts them, and none piles up (``ticks``)."""

from __future__ import annotations

from typing import Any

import dagster as dg

from kalshi_pipeline.defs.canary import NOT_ALLOWED, canary_job, may_probe
from kalshi_pipeline.defs.jobs import ingest, orderbook_snapshot, proofs, publish, quote_snapshot, reconcile, reference
from kalshi_pipeline.defs.ticks import partition_day, run_or_skip
from kalshi_pipeline.defs.upkeep import checkpoint_job
from kalshi_pipeline.runs import source_tags
from kalshi_pipeline.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Quotes every KALSHI_QUOTE_MINUTES, books and reference data hourly, facts and upkeep daily, proofs weekly."""
    tags = source_tags(settings)

    def on(
        cron: str, name: str, job: Any, description: str, *, days_back: int | None = None, allowed: bool = True
    ) -> dg.ScheduleDefinition:
        """A schedule in UTC; ``days_back`` is how far the partition to run lies before the tick, if there is one."""

        @dg.schedule(name=name, job=job, cron_schedule=cron, execution_timezone="UTC", description=description)
        def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
            if not allowed:
                return dg.SkipReason(NOT_ALLOWED)
            partition = None if days_back is None else partition_day(context, days_back=days_back)
            return run_or_skip(context, job.name, tags, partition=partition)

        return schedule

    return [
        on(
            f"*/{settings.quote_minutes} * * * *",
            "quote_snapshots",
            quote_snapshot,
            "Snapshot of every open market of the universe, into today's partition.",
            days_back=0,
        ),
        on(
            "5 * * * *",
            "hourly_orderbooks",
            orderbook_snapshot,
            "Order books of every open market of the universe, into today's partition.",
            days_back=0,
        ),
        on("15 * * * *", "hourly_reference", reference, "Series, events, markets and settlements, every hour."),
        on(
            "30 0 * * *",
            "daily_ingest",
            ingest,
            "Candles, trades and quotes of the day that just ended.",
            days_back=1,
        ),
        on(
            "0 2 * * *",
            "nightly_publication",
            publish,
            "The tables as Parquet, when the facts of the day that ended have been taken in.",
        ),
        on(
            "20 2 * * *",
            "nightly_reconciliation",
            reconcile,
            "The raw tables of the last seven landed days against the landing.",
        ),
        on("40 2 * * *", "nightly_checkpoint", checkpoint_job, "The warehouse's log into its file."),
        on("0 6 * * 0", "weekly_proofs", proofs, "Proofs that nothing looked ahead, every Sunday."),
        on(
            "50 * * * *",
            "hourly_canary",
            canary_job,
            "The exchange held against its contract, where KALSHI_RUN_LIVE_API=1 allows to ask a remote one.",
            allowed=may_probe(settings),
        ),
    ]
