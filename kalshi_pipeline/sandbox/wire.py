"""Series, events, markets, books and trades in the words of the Trade API: string dollars, string counts, UTC times.

Pure: a thing and what is visible of it go in, a JSON object comes out. Not here: candles (``wire_candles``), and what
is visible (``visibility``).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kalshi_pipeline.sandbox.visibility import Status, Top
from kalshi_pipeline.sandbox.wire_candles import count, dollars
from kalshi_pipeline.sandbox.world import DOLLAR, Book, Event, FeeChange, Market, Series, Trades

Json = dict[str, Any]

UNKNOWN_TIME = "0001-01-01T00:00:00Z"
_PRICE_RANGES = [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}]


def timestamp(moment: datetime) -> str:
    """A time on the wire: RFC 3339, UTC, fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def series_object(series: Series, volume: int | None = None) -> Json:
    """A series; ``volume`` in hundredths of a contract where it was asked for."""
    source = series.settlement_source
    body: Json = {
        "ticker": series.ticker,
        "frequency": series.frequency,
        "title": series.title,
        "category": series.category,
        "categories": [series.category] if series.category else [],
        "tags": list(series.tags) or None,
        "settlement_sources": [{"name": source[0], "url": source[1]}] if source else None,
        "contract_url": "",
        "contract_terms_url": "",
        "fee_type": series.fee_type,
        "fee_multiplier": series.fee_multiplier,
        "additional_prohibitions": None,
        "exchange_index": 0,
    }
    if volume is not None:
        body["volume_fp"] = count(volume)
    return body


def event_object(event: Event, series: Series, markets: Sequence[Json] | None = None) -> Json:
    """An event, with its markets nested where given."""
    source = series.settlement_source
    body: Json = {
        "event_ticker": event.ticker,
        "series_ticker": event.series_ticker,
        "sub_title": event.sub_title,
        "title": event.title,
        "collateral_return_type": "MECNET" if event.mutually_exclusive else "",
        "mutually_exclusive": event.mutually_exclusive,
        "category": series.category,
        "strike_period": event.strike_period or "",
        "settlement_sources": [{"name": source[0], "url": source[1]}] if source else None,
        "last_updated_ts": timestamp(event.listed),
        "exchange_index": 0,
    }
    if event.strike_date is not None:
        body["strike_date"] = timestamp(event.strike_date)
        del body["strike_period"]
    if markets is not None:
        body["markets"] = list(markets)
    return body


def market_object(market: Market, status: Status, top: Top, updated: datetime) -> Json:
    """A market with its quote; the outcome from ``determined`` on, when it was settled only where that is final."""
    known = status in ("determined", "disputed", "amended", "finalized")
    body: Json = {
        "ticker": market.ticker,
        "event_ticker": market.event_ticker,
        "market_type": "binary",
        "title": market.title,
        "subtitle": market.yes_sub_title,
        "yes_sub_title": market.yes_sub_title,
        "no_sub_title": market.yes_sub_title,
        "created_time": timestamp(market.created) if market.created else UNKNOWN_TIME,
        "updated_time": timestamp(updated),
        "open_time": timestamp(market.open_time),
        "close_time": timestamp(market.close_time),
        "expected_expiration_time": timestamp(market.expected_expiration),
        "expiration_time": timestamp(market.close_time + timedelta(days=7)),
        "latest_expiration_time": timestamp(market.close_time + timedelta(days=7)),
        "settlement_timer_seconds": market.settlement_timer_seconds,
        "status": status,
        "notional_value_dollars": "1.0000",
        "yes_bid_dollars": dollars(top.bid),
        "yes_ask_dollars": dollars(top.ask),
        "no_bid_dollars": dollars(DOLLAR - top.ask),
        "no_ask_dollars": dollars(DOLLAR - top.bid),
        "yes_bid_size_fp": count(top.bid_size),
        "yes_ask_size_fp": count(top.ask_size),
        "last_price_dollars": dollars(top.last),
        "previous_yes_bid_dollars": dollars(top.earlier_bid),
        "previous_yes_ask_dollars": dollars(top.earlier_ask),
        "previous_price_dollars": dollars(top.earlier_last),
        "volume_fp": count(top.volume),
        "volume_24h_fp": count(top.volume_24h),
        "open_interest_fp": count(top.open_interest),
        "result": market.result if known else "",
        "can_close_early": True,
        "expiration_value": market.expiration_value if known else "",
        "rules_primary": market.rules,
        "rules_secondary": "",
        "price_level_structure": "linear_cent",
        "price_ranges": _PRICE_RANGES,
        "settlement_bounds_type": "default",
        "exchange_index": 0,
    }
    if market.occurrence is not None:
        body["occurrence_datetime"] = timestamp(market.occurrence)
    if market.strike_type is not None:
        body["strike_type"] = market.strike_type
        body |= {name: _number(value) for name, value in _strikes(market) if value is not None}
    if status == "finalized" and market.settlement_ts is not None:
        body["settlement_ts"] = timestamp(market.settlement_ts)
    if known and market.result in ("yes", "no"):
        body["settlement_value_dollars"] = dollars(DOLLAR if market.result == "yes" else 0)
    return body


def book_object(book: Book, depth: int = 0) -> Json:
    """A book: bids of both sides, ascending, the ``depth`` best of each (0 for all)."""
    yes, no = ([[dollars(ticks), count(size)] for ticks, size in levels[-depth:]] for levels in book)
    return {"yes_dollars": yes, "no_dollars": no}


def trade_object(market: Market, trades: Trades, row: int) -> Json:
    """One trade. The taker who buys YES takes an ask, so the side of the book he joins is the bid."""
    price, taker_yes = int(trades.price[row]), bool(trades.taker_yes[row])
    side = "yes" if taker_yes else "no"
    return {
        "trade_id": trade_id(market, trades, row),
        "ticker": market.ticker,
        "count_fp": count(int(trades.count[row])),
        "yes_price_dollars": dollars(price),
        "no_price_dollars": dollars(DOLLAR - price),
        "taker_side": side,
        "taker_outcome_side": side,
        "taker_book_side": "bid" if taker_yes else "ask",
        "created_time": timestamp(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(trades.time[row]))),
        "is_block_trade": False,
    }


def trade_id(market: Market, trades: Trades, row: int) -> str:
    """The recorded identifier, or one made from ticker and position in the tape."""
    if trades.ids:
        return trades.ids[row]
    return str(uuid.UUID(bytes=hashlib.blake2b(f"{market.ticker}|{row}".encode(), digest_size=16).digest()))


def fee_change_object(change: FeeChange) -> Json:
    """A scheduled change of a series' fee."""
    stamp = timestamp(change.scheduled)
    return {
        "id": hashlib.blake2b(f"{change.series_ticker}|{stamp}".encode(), digest_size=16).hexdigest(),
        "series_ticker": change.series_ticker,
        "fee_type": change.fee_type,
        "fee_multiplier": change.fee_multiplier,
        "scheduled_ts": stamp,
    }


def _strikes(market: Market) -> tuple[tuple[str, float | None], ...]:
    return (("floor_strike", market.floor_strike), ("cap_strike", market.cap_strike))


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value
