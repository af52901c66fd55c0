"""How fast landed responses become committed rows: one-minute bars, and a snapshot of many open markets."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.warehouse.loaders import load_candles, load_quotes
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.landed import landed, response

DAY = date(2026, 6, 1)
FIRST_END = 1_780_272_060
EVENTS, MARKETS, MINUTES = 60, 6, 1_440
SNAPSHOT_PAGES, PAGE = 100, 1_000


def _side(cents: int) -> str:
    return ", ".join(f'"{name}_dollars": "0.{cents:02}00"' for name in ("open", "high", "low", "close"))


def _bar(number: int) -> str:
    bid = 10 + number % 80
    price = _side(bid) + f', "mean_dollars": "0.{bid:02}50", ' if number % 3 == 0 else ""
    return (
        f'{{"end_period_ts": {FIRST_END + 60 * (number % MINUTES)}, "yes_bid": {{{_side(bid)}}}, '
        f'"yes_ask": {{{_side(bid + 2)}}}, "price": {{{price}"previous_dollars": "0.{bid:02}00"}}, '
        f'"volume_fp": "{number % 50}.00", "open_interest_fp": "{number % 5000}.00"}}'
    )


def _event(number: int) -> str:
    tickers = ", ".join(f'"KXHIGHNY-{number}-{market}"' for market in range(MARKETS))
    bars = ", ".join(
        f"[{', '.join(_bar(number + market * MINUTES + minute) for minute in range(MINUTES))}]"
        for market in range(MARKETS)
    )
    body = f'{{"market_tickers": [{tickers}], "market_candlesticks": [{bars}], "adjusted_end_ts": 0}}'
    return response(body, period_minutes=1, unit_id=f"candles-{number}")


def _page(number: int) -> str:
    markets = [
        {
            "ticker": f"M-{number}-{row}",
            "status": "active",
            "yes_bid_dollars": "0.4100",
            "yes_ask_dollars": "0.4300",
            "yes_bid_size_fp": "10.00",
            "yes_ask_size_fp": "7.00",
            "last_price_dollars": "0.4200",
            "volume_fp": "1000.00",
            "volume_24h_fp": "12.00",
            "open_interest_fp": "345.00",
        }
        for row in range(PAGE)
    ]
    return response({"markets": markets, "cursor": "next"}, received_at="2026-06-01T12:00:00Z", unit_id="snapshot")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    database = tmp_path / "kalshi.duckdb"
    migrate(database)
    return Warehouse(database=str(database), memory_limit="512MB")


def test_bars_from_landed_bytes_to_committed_rows(benchmark: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    files = [file for n in range(EVENTS) for file in landed(tmp_path / f"{n}.jsonl.gz", _event(n))]

    def emptied() -> None:
        with warehouse.write() as con:
            con.execute("DELETE FROM raw.candles")

    def load() -> int:
        with warehouse.write() as con:
            return load_candles(con, files, [DAY], run_id="bench").inserted

    rows = benchmark.pedantic(load, setup=emptied, rounds=5, warmup_rounds=1)
    assert rows == EVENTS * MARKETS * MINUTES
    benchmark.extra_info["rows_per_second"] = round(rows / benchmark.stats.stats.min)


def test_a_snapshot_of_a_hundred_thousand_markets(benchmark: Any, warehouse: Warehouse, tmp_path: Path) -> None:
    files = landed(tmp_path / "snapshot.jsonl.gz", *map(_page, range(SNAPSHOT_PAGES)))

    def emptied() -> None:
        with warehouse.write() as con:
            con.execute("DELETE FROM raw.quotes")

    def load() -> int:
        with warehouse.write() as con:
            return load_quotes(con, files, [DAY], run_id="bench").inserted

    assert benchmark.pedantic(load, setup=emptied, rounds=3) == SNAPSHOT_PAGES * PAGE
