"""From landed responses to raw tables: one module per dataset, each SQL over the landed files, some bytes at a time.

Reference datasets (series, events, markets, settlements, outcome vintages, fee changes, trading hours) add versions;
facts (quotes, candles, trades, order books) replace daily partitions. Fetching and landing belong to ``exchange`` and
``landing``; a load needs no network.
"""

from kalshi_pipeline.warehouse.loaders.candles import load_candles
from kalshi_pipeline.warehouse.loaders.events import load_events
from kalshi_pipeline.warehouse.loaders.exchange_hours import load_exchange_schedules, load_exchange_statuses
from kalshi_pipeline.warehouse.loaders.fee_changes import load_event_fee_changes, load_series_fee_changes
from kalshi_pipeline.warehouse.loaders.markets import load_markets
from kalshi_pipeline.warehouse.loaders.orderbooks import load_orderbooks
from kalshi_pipeline.warehouse.loaders.outcomes import StatisticRule, load_outcome_vintages
from kalshi_pipeline.warehouse.loaders.quotes import load_quotes
from kalshi_pipeline.warehouse.loaders.series import load_series
from kalshi_pipeline.warehouse.loaders.settlements import load_settlements
from kalshi_pipeline.warehouse.loaders.trades import load_trades

__all__ = [
    "StatisticRule",
    "load_candles",
    "load_event_fee_changes",
    "load_events",
    "load_exchange_schedules",
    "load_exchange_statuses",
    "load_markets",
    "load_orderbooks",
    "load_outcome_vintages",
    "load_quotes",
    "load_series",
    "load_series_fee_changes",
    "load_settlements",
    "load_trades",
]
