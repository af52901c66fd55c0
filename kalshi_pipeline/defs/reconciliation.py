"""Asset checks that hold raw tables against the landing: what was landed is there, once, unaltered, and nothing else.

They load the landed responses again into memory, so they cost about what the load costs. They stand outside the jobs
that ingest and have a job of their own.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.landing.integrity import damaged_files
from kalshi_pipeline.landing.store import LATEST, LandingStore
from kalshi_pipeline.schemas import raw
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.ingestion import landed_runs
from kalshi_pipeline.warehouse.reconciling import Reconciled, reconcile
from kalshi_pipeline.warehouse.resource import Warehouse

CHECK = "matches_landing"
_RUN = "reconciliation"
#: Raw tables with their loaders; a fact is loaded from the landed dataset of its name.
_FACTS: tuple[tuple[Table, Callable[..., Any]], ...] = (
    (raw.QUOTES, loaders.load_quotes),
    (raw.CANDLES, loaders.load_candles),
    (raw.TRADES, loaders.load_trades),
    (raw.ORDERBOOKS, loaders.load_orderbooks),
)
#: The same with the landed dataset each is loaded from.
_REFERENCES: tuple[tuple[Table, Callable[..., Any], str], ...] = (
    (raw.SERIES, loaders.load_series, "series"),
    (raw.EVENTS, loaders.load_events, "events"),
    (raw.MARKETS, loaders.load_markets, "markets"),
    (raw.SETTLEMENTS, loaders.load_settlements, "markets"),
)


class ReconciliationConfig(dg.Config):
    """How far back to look.

    Attributes:
        days: newest landed days to hold against the landing; 0 takes all.
    """

    days: int = 7


def _of_fact(table: Table, load: Callable[..., Any]) -> dg.AssetChecksDefinition:
    @_check(table, "The newest landed days hold what was landed, once and unaltered, and nothing else.")
    def matches_landing(
        config: ReconciliationConfig, settings: dg.ResourceParam[Settings], warehouse: Warehouse
    ) -> dg.AssetCheckResult:
        store = LandingStore(settings.landing_dir)
        names = store.partitions(table.name)[-config.days :]
        days = [date.fromisoformat(name) for name in names]
        if damaged := damaged_files(store, table.name, names):
            return _unusable(damaged)
        files = store.files(table.name, days)
        with warehouse.read() as con:
            found = reconcile(con, table, lambda con: load(con, files, days, run_id=_RUN), days)
        return _result(found)

    return matches_landing


def _of_reference(table: Table, load: Callable[..., Any], landed: str) -> dg.AssetChecksDefinition:
    @_check(table, "All versions are those that were landed, once and unaltered, and there are no others.")
    def matches_landing(settings: dg.ResourceParam[Settings], warehouse: Warehouse) -> dg.AssetCheckResult:
        store = LandingStore(settings.landing_dir)
        names = [name for name in store.partitions(landed) if name != LATEST]
        if damaged := damaged_files(store, landed, names):
            return _unusable(damaged)
        with warehouse.read() as con:
            # One observation after the other, as they were loaded: two may bear the same moment.
            place = {run_id: number for number, run_id in enumerate(landed_runs(con, landed))}
            manifests = sorted(store.manifests(landed, names), key=lambda it: place.get(it.run_id, len(place)))

            def replay(con: duckdb.DuckDBPyConnection) -> None:
                for manifest in manifests:
                    load(con, [store.root / unit.path for unit in manifest.landed], run_id=_RUN)

            found = reconcile(con, table, replay)
        return _result(found)

    return matches_landing


def _check(table: Table, description: str) -> Callable[[Callable[..., Any]], dg.AssetChecksDefinition]:
    return dg.asset_check(asset=asset_key(table), name=CHECK, description=description)


def _result(found: Reconciled) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=found.agrees,
        severity=dg.AssetCheckSeverity.ERROR,
        description=found.reason,
        metadata={
            "rows landed": found.landed,
            "rows stored": found.stored,
            "missing": found.missing,
            "repeated": found.repeated,
            "altered": found.altered,
            "unexpected": found.unexpected,
            "days that differ": ", ".join(map(str, found.days)) or "none",
        },
    )


def _unusable(damaged: Mapping[str, str]) -> dg.AssetCheckResult:
    """The landing itself is not what it was, so it can bear no witness."""
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(f"{path} is {what}" for path, what in sorted(damaged.items())[:5]),
        metadata={"damaged files": len(damaged)},
    )


RECONCILIATION_CHECKS: list[dg.AssetChecksDefinition] = [
    *(_of_fact(table, load) for table, load in _FACTS),
    *(_of_reference(table, load, landed) for table, load, landed in _REFERENCES),
]
