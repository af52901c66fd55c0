"""Real responses of every year, as recorded, read by the parsers of today."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kalshi_pipeline.exchange.market_data import Candle, Ohlc, Orderbook, Trade, candles_in
from kalshi_pipeline.exchange.records import Event, Market, Series, markets_of_event

pytestmark = pytest.mark.unit

ONE, ZERO = Decimal(1), Decimal(0)


@pytest.fixture(scope="module")
def samples(shared_dir: Path) -> Path:
    return shared_dir / "wire_samples"


def era1(samples: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((samples / "era1_cents_2025-05").glob("20*.json"))]


def era2(samples: Path, name: str) -> dict[str, Any]:
    path = samples / "era2_obstacle_2026-01" / f"{name}_response.json"
    response: dict[str, Any] = json.loads(path.read_text())["response"]
    return response


def raw_markets(samples: Path) -> Iterator[dict[str, Any]]:
    for document in era1(samples):
        yield from document["markets"]
    yield from era2(samples, "markets_list")["markets"]
    yield from era2(samples, "event_single")["markets"]
    yield era2(samples, "market_single")["market"]


def test_every_recorded_market_is_read(samples: Path) -> None:
    rows = list(raw_markets(samples))
    markets = [Market.from_wire(row) for row in rows]
    assert len(markets) > 30
    for row, market in zip(rows, markets, strict=True):
        assert market.ticker == row["ticker"]
        assert market.open_time is not None and market.close_time is not None
        assert market.open_time < market.close_time
        assert market.yes_bid is not None and ZERO <= market.yes_bid <= ONE
        assert market.volume == row["volume"]
        assert market.notional_value == ONE


def test_cents_beside_dollars_never_disagree_with_what_was_read(samples: Path) -> None:
    compared = 0
    for row in raw_markets(samples):
        market = Market.from_wire(row)
        for name in ("yes_bid", "yes_ask", "last_price"):
            value = getattr(market, name)
            if row.get("price_level_structure") == "deci_cent":
                continue  # its cents are rounded
            assert value == Decimal(row[name]) / 100
            compared += 1
    assert compared > 60


def test_the_no_side_mirrors_the_yes_side(samples: Path) -> None:
    for row in raw_markets(samples):
        market = Market.from_wire(row)
        assert market.no_bid == Decimal(row["no_bid"]) / 100
        assert market.no_ask == Decimal(row["no_ask"]) / 100


def test_old_markets_have_strikes_and_results_but_not_todays_fields(samples: Path) -> None:
    for document in era1(samples):
        event = Event.from_wire(document["event"])
        assert event.series_ticker == "KXHIGHNY" and event.mutually_exclusive
        markets = markets_of_event(document)
        assert {market.strike_type for market in markets} >= {"less", "between", "greater"}
        assert sum(market.result == "yes" for market in markets) == (markets[0].status == "finalized")
        # Some winners were recorded without their strike; it is missing, not zero.
        without = [market for market in markets if market.strike_type is None]
        assert all(m.result == "yes" and m.floor_strike is None and m.cap_strike is None for m in without)
        assert all(market.created_time is None and market.yes_bid_size is None for market in markets)


def test_year_one_is_no_creation_time(samples: Path) -> None:
    (market,) = markets_of_event(era2(samples, "event_single"))
    assert market.created_time is None
    assert Event.from_wire(era2(samples, "event_single")["event"]).strike_period is None


def test_every_recorded_series_is_read_with_its_null_lists(samples: Path) -> None:
    rows = era2(samples, "series_list")["series"]
    series = [Series.from_wire(row) for row in rows]
    assert len(series) == len(rows) > 200
    assert sum(row["tags"] is None for row in rows) > 0
    assert all(one.fee_multiplier == ONE for one in series)


def test_every_recorded_trade_is_read(samples: Path) -> None:
    old = json.loads((samples / "era1_cents_2025-05" / "trades_by_ticker_2024-07-11.json").read_text())
    rows = [row for listed in old.values() for row in listed] + era2(samples, "trades_list")["trades"]
    trades = [Trade.from_wire(row) for row in rows]
    assert len({trade.trade_id for trade in trades}) == len(rows) > 100
    for trade in trades:
        assert trade.yes_price is not None and trade.no_price is not None
        assert trade.yes_price + trade.no_price == ONE
        assert trade.taker_outcome_side in ("yes", "no")
        assert trade.created_time is not None and trade.created_time.tzinfo is UTC


@pytest.mark.parametrize("name", ["candlesticks_batch", "event_candlesticks", "series_candlesticks"])
def test_every_recorded_candle_is_read(samples: Path, name: str) -> None:
    bars = [candle for _, candle in candles_in(era2(samples, name))]
    assert len(bars) == 90
    for earlier, later in pairwise(bars):
        assert earlier.end < later.end
        # A bar without trades has no prices; its previous trade is the last close before it.
        last = earlier.price.close if earlier.price.close is not None else earlier.price_previous
        assert later.price_previous == last
    silent = [bar for bar in bars if bar.volume == 0]
    assert silent and all(bar.price == Ohlc(None, None, None, None) for bar in silent)
    assert all(bar.yes_bid.close is not None and bar.yes_ask.close is not None for bar in bars)


def test_daily_bars_end_24_hours_after_midnight_in_new_york_also_when_the_clock_changes(samples: Path) -> None:
    new_york = ZoneInfo("America/New_York")
    for _, candle in candles_in(era2(samples, "candlesticks_batch")):
        begun = (candle.end - timedelta(days=1)).astimezone(new_york)
        assert (begun.hour, begun.minute) == (0, 0)


def test_an_empty_book_of_nulls_is_read(samples: Path) -> None:
    book = Orderbook.from_wire("M", era2(samples, "orderbook"))
    assert (book.yes, book.no, book.yes_bid, book.yes_ask) == ((), (), None, None)


def test_candles_are_frozen(samples: Path) -> None:
    _, candle = next(candles_in(era2(samples, "series_candlesticks")))
    assert isinstance(candle, Candle)
    with pytest.raises(AttributeError):
        candle.volume = Decimal(1)  # type: ignore[misc]
