"""The exchange's responses as they are known: the fields of every object we land, their JSON types, and which must be.

Stated by the Trade API at version 3.32. Landed responses are held against it, so that a field that is new, missing or
of another type is noticed although the loaders would pass over it. Lists may arrive as null, whatever the API says;
words (statuses, results, fee types) are open. Not here: what becomes of the fields (``warehouse.loaders``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

Text = str
#: A field that may be absent.
OptionalText = str | UnsetType
#: A field that may be absent or null.
NullableText = str | None | UnsetType


class WireObject(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A JSON object of which every field is known."""


class SettlementSource(WireObject):
    """Where a settlement value is published."""

    name: OptionalText = UNSET
    url: OptionalText = UNSET


class Series(WireObject):
    """A series."""

    ticker: Text
    frequency: Text
    title: Text
    category: Text
    categories: list[str] | None
    tags: list[str] | None
    settlement_sources: list[SettlementSource] | None
    contract_url: Text
    contract_terms_url: Text
    fee_type: Text
    fee_multiplier: float
    additional_prohibitions: list[str] | None
    product_metadata: dict[str, Any] | UnsetType | None = UNSET
    volume_fp: OptionalText = UNSET
    last_updated_ts: OptionalText = UNSET
    exchange_index: int | UnsetType = UNSET


class EventData(WireObject):
    """An event, as it is listed without its markets."""

    event_ticker: Text
    series_ticker: Text
    sub_title: Text
    title: Text
    collateral_return_type: Text
    mutually_exclusive: bool
    settlement_sources: list[SettlementSource] | None
    category: OptionalText = UNSET
    strike_date: NullableText = UNSET
    strike_period: NullableText = UNSET
    markets: list[Any] | UnsetType | None = UNSET
    product_metadata: dict[str, Any] | UnsetType | None = UNSET
    last_updated_ts: OptionalText = UNSET
    fee_type_override: NullableText = UNSET
    fee_multiplier_override: float | UnsetType | None = UNSET
    exchange_index: int | UnsetType = UNSET


class PriceRange(WireObject):
    """The tick between two prices."""

    start: Text
    end: Text
    step: Text


class Market(WireObject):
    """A market with its quote and, once there is one, its outcome."""

    ticker: Text
    event_ticker: Text
    market_type: Text
    yes_sub_title: Text
    no_sub_title: Text
    created_time: Text
    updated_time: Text
    open_time: Text
    close_time: Text
    latest_expiration_time: Text
    settlement_timer_seconds: int
    status: Text
    yes_bid_dollars: Text
    yes_bid_size_fp: Text
    yes_ask_dollars: Text
    yes_ask_size_fp: Text
    no_bid_dollars: Text
    no_ask_dollars: Text
    last_price_dollars: Text
    volume_fp: Text
    volume_24h_fp: Text
    open_interest_fp: Text
    notional_value_dollars: Text
    previous_yes_bid_dollars: Text
    previous_yes_ask_dollars: Text
    previous_price_dollars: Text
    result: Text
    can_close_early: bool
    expiration_value: Text
    rules_primary: Text
    rules_secondary: Text
    price_level_structure: Text
    price_ranges: list[PriceRange] | None
    settlement_bounds_type: Text
    title: OptionalText = UNSET
    subtitle: OptionalText = UNSET
    expected_expiration_time: NullableText = UNSET
    expiration_time: OptionalText = UNSET
    settlement_value_dollars: NullableText = UNSET
    settlement_ts: NullableText = UNSET
    settlement_floor_dollars: NullableText = UNSET
    occurrence_datetime: NullableText = UNSET
    fee_waiver_expiration_time: NullableText = UNSET
    early_close_condition: NullableText = UNSET
    strike_type: OptionalText = UNSET
    floor_strike: float | UnsetType | None = UNSET
    cap_strike: float | UnsetType | None = UNSET
    functional_strike: NullableText = UNSET
    custom_strike: dict[str, Any] | UnsetType | None = UNSET
    mve_collection_ticker: OptionalText = UNSET
    mve_selected_legs: list[Any] | UnsetType | None = UNSET
    primary_participant_key: NullableText = UNSET
    is_provisional: bool | UnsetType = UNSET
    exchange_index: int | UnsetType = UNSET


class BidAskDistribution(WireObject):
    """Quotes of a bar."""

    open_dollars: Text
    low_dollars: Text
    high_dollars: Text
    close_dollars: Text


class PriceDistribution(WireObject):
    """Trades of a bar; in a bar without trades only the one before it."""

    open_dollars: NullableText = UNSET
    low_dollars: NullableText = UNSET
    high_dollars: NullableText = UNSET
    close_dollars: NullableText = UNSET
    mean_dollars: NullableText = UNSET
    previous_dollars: NullableText = UNSET
    min_dollars: NullableText = UNSET
    max_dollars: NullableText = UNSET


class MarketCandlestick(WireObject):
    """A bar of the live tier."""

    end_period_ts: int
    yes_bid: BidAskDistribution
    yes_ask: BidAskDistribution
    price: PriceDistribution
    volume_fp: Text
    open_interest_fp: Text


class BidAskDistributionHistorical(WireObject):
    """Quotes of a bar, in the historical tier's words."""

    open: Text
    low: Text
    high: Text
    close: Text


class PriceDistributionHistorical(WireObject):
    """Trades of a bar, in the historical tier's words."""

    open: str | None
    low: str | None
    high: str | None
    close: str | None
    mean: str | None
    previous: str | None


