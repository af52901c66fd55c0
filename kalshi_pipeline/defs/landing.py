"""Landing assets: raw responses of the exchange, archived unit by unit.

They hold no database lock while they fetch, so units fetch concurrently; a killed run resumes at the next unit, and a
failed unit leaves its partition failed with the unit named, in the run as in the warehouse's books.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from kalshi_pipeline.defs.books import Books
from kalshi_pipeline.defs.partitions import DAILY, ONE_RUN, midnight, partition_days
from kalshi_pipeline.defs.resources import Exchange
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.landing.collect import (
    land_candles,
    land_event_fee_changes,
    land_events,
    land_exchange_schedules,
    land_exchange_statuses,
    land_markets,
    land_orderbooks,
    land_quotes,
    land_series,
    land_series_fee_changes,
    land_trades,
)
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import MarketWindow
from kalshi_pipeline.landing.vintages import land_vintages
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.reading import market_windows
from kalshi_pipeline.warehouse.resource import Warehouse

OWNERS = ["team:ingestion"]


class FactConfig(dg.Config):
    """What to fetch of a fact.

    Attributes:
        series: series to fetch; empty means the whole universe.
        refresh: fetch again what a complete partition already has.
    """

    series: list[str] = Field(default_factory=list)
    refresh: bool = False


class CandleConfig(FactConfig):
    """What to fetch of the candles.

    Attributes:
        period_minutes: length of the bars, 1, 60 or 1440; 0 takes the setting (KALSHI_CANDLE_MINUTES).
    """

    period_minutes: int = 0


def _landed(
    name: str, description: str, *, daily: bool = False, after: Sequence[Sequence[str]] = ()
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset of this layer: reference data, or a daily fact."""
    return dg.asset(
        key=["landing", name],
        deps=after,
        group_name="facts" if daily else "reference",
        kinds={"json"},
        owners=OWNERS,
        tags={"layer": "landing"},
        partitions_def=DAILY if daily else None,
        backfill_policy=ONE_RUN,
        description=description,
    )


def _reference(name: str, land: Callable[..., LandingReport], description: str) -> dg.AssetsDefinition:
    @_landed(name, description)
    def landing(
        context: dg.AssetExecutionContext,
        exchange: dg.ResourceParam[Exchange],
        settings: dg.ResourceParam[Settings],
        warehouse: Warehouse,
    ) -> dg.MaterializeResult[None]:
        store = LandingStore(settings.landing_dir)
        books = Books(warehouse, store, name, context.run.run_id)
        return books.kept(lambda: land(exchange.client, store, exchange.universe, context.run.run_id))

    return landing


landing_series = _reference(
    "series",
    land_series,
    "Raw responses of `GET /series/{series_ticker}` for every series of the universe, one observation a run.",
)
landing_events = _reference(
    "events", land_events, "Raw pages of `GET /events` for every series of the universe, one observation a run."
)
landing_markets = _reference(
    "markets",
    land_markets,
    "Raw pages of `GET /markets` and `GET /historical/markets` for every series, one observation a run. "
    "Specifications and settlements are both loaded from them.",
)


