"""Real responses of every year, as recorded, become the rows that the typed parsers read in them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.exchange.market_data import Candle, Trade, candles_in
from kalshi_pipeline.exchange.records import Event, Market, Series
from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.landed import RECEIVED_AT, landed, response

pytestmark = pytest.mark.integration

RECEIVED = datetime.fromisoformat(RECEIVED_AT)


class Loaded:
    """A warehouse into which recorded bodies are loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        migrate(folder / "kalshi.duckdb")
        self._warehouse = Warehouse(database=str(folder / "kalshi.duckdb"))

    def load(self, dataset: str, *bodies: Any, days: set[date] | None = None, **context: Any) -> None:
        files = landed(self._folder / f"{dataset}.jsonl.gz", *(response(body, **context) for body in bodies))
        with self._warehouse.write() as con:
            load = getattr(loaders, f"load_{dataset}")
            report = load(con, files, *([sorted(days)] if days else []), run_id="run")
        assert report.quarantined == {} and report.inserted == report.rows

    def rows(self, table: str, *key: str) -> dict[Any, dict[str, Any]]:
        with self._warehouse.read() as con:
            rows = con.execute(f"SELECT * FROM raw.{table}").to_arrow_table().to_pylist()
        return {tuple(row[name] for name in key) if len(key) > 1 else row[key[0]]: row for row in rows}


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return Loaded(tmp_path)


@pytest.fixture(scope="module")
def samples(shared_dir: Path) -> Path:
    return shared_dir / "wire_samples"


