"""The landing functions, one per dataset: what an asset or a command calls. Not here: how they work."""

from kalshi_pipeline.landing.candles import land_candles
from kalshi_pipeline.landing.reference import (
    land_event_fee_changes,
    land_events,
    land_exchange_schedules,
    land_exchange_statuses,
    land_markets,
    land_series,
    land_series_fee_changes,
)
from kalshi_pipeline.landing.snapshots import land_orderbooks, land_quotes
from kalshi_pipeline.landing.trades import land_trades

__all__ = [
    "land_candles",
    "land_event_fee_changes",
    "land_events",
    "land_exchange_schedules",
    "land_exchange_statuses",
    "land_markets",
    "land_orderbooks",
    "land_quotes",
    "land_series",
    "land_series_fee_changes",
    "land_trades",
]