class MarketCandlestickHistorical(WireObject):
    """A bar of the historical tier."""

    end_period_ts: int
    yes_bid: BidAskDistributionHistorical
    yes_ask: BidAskDistributionHistorical
    price: PriceDistributionHistorical | None
    volume: Text
    open_interest: Text


class Trade(WireObject):
    """A trade."""

    trade_id: Text
    ticker: Text
    count_fp: Text
    yes_price_dollars: Text
    no_price_dollars: Text
    taker_outcome_side: Text
    taker_book_side: Text
    created_time: Text
    is_block_trade: bool
    taker_side: OptionalText = UNSET


class OrderbookCountFp(WireObject):
    """The bids of both sides, each a list of price and count."""

    yes_dollars: list[list[str]] | UnsetType | None = UNSET
    no_dollars: list[list[str]] | UnsetType | None = UNSET


class MarketOrderbookFp(WireObject):
    """The order book of one of many markets."""

    ticker: Text
    orderbook_fp: OrderbookCountFp


class SeriesFeeChange(WireObject):
    """A scheduled change of a series' fee."""

    id: Text
    series_ticker: Text
    fee_type: Text
    fee_multiplier: float
    scheduled_ts: Text


class EventFeeChange(WireObject):
    """A scheduled change of an event's fee override; null clears it."""

    id: Text
    event_ticker: Text
    series_ticker: Text
    fee_type_override: str | None
    fee_multiplier_override: float | None
    scheduled_ts: Text


class DailySchedule(WireObject):
    """A session of a day, US Eastern wall time."""

    open_time: Text
    close_time: Text


class WeeklySchedule(WireObject):
    """The sessions of every weekday over a period of validity."""

    start_time: Text
    end_time: Text
    monday: list[DailySchedule] | None
    tuesday: list[DailySchedule] | None
    wednesday: list[DailySchedule] | None
    thursday: list[DailySchedule] | None
    friday: list[DailySchedule] | None
    saturday: list[DailySchedule] | None
    sunday: list[DailySchedule] | None


class MaintenanceWindow(WireObject):
    """A window without trading."""

    start_datetime: Text
    end_datetime: Text


class Schedule(WireObject):
    """The trading hours."""

    standard_hours: list[WeeklySchedule] | None
    maintenance_windows: list[MaintenanceWindow] | None


class ExchangeIndexStatus(WireObject):
    """The state of a shard."""

    exchange_index: int
    description: Text
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool


class ExchangeStatus(WireObject):
    """``GET /exchange/status``: the state of the whole."""

    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool | UnsetType = UNSET
    exchange_estimated_resume_time: NullableText = UNSET
    exchange_index_statuses: list[ExchangeIndexStatus] | UnsetType | None = UNSET


# The answers ----------------------------------------------------------------------------------------------------------


class SeriesAnswer(WireObject):
    """``GET /series/{series_ticker}``."""

    series: Series


class EventsAnswer(WireObject):
    """``GET /events``."""

    events: list[EventData] | None
    cursor: str | None
    milestones: list[Any] | UnsetType | None = UNSET


class MarketsAnswer(WireObject):
    """``GET /markets`` and ``GET /historical/markets``."""

    markets: list[Market] | None
    cursor: str | None


class MarketCandlesticks(WireObject):
    """The bars of one of many markets."""

    market_ticker: Text
    candlesticks: list[MarketCandlestick] | None


class BatchCandlesticksAnswer(WireObject):
    """``GET /markets/candlesticks``."""

    markets: list[MarketCandlesticks] | None


class HistoricalCandlesticksAnswer(WireObject):
    """``GET /historical/markets/{ticker}/candlesticks``."""

    ticker: Text
    candlesticks: list[MarketCandlestickHistorical] | None


class TradesAnswer(WireObject):
    """``GET /markets/trades`` and ``GET /historical/trades``."""

    trades: list[Trade] | None
    cursor: str | None


class OrderbooksAnswer(WireObject):
    """``GET /markets/orderbooks``."""

    orderbooks: list[MarketOrderbookFp] | None


class SeriesFeeChangesAnswer(WireObject):
    """``GET /series/fee_changes``."""

    series_fee_change_arr: list[SeriesFeeChange] | None


class EventFeeChangesAnswer(WireObject):
    """``GET /events/fee_changes``."""

    event_fee_changes: list[EventFeeChange] | None
    cursor: str | None


class ScheduleAnswer(WireObject):
    """``GET /exchange/schedule``."""

    schedule: Schedule


#: What a landed dataset consists of: by dataset, then by the tier that was asked.
ANSWERS: Mapping[str, Mapping[str, type[WireObject]]] = {
    "series": {"live": SeriesAnswer},
    "events": {"live": EventsAnswer},
    "markets": {"live": MarketsAnswer, "historical": MarketsAnswer},
    "quotes": {"live": MarketsAnswer},
    "candles": {"live": BatchCandlesticksAnswer, "historical": HistoricalCandlesticksAnswer},
    "trades": {"live": TradesAnswer, "historical": TradesAnswer},
    "orderbooks": {"live": OrderbooksAnswer},
    "series_fee_changes": {"live": SeriesFeeChangesAnswer},
    "event_fee_changes": {"live": EventFeeChangesAnswer},
    "exchange_schedules": {"live": ScheduleAnswer},
    "exchange_statuses": {"live": ExchangeStatus},
}
