"""Raw assets: one partition of landed responses becomes typed rows in one transaction, or nothing does.

The responses are held against their known form first (check ``wire_drift``, which stops nothing). Rows are held
against the table's pandera schema before commit. The outcome is the asset's blocking ``schema`` check: quarantined
rows warn; a fault of structure or key, or too many faulty rows, fails it and writes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key, checked, drift_check, drift_result, schema_check
from kalshi_pipeline.defs.metadata import table_metadata
from kalshi_pipeline.defs.partitions import DAILY, ONE_RUN, partition_days
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.schemas import raw
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.drift import record_drift, scan_drift
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import WriteReport

OWNERS = ["team:ingestion"]
Load = Callable[..., WriteReport]


def _reference(table: Table, load: Load, landed: str, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(table),
        deps=[["landing", landed]],
        check_specs=[schema_check(table), drift_check(table)],
        group_name="reference",
        kinds={"duckdb"},
        owners=OWNERS,
        tags={"layer": "raw"},
        metadata=table_metadata(table),
        description=description,
        backfill_policy=ONE_RUN,
    )
    def loaded(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], warehouse: Warehouse
    ) -> Iterator[Any]:
        files = LandingStore(settings.landing_dir).files(landed)
        yield _scanned(table, landed, files, warehouse, context.run.run_id)

        def write() -> dict[str, WriteReport]:
            with warehouse.write() as con:
                return {table.name: load(con, files, run_id=context.run.run_id)}

        yield from checked([table], write)

    return loaded


def _fact(table: Table, load: Load, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(table),
        deps=[["landing", table.name]],
        check_specs=[schema_check(table), drift_check(table)],
        group_name="facts",
        kinds={"duckdb"},
        owners=OWNERS,
        tags={"layer": "raw"},
        metadata={**table_metadata(table), "partition_expr": table.partition_column},
        partitions_def=DAILY,
        backfill_policy=ONE_RUN,
        description=description,
    )
    def loaded(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], warehouse: Warehouse
    ) -> Iterator[Any]:
        days = partition_days(context)
        store = LandingStore(settings.landing_dir)
        files, reasons = store.files(table.name, days), store.reasons(table.name, days)
        yield _scanned(table, table.name, files, warehouse, context.run.run_id)

        def write() -> dict[str, WriteReport]:
            with warehouse.write() as con:
                return {table.name: load(con, files, days, run_id=context.run.run_id, reasons=reasons)}

        yield from checked([table], write)

    return loaded


def _scanned(
    table: Table, landed: str, files: Sequence[Path], warehouse: Warehouse, run_id: str
) -> dg.AssetCheckResult:
    """Scan the responses without holding the warehouse, then count what was found."""
    report = scan_drift(landed, files)
    with warehouse.write() as con:
        record_drift(con, table, report, run_id=run_id)
    return drift_result(table, report)


raw_series = _reference(
    raw.SERIES, loaders.load_series, "series", "Versions of every series' description, by observation."
)
raw_events = _reference(
    raw.EVENTS, loaders.load_events, "events", "Versions of every event's description, by observation."
)
raw_markets = _reference(
    raw.MARKETS,
    loaders.load_markets,
    "markets",
    "Versions of every market's specification (strikes, times, rules), by observation.",
)
raw_settlements = _reference(
    raw.SETTLEMENTS,
    loaders.load_settlements,
    "markets",
    "Versions of every market's outcome, by observation, with the moment a live user could have known it.",
)


@dg.asset(
    key=asset_key(raw.OUTCOME_VINTAGES),
    deps=[asset_key(raw.SETTLEMENTS), ["landing", "outcome_vintages"]],
    check_specs=[schema_check(raw.OUTCOME_VINTAGES)],
    group_name="reference",
    kinds={"duckdb"},
    owners=OWNERS,
    tags={"layer": "raw"},
    metadata=table_metadata(raw.OUTCOME_VINTAGES),
    backfill_policy=ONE_RUN,
    description=(
        "What releases turned out to be, as each feed said it and when: the exchange's settlements, vintages of "
        "published statistics, and a file of published values (KALSHI_OUTCOME_VINTAGES). Rows are only ever added."
    ),
)
def raw_outcome_vintages(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], warehouse: Warehouse
) -> Iterator[Any]:
    """Add what the feeds say and the table does not hold."""
    files = LandingStore(settings.landing_dir).files("outcome_vintages")

    def write() -> dict[str, WriteReport]:
        with warehouse.write() as con:
            report = loaders.load_outcome_vintages(
                con, files, statistic_rules(), settings.vintages_file, run_id=context.run.run_id
            )
            return {raw.OUTCOME_VINTAGES.name: report}

    yield from checked([raw.OUTCOME_VINTAGES], write)


def statistic_rules() -> list[loaders.StatisticRule]:
    """How published numbers are read, for every registered series."""
    return [
        loaders.StatisticRule(
            series_ticker=series,
            statistic=rule.statistic.id if rule.statistic else None,
            scale=rule.statistic.scale if rule.statistic else 1.0,
            grid_step=rule.grid_step,
            release_time=rule.release_time_local,
            timezone=rule.timezone,
        )
        for series, rule in Registry.load().series.items()
    ]


raw_quotes = _fact(
    raw.QUOTES, loaders.load_quotes, "Live snapshots of the top of book, one partition of landed snapshots at a time."
)
raw_candles = _fact(raw.CANDLES, loaders.load_candles, "Bars of 1, 60 and 1,440 minutes as the exchange serves them.")
raw_trades = _fact(
    raw.TRADES, loaders.load_trades, "Every trade of the chosen days, once: price, contracts, and the side that took."
)
raw_orderbooks = _fact(
    raw.ORDERBOOKS, loaders.load_orderbooks, "Price levels of the order books, both sides, by observation."
)
