"""The market object of the exchange, as landed: shared by the specification, the outcome and the quote of a market."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import count_fields, price_fields, texts

_MARKET = struct(
    {
        **texts("ticker", "event_ticker", "market_type", "title", "yes_sub_title", "no_sub_title", "status"),
        **texts("created_time", "updated_time", "open_time", "close_time", "expected_expiration_time"),
        **texts("latest_expiration_time", "occurrence_datetime", "settlement_timer_seconds", "settlement_ts"),
        **texts("strike_type", "floor_strike", "cap_strike", "functional_strike", "can_close_early"),
        **texts("rules_primary", "rules_secondary", "price_level_structure", "result", "expiration_value"),
        **{"custom_strike": "JSON", "price_ranges": "JSON"},
        **price_fields("notional_value", "settlement_value", "yes_bid", "yes_ask", "last_price"),
        **count_fields("yes_bid_size", "yes_ask_size", "volume", "volume_24h", "open_interest"),
    }
)


def listed_markets(files: Sequence[Path]) -> str:
    """SQL for the market objects in the files, one a row, as ``item`` beside run_id, unit_id, received_at, context."""
    body = struct({"markets": f"{_MARKET}[]", "market": _MARKET})
    return f"""
        SELECT * EXCLUDE (body), unnest(coalesce(body.markets, [body.market])) AS item
        FROM ({responses(files, body)})
    """
