"""Raw assets: one partition of landed responses becomes typed rows in one transaction, or nothing does.

The responses are held against their known form (check ``wire_drift``, which stops nothing). Rows are held
against the table's pandera schema before commit. The outcome is the asset's blocking ``schema`` check: quarantined
rows warn; a fault of structure or key, or too many faulty rows, fails it and writes nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import duckdb

from kalshi_pipeline.defs.books import Loading, manifests_of
from kalshi_pipeline.defs.checks import asset_key, checked, coverage_check, drift_check, schema_check
from kalshi_pipeline.defs.metadata import table_metadata
from kalshi_pipeline.defs.partitions import DAILY, ONE_RUN, partition_days
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.landing.ledger import asked_table
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.schemas import raw
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.drift import DriftReport
from kalshi_pipeline.warehouse.ingestion import record_coverage
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
        store, run_id = LandingStore(settings.landing_dir), context.run.run_id
        loading = Loading(warehouse, table, manifests_of(store, landed, ()), settings.source_name, run_id)
        files = store.files(landed)
        yield loading.scanned(landed, files)
        yield from checked(
            warehouse, [table], lambda: loading.entered(lambda con: load(con, files, run_id=run_id), bulk=True)
        )

    return loaded


def _fact(
    table: Table, load: Load, description: str, *, by_market: bool = False, one_pass: bool = False
) -> dg.AssetsDefinition:
    """A fact in daily partitions.

    Args:
        table: its table.
        load: replaces the days by what has landed.
        description: what it is.
        by_market: it is fetched market by market, so that a load settles the state of every market.
        one_pass: its loader takes note of drift as it reads the files.
    """

    @dg.asset(
        key=asset_key(table),
        deps=[["landing", table.name]],
        check_specs=[schema_check(table), drift_check(table), *([coverage_check(table)] if by_market else [])],
        group_name="facts",
        kinds={"duckdb"},
        owners=OWNERS,
        tags={"layer": "raw"},
        metadata=table_metadata(table),
        partitions_def=DAILY,
        backfill_policy=ONE_RUN,
        description=description,
    )
    def loaded(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], warehouse: Warehouse
    ) -> Iterator[Any]:
        store, run_id, days = LandingStore(settings.landing_dir), context.run.run_id, partition_days(context)
        manifests = manifests_of(store, table.name, days)
        loading = Loading(warehouse, table, manifests, settings.source_name, run_id, days)
        files, reasons, drift = store.files(table.name, days), store.reasons(table.name, days), DriftReport()
        noting = {"drift": drift} if one_pass else {}
        if not one_pass:
            yield loading.scanned(table.name, files)

        def write(con: duckdb.DuckDBPyConnection) -> WriteReport:
            report = load(con, files, days, run_id=run_id, reasons=reasons, **noting)
            if by_market:
                record_coverage(con, table, days, asked_table(manifests), run_id=run_id)
            return report

        try:
            yield from checked(warehouse, [table], lambda: loading.entered(write, bulk=True), days=days)
        except (dg.Failure, duckdb.Error):
            # The responses are as they are whether or not their rows can be written.
            if one_pass:
                yield loading.drifted(drift)
            raise
        if one_pass:
            yield loading.drifted(drift)
        if by_market:
            yield loading.coverage()

    return loaded


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
    store, run_id = LandingStore(settings.landing_dir), context.run.run_id
    manifests = manifests_of(store, "outcome_vintages", ())
    loading = Loading(warehouse, raw.OUTCOME_VINTAGES, manifests, settings.source_name, run_id)
    files = store.files("outcome_vintages")

    def write(con: duckdb.DuckDBPyConnection) -> WriteReport:
        return loaders.load_outcome_vintages(con, files, statistic_rules(), settings.vintages_file, run_id=run_id)

    yield from checked(warehouse, [raw.OUTCOME_VINTAGES], lambda: loading.entered(write))


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


raw_series_fee_changes = _reference(
    raw.SERIES_FEE_CHANGES,
    loaders.load_series_fee_changes,
    "series_fee_changes",
    "Versions of every scheduled change of a series' fee, by observation.",
)
raw_event_fee_changes = _reference(
    raw.EVENT_FEE_CHANGES,
    loaders.load_event_fee_changes,
    "event_fee_changes",
    "Versions of every scheduled change of an event's fee override, by observation.",
)
raw_exchange_schedules = _reference(
    raw.EXCHANGE_SCHEDULES,
    loaders.load_exchange_schedules,
    "exchange_schedules",
    "Versions of the exchange's trading hours, by observation; the Thursday pause is a gap in them.",
)
raw_exchange_statuses = _reference(
    raw.EXCHANGE_STATUSES,
    loaders.load_exchange_statuses,
    "exchange_statuses",
    "Versions of the state of the exchange and its shards, by observation: up, trading, or paused until when.",
)
raw_quotes = _fact(
    raw.QUOTES, loaders.load_quotes, "Live snapshots of the top of book, one partition of landed snapshots at a time."
)
raw_candles = _fact(
    raw.CANDLES,
    loaders.load_candles,
    "Bars of 1, 60 and 1,440 minutes as the exchange serves them.",
    by_market=True,
    one_pass=True,
)
raw_trades = _fact(
    raw.TRADES,
    loaders.load_trades,
    "Every trade of the chosen days, once: price, contracts, and the side that took.",
    by_market=True,
)
raw_orderbooks = _fact(
    raw.ORDERBOOKS, loaders.load_orderbooks, "Price levels of the order books, both sides, by observation."
)