def era2(samples: Path, name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((samples / "era2_obstacle_2026-01" / f"{name}_response.json").read_text())
    answer: dict[str, Any] = body["response"]
    return answer


def cents_only(samples: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((samples / "era1_cents_2025-05").glob("20*.json"))]


def without_cents(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the years with cents and dollars as it was written since: the dollars alone."""
    return {name: value for name, value in row.items() if f"{name}_dollars" not in row}


@pytest.mark.parametrize("era", ["cents only", "cents and dollars", "dollars only", "arrays for dollars"])
def test_markets_of_every_era(samples: Path, loaded: Loaded, era: str) -> None:
    if era == "cents only":
        rows = [row for document in cents_only(samples) for row in document["markets"]]
    else:
        rows = [*era2(samples, "markets_list")["markets"], *era2(samples, "event_single")["markets"]]
    if era == "dollars only":
        rows = [without_cents(row) for row in rows]
    if era == "arrays for dollars":
        rows = [{name: [0, 0] if name.endswith("_dollars") else value for name, value in row.items()} for row in rows]
    markets = {row["ticker"]: Market.from_wire(row) for row in rows}
    assert len(markets) > 3
    loaded.load("markets", {"markets": rows, "cursor": ""})
    loaded.load("quotes", {"markets": rows, "cursor": ""}, days={RECEIVED.date()})
    loaded.load("settlements", {"markets": rows, "cursor": ""})
    described, quoted = loaded.rows("markets", "ticker"), loaded.rows("quotes", "ticker")
    settled = loaded.rows("settlements", "ticker")
    assert described.keys() == quoted.keys() == markets.keys()
    assert settled.keys() == {ticker for ticker, market in markets.items() if market.result}
    for ticker, market in markets.items():
        for name in ("open_time", "close_time", "created_time", "strike_type", "notional_value", "status"):
            assert described[ticker][name] == getattr(market, name), name
        for name in ("floor_strike", "cap_strike"):
            value = getattr(market, name)
            assert described[ticker][name] == (None if value is None else float(value)), name
        sides = ("yes_bid", "yes_ask", "yes_bid_size", "yes_ask_size")
        for name in (*sides, "last_price", "volume", "volume_24h", "open_interest"):
            assert quoted[ticker][name] == getattr(market, name), name
    for ticker, row in settled.items():
        assert (row["result"], row["expiration_value"]) == (markets[ticker].result, markets[ticker].expiration_value)
        assert row["settlement_value"] == markets[ticker].settlement_value


@pytest.mark.parametrize("name", ["candlesticks_batch", "event_candlesticks", "series_candlesticks"])
@pytest.mark.parametrize("dollars_only", [False, True])
def test_candles_of_every_endpoint(samples: Path, loaded: Loaded, name: str, dollars_only: bool) -> None:
    document = era2(samples, name)
    if dollars_only:
        document = json.loads(json.dumps(document), object_hook=without_cents)
    bars = [(ticker or "ASKED", candle) for ticker, candle in candles_in(document)]
    days = {(candle.end - timedelta(microseconds=1)).date() for _, candle in bars}
    loaded.load("candles", document, days=days, period_minutes=1440, tickers=["ASKED"])
    rows = loaded.rows("candles", "ticker", "bucket_end")
    assert rows.keys() == {(ticker, candle.end) for ticker, candle in bars}
    for ticker, candle in bars:
        assert stored(rows[ticker, candle.end]) == read(candle)


def read(candle: Candle) -> list[Decimal | None]:
    prices = [getattr(part, name) for part in (candle.yes_bid, candle.yes_ask, candle.price) for name in _OHLC]
    return [*prices, candle.price_mean, candle.price_previous, candle.volume, candle.open_interest]


def stored(row: dict[str, Any]) -> list[Decimal | None]:
    names = [f"{part}_{name}" for part in ("yes_bid", "yes_ask", "price") for name in _OHLC]
    return [row[name] for name in (*names, "price_mean", "price_previous", "volume", "open_interest")]


_OHLC = ("open", "high", "low", "close")


def test_trades_of_both_years(samples: Path, loaded: Loaded) -> None:
    old = json.loads((samples / "era1_cents_2025-05" / "trades_by_ticker_2024-07-11.json").read_text())
    rows = [row for listed in old.values() for row in listed] + era2(samples, "trades_list")["trades"]
    trades = {row["trade_id"]: Trade.from_wire(row) for row in rows}
    days = {trade.created_time.date() for trade in trades.values() if trade.created_time}
    loaded.load("trades", {"trades": rows, "cursor": ""}, days=days)
    held = loaded.rows("trades", "trade_id")
    assert held.keys() == trades.keys()
    for trade_id, trade in trades.items():
        for name in ("ticker", "created_time", "count", "yes_price", "no_price", "taker_outcome_side"):
            assert held[trade_id][name] == getattr(trade, name), name


def test_series_with_null_lists_and_events(samples: Path, loaded: Loaded) -> None:
    series = {row["ticker"]: Series.from_wire(row) for row in era2(samples, "series_list")["series"]}
    loaded.load("series", era2(samples, "series_list"))
    held = loaded.rows("series", "series_ticker")
    assert held.keys() == series.keys()
    for ticker, one in series.items():
        assert (held[ticker]["title"], held[ticker]["frequency"]) == (one.title, one.frequency)
        assert json.loads(held[ticker]["tags"] or "null") in (list(one.tags), None if not one.tags else [])
        assert held[ticker]["fee_multiplier"] == float(one.fee_multiplier or 0)
    events = {row["event_ticker"]: Event.from_wire(row) for row in era2(samples, "events_list")["events"]}
    loaded.load("events", era2(samples, "events_list"))
    listed = loaded.rows("events", "event_ticker")
    assert listed.keys() == events.keys()
    for ticker, event in events.items():
        for name in ("series_ticker", "mutually_exclusive", "strike_date", "strike_period", "title"):
            assert listed[ticker][name] == getattr(event, name), name


def test_an_empty_book_of_nulls_has_no_levels(samples: Path, loaded: Loaded) -> None:
    loaded.load("orderbooks", era2(samples, "orderbook"), days={RECEIVED.date()}, tickers=["A"])
    assert loaded.rows("orderbooks", "ticker") == {}


def test_the_exchanges_hours_and_fees(samples: Path, loaded: Loaded) -> None:
    loaded.load("exchange_statuses", era2(samples, "exchange_status"))
    assert loaded.rows("exchange_statuses", "part")["exchange"]["trading_active"] is True
    loaded.load("exchange_schedules", era2(samples, "exchange_schedule"))
    hours = json.loads(loaded.rows("exchange_schedules", "exchange")["kalshi"]["standard_hours"])
    assert [session["close_time"] for session in hours[0]["thursday"]] == ["03:00", "00:00"]
    changes = era2(samples, "series_fee_changes")
    loaded.load("series_fee_changes", changes)
    held = loaded.rows("series_fee_changes", "change_id")
    assert held.keys() == {row["id"] for row in changes["series_fee_change_arr"] or ()}
    assert all(row["scheduled_ts"].tzinfo is not None and row["scheduled_ts"].astimezone(UTC) for row in held.values())
