"""Rows of every year of the wire come out typed, exact, and with nothing made up."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.exchange import wire
from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.exchange.market_data import Candle, Ohlc, Orderbook, Trade, candles_in
from kalshi_pipeline.exchange.records import Cutoff, Event, Market, Series, markets_of, markets_of_event
from kalshi_pipeline.exchange.transport import Response

pytestmark = pytest.mark.unit

D = Decimal


@pytest.mark.parametrize(
    ("row", "price"),
    [
        ({"p_dollars": "0.5600"}, D("0.5600")),
        ({"p_dollars": "0.0010", "p": 0}, D("0.0010")),
        ({"p": "0.1095"}, D("0.1095")),
        ({"p": 56}, D("0.56")),
        ({"p": 0}, D("0.00")),
        ({"p_dollars": [0, 0], "p": 7}, D("0.07")),
        ({"p_dollars": [0, 0]}, None),
        ({"p_dollars": None, "p": None}, None),
        ({"p": ""}, None),
        ({}, None),
    ],
)
def test_a_price_is_read_in_every_form_it_ever_had(row: dict[str, Any], price: Decimal | None) -> None:
    assert wire.dollars(row, "p") == price


@given(cents=st.integers(0, 100))
def test_cents_and_dollars_are_the_same_price(cents: int) -> None:
    assert wire.dollars({"p": cents}, "p") == wire.dollars({"p_dollars": f"{cents // 100}.{cents % 100:02d}00"}, "p")


@pytest.mark.parametrize("row", [{"p": 0.56}, {"p": True}, {"p_dollars": 0.56}, {"p": "NaN"}, {"p": "abc"}, {"p": {}}])
def test_a_price_in_a_form_it_never_had_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="a form it never had"):
        wire.dollars(row, "p")


@pytest.mark.parametrize(
    ("row", "count"),
    [({"n_fp": "12.50"}, D("12.50")), ({"n": "3"}, D(3)), ({"n": 3}, D(3)), ({"n_fp": None, "n": 4}, D(4)), ({}, None)],
)
def test_a_count_is_read_in_every_form_it_ever_had(row: dict[str, Any], count: Decimal | None) -> None:
    assert wire.contracts(row, "n") == count


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-12T22:08:10.446961Z", datetime(2026, 1, 12, 22, 8, 10, 446961, UTC)),
        ("2026-01-12T22:08:10.3987Z", datetime(2026, 1, 12, 22, 8, 10, 398700, UTC)),
        ("2026-01-12T22:08:10Z", datetime(2026, 1, 12, 22, 8, 10, tzinfo=UTC)),
        ("2026-01-12T17:08:10-05:00", datetime(2026, 1, 12, 22, 8, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_utc_and_year_one_is_no_time(text: str | None, moment: datetime | None) -> None:
    assert wire.instant({"t": text}, "t") == moment


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ContractError):
        wire.instant({"t": "tomorrow"}, "t")


MARKET = {
    "ticker": "KXCPI-26AUG-T0.3",
    "event_ticker": "KXCPI-26AUG",
    "market_type": "binary",
    "status": "a_word_of_tomorrow",
    "created_time": "0001-01-01T00:00:00Z",
    "open_time": "2026-07-01T14:00:00Z",
    "close_time": "2026-09-11T12:25:00Z",
    "yes_bid_dollars": "0.4100",
    "yes_ask_dollars": "0.4400",
    "yes_bid_size_fp": "120.00",
    "yes_ask_size_fp": "0.00",
    "volume_24h_fp": "17.50",
    "result": "",
    "settlement_value_dollars": None,
    "strike_type": "greater",
    "floor_strike": 0.3,
    "cap_strike": 0.3,
    "price_ranges": None,
    "a_field_of_tomorrow": {"x": 1},
}


def test_a_market_of_today_is_read_exactly() -> None:
    market = Market.from_wire(MARKET)
    assert (market.yes_bid, market.yes_ask) == (D("0.41"), D("0.44"))
    assert (market.no_bid, market.no_ask) == (D("0.56"), D("0.59"))
    assert (market.yes_bid_size, market.volume_24h) == (D(120), D("17.5"))
    assert (market.floor_strike, market.cap_strike) == (D("0.3"), D("0.3"))
    assert market.status == "a_word_of_tomorrow"
    assert market.created_time is None and market.result is None and market.settlement_value is None


def test_a_market_without_a_ticker_is_refused() -> None:
    with pytest.raises(ContractError, match="no 'ticker'"):
        Market.from_wire({**MARKET, "ticker": ""})


@pytest.mark.parametrize(
    "document",
    [
        {"event": {"event_ticker": "E"}, "markets": [MARKET]},
        {"event": {"event_ticker": "E", "markets": [MARKET]}, "markets": []},
        {"event": {"event_ticker": "E", "markets": [MARKET]}, "markets": None},
    ],
)
def test_an_events_markets_are_found_nested_and_beside_it(document: dict[str, Any]) -> None:
    assert [market.ticker for market in markets_of_event(document)] == [MARKET["ticker"]]


def test_an_archived_event_has_no_markets_and_that_is_no_error() -> None:
    assert markets_of_event({"event": {"event_ticker": "E"}, "markets": []}) == []


def test_lists_that_must_be_there_may_be_null() -> None:
    series = Series.from_wire({"ticker": "KXCPI", "tags": None, "settlement_sources": None, "fee_multiplier": 0.5})
    assert (series.tags, series.settlement_sources, series.fee_multiplier) == ((), (), D("0.5"))
    event = Event.from_wire({"event_ticker": "E", "strike_period": "", "strike_date": None})
    assert (event.strike_period, event.strike_date, event.mutually_exclusive) == (None, None, False)


QUOTE = {"open": "0.41", "low": "0.40", "high": "0.45", "close": "0.44"}


def candle(dialect: str, price: dict[str, Any]) -> dict[str, Any]:
    if dialect == "live":
        side = {f"{name}_dollars": value for name, value in QUOTE.items()}
        tail = {"volume_fp": "3.00", "open_interest_fp": "7.00"}
        price = {f"{name}_dollars": value for name, value in price.items()}
    else:
        side, tail = QUOTE, {"volume": "3.00", "open_interest": "7.00"}
    return {"end_period_ts": 1_767_225_600, "yes_bid": side, "yes_ask": side, "price": price, **tail}


def test_both_dialects_are_the_same_candle() -> None:
    traded = {**QUOTE, "mean": "0.4275", "previous": "0.39"}
    live = Candle.from_wire(candle("live", traded))
    assert live == Candle.from_wire(candle("historical", traded))
    assert live.end == datetime(2026, 1, 1, tzinfo=UTC)
    assert live.yes_bid == live.price == Ohlc(D("0.41"), D("0.45"), D("0.40"), D("0.44"))
    assert (live.price_mean, live.price_previous, live.volume, live.open_interest) == (D("0.4275"), D("0.39"), 3, 7)


@pytest.mark.parametrize(
    "price",
    [{"previous": "0.39"}, {**dict.fromkeys(QUOTE), "mean": None, "previous": "0.39"}],
)
def test_a_bar_without_trades_has_no_prices_whether_its_keys_are_absent_or_null(price: dict[str, Any]) -> None:
    bar = Candle.from_wire(candle("live", price))
    assert bar.price == Ohlc(None, None, None, None)
    assert bar.price_previous == D("0.39")


def test_a_bar_of_a_market_that_never_traded_may_have_an_empty_price() -> None:
    assert Candle.from_wire(candle("live", {})).price_previous is None


def test_every_candle_answer_names_the_market_of_its_bars() -> None:
    bar = candle("live", {})
    batch = {"markets": [{"market_ticker": "A", "candlesticks": [bar]}, {"market_ticker": "B", "candlesticks": None}]}
    event = {"market_tickers": ["A", "B"], "market_candlesticks": [[bar], []], "adjusted_end_ts": 0}
    single = {"ticker": "A", "candlesticks": [bar]}
    for document in (batch, event, single):
        assert [ticker for ticker, _ in candles_in(document)] == ["A"]


@pytest.mark.parametrize(
    "row",
    [
        {"orderbook_fp": {"yes_dollars": [["0.4200", "5.00"], ["0.4100", "9.00"]], "no_dollars": [["0.5500", "1.00"]]}},
        {"orderbook": {"yes": [[41, 9], [42, 5]], "no": [[55, 1]]}},
    ],
)
def test_a_book_is_read_in_both_forms_and_sorted_best_last(row: dict[str, Any]) -> None:
    book = Orderbook.from_wire("M", row)
    assert [level.price for level in book.yes] == [D("0.41"), D("0.42")]
    assert (book.yes_bid, book.yes_ask) == (D("0.42"), D("0.45"))


@pytest.mark.parametrize("side", [[], None])
def test_an_empty_side_of_a_book_has_no_price(side: list[Any] | None) -> None:
    book = Orderbook.from_wire("M", {"orderbook_fp": {"yes_dollars": side}})
    assert (book.yes_bid, book.yes_ask) == (None, None)


def test_an_old_trade_names_the_taker_by_its_old_word() -> None:
    old = {"trade_id": "t", "ticker": "M", "count": 99, "yes_price": 1, "no_price": 99, "taker_side": "yes"}
    trade = Trade.from_wire({**old, "created_time": "2024-07-11T18:47:33.403112Z"})
    assert (trade.yes_price, trade.no_price, trade.count) == (D("0.01"), D("0.99"), 99)
    assert (trade.taker_outcome_side, trade.taker_book_side, trade.is_block_trade) == ("yes", None, None)


def test_a_cutoff_without_its_instants_is_refused() -> None:
    with pytest.raises(ContractError, match="lacks an instant"):
        Cutoff.from_wire({"market_settled_ts": "2026-08-25T00:00:00Z", "trades_created_ts": None})


def test_a_market_that_two_pages_list_comes_out_once() -> None:
    def page(*tickers: str) -> Response:
        document = {"markets": [{**MARKET, "ticker": ticker} for ticker in tickers]}
        return Response("id", "url", 200, datetime(2026, 1, 1, tzinfo=UTC), b"", document)

    assert [market.ticker for market in markets_of([page("A", "B"), page(), page("B", "C")])] == ["A", "B", "C"]
