"""Asset checks that count the snapshots of the last days which were due and not taken."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.landing.gaps import ticks_of
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.schemas import raw
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.settings import Settings

#: Newest landed days that are looked at.
_DAYS = 7


def _of(table: Table, every: Callable[[Settings], timedelta], when: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(table),
        name="no_tick_was_missed",
        description=(
            f"From the first to the last snapshot of the newest {_DAYS} landed days there is one {when}. A snapshot "
            "that was not taken cannot be taken afterwards: what was missed is counted, and stops nothing."
        ),
    )
    def no_tick_was_missed(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        store = LandingStore(settings.landing_dir)
        days = store.partitions(table.name)[-_DAYS:]
        ticks = ticks_of(store.manifests(table.name, days), every(settings))
        by_day = Counter(f"missed on {tick:%Y-%m-%d}" for tick in ticks.missed)
        return dg.AssetCheckResult(
            passed=not ticks.missed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"ticks due": ticks.due, "ticks missed": len(ticks.missed), **by_day},
        )

    return no_tick_was_missed


SNAPSHOT_GAP_CHECKS = [
    _of(
        raw.QUOTES,
        lambda settings: timedelta(minutes=settings.quote_minutes),
        "every KALSHI_QUOTE_MINUTES",
    ),
    _of(raw.ORDERBOOKS, lambda _: timedelta(hours=1), "every hour"),
]