@_landed(
    "outcome_vintages",
    "Raw vintages of the published statistics that series of the universe settle on, from ALFRED. A remote source "
    "without a key (KALSHI_FRED_API_KEY) fetches none and says so.",
)
def landing_outcome_vintages(
    context: dg.AssetExecutionContext,
    exchange: dg.ResourceParam[Exchange],
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> dg.MaterializeResult[None]:
    """Fetch every vintage of every statistic again: the archive is small, and says what changed."""
    if exchange.archive is None:
        return dg.MaterializeResult(metadata={"reason": "KALSHI_FRED_API_KEY is not set, so no vintages are fetched."})
    registry = Registry.load()
    wanted = {series: registry.rule(series).statistic for series in exchange.universe}
    statistics = {series: (wish.id, wish.units) for series, wish in wanted.items() if wish}
    archive, store, run_id = exchange.archive, LandingStore(settings.landing_dir), context.run.run_id
    books = Books(warehouse, store, "outcome_vintages", run_id)
    return books.kept(lambda: land_vintages(archive, store, statistics, run_id))


landing_series_fee_changes = _reference(
    "series_fee_changes",
    land_series_fee_changes,
    "Raw responses of `GET /series/fee_changes` for every series of the universe, past changes too.",
)
landing_event_fee_changes = _reference(
    "event_fee_changes", land_event_fee_changes, "Raw pages of `GET /events/fee_changes`, of the whole exchange."
)
landing_exchange_schedules = _reference(
    "exchange_schedules", land_exchange_schedules, "Raw responses of `GET /exchange/schedule`."
)
landing_exchange_statuses = _reference(
    "exchange_statuses", land_exchange_statuses, "Raw responses of `GET /exchange/status`."
)


def _snapshots(name: str, land: Callable[..., LandingReport], description: str) -> dg.AssetsDefinition:
    @_landed(name, description, daily=True)
    def landing(
        context: dg.AssetExecutionContext,
        exchange: dg.ResourceParam[Exchange],
        settings: dg.ResourceParam[Settings],
        warehouse: Warehouse,
    ) -> dg.MaterializeResult[None]:
        store, days, run_id = LandingStore(settings.landing_dir), partition_days(context), context.run.run_id
        return Books(warehouse, store, name, run_id, days).kept(
            lambda: land(exchange.client, store, exchange.universe, days, now=exchange.world.now, run_id=run_id)
        )

    return landing


_ONLY_WHILE_IT_RUNS = (
    "A snapshot can only be taken while its day runs: a past day that has none stays empty and says so."
)
landing_quotes = _snapshots(
    "quotes",
    land_quotes,
    "Raw snapshots of the top of book of every open market of the universe, stamped when each response arrived. "
    + _ONLY_WHILE_IT_RUNS,
)
landing_orderbooks = _snapshots(
    "orderbooks",
    land_orderbooks,
    "Raw order books of every open market of the universe, at full depth. " + _ONLY_WHILE_IT_RUNS,
)


@_landed(
    "candles",
    "Raw candlestick responses for every market open on the day, from the live and the historical tier. "
    "A unit is some events and a bar length over a window of days; a response is stored once and every day names it.",
    daily=True,
    after=[["raw", "markets"]],
)
def landing_candles(
    context: dg.AssetExecutionContext,
    config: CandleConfig,
    exchange: dg.ResourceParam[Exchange],
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> dg.MaterializeResult[None]:
    """Fetch what the days' manifests still lack of the bars."""
    minutes = exchange.candle_minutes(config.period_minutes or settings.candle_minutes)
    return _by_market(
        "candles", partial(land_candles, period_minutes=minutes), context, config, exchange, settings, warehouse
    )


@_landed(
    "trades",
    "Raw pages of the trades of every market open on the day, from the live and the historical tier.",
    daily=True,
    after=[["raw", "markets"]],
)
def landing_trades(
    context: dg.AssetExecutionContext,
    config: FactConfig,
    exchange: dg.ResourceParam[Exchange],
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> dg.MaterializeResult[None]:
    """Fetch what the days' manifests still lack of the trades."""
    return _by_market("trades", land_trades, context, config, exchange, settings, warehouse)


def _by_market(
    name: str,
    land: Callable[..., LandingReport],
    context: dg.AssetExecutionContext,
    config: FactConfig,
    exchange: Exchange,
    settings: Settings,
    warehouse: Warehouse,
) -> dg.MaterializeResult[None]:
    """Land a fact of the markets that trade at some moment of the days, as the warehouse knows them."""
    store, days, run_id = LandingStore(settings.landing_dir), partition_days(context), context.run.run_id
    first, until = midnight(days[0]), midnight(days[-1] + timedelta(days=1))
    with warehouse.read() as con:
        markets = [MarketWindow(*row) for row in market_windows(con, first, until, config.series or exchange.universe)]
    return Books(warehouse, store, name, run_id, days).kept(
        lambda: land(
            exchange.client, store, markets, days, now=exchange.world.now, run_id=run_id, refresh=config.refresh
        )
    )
