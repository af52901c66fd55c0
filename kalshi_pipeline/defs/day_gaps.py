"""Asset checks that name the days of candles and trades which no run has landed, between days that have.

A run of such a day never began: its tick was skipped, or nothing was running. What is missing within a landed day is
the check ``coverage``; snapshots have ticks of their own (``snapshot_gaps``).
"""

from datetime import date

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.landing.gaps import days_missed
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.schemas import raw
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.settings import Settings

#: Days that are looked at, up to the newest landed one: as many as the health models look at.
_DAYS = 60


def _of(table: Table) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(table),
        name="no_day_was_missed",
        description=(
            f"Every day between landed ones has landed, as far as {_DAYS} days before the newest. A day that was "
            "missed can be filled: materialise its partition, or run `kalshi-pipeline backfill`. It stops nothing."
        ),
    )
    def no_day_was_missed(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        landed = LandingStore(settings.landing_dir).partitions(table.name)
        missed = days_missed(map(date.fromisoformat, landed), _DAYS)
        return dg.AssetCheckResult(
            passed=not missed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"days missed": len(missed), "days": ", ".join(map(str, missed))},
        )

    return no_day_was_missed


DAY_GAP_CHECKS = [_of(raw.CANDLES), _of(raw.TRADES)]
