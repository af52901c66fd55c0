"""Landed candles and listed markets made by the thousand, as the exchange serves them today."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from tests.landed import response

FIRST_END = 1_780_272_060
MARKETS, MINUTES, PAGE = 6, 1_440, 1_000


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


def landed_day(folder: Path, events: int) -> list[Path]:
    """A day of one-minute bars: a file for each event of six markets, 8,640 bars in a batch response."""
    folder.mkdir(parents=True, exist_ok=True)
    bars = [f"[{', '.join(_bar(shift * MINUTES + minute) for minute in range(MINUTES))}]" for shift in range(MARKETS)]
    files = []
    for event in range(events):
        markets = ", ".join(
            f'{{"market_ticker": "KXHIGHNY-{event}-{market}", "candlesticks": {bars[market]}}}'
            for market in range(MARKETS)
        )
        files.append(folder / f"{event}.jsonl.gz")
        line = response(f'{{"markets": [{markets}]}}', period_minutes=1, unit_id=f"candles-{event}")
        # As the landing compresses: fast.
        files[-1].write_bytes(gzip.compress(line.encode(), compresslevel=1))
    return files


def market(number: int) -> dict[str, Any]:
    """One open market with all that the exchange says of it."""
    names = ("ticker", "event_ticker", "yes_sub_title", "no_sub_title", "title", "rules_primary")
    texts = {name: f"KXBENCH-{number // 40}-T{number % 40} " * (8 if name == "rules_primary" else 1) for name in names}
    moments = ("created_time", "updated_time", "open_time", "latest_expiration_time")
    prices = ("last_price", "previous_price", "previous_yes_bid", "previous_yes_ask", "no_bid", "no_ask")
    counts = ("yes_bid_size", "yes_ask_size", "volume", "volume_24h", "open_interest")
    return {
        **{name: text.strip() for name, text in texts.items()},
        **dict.fromkeys(moments, "2026-06-01T12:00:00Z"),
        "close_time": "2026-12-01T12:00:00Z",
        **{f"{name}_dollars": "0.4200" for name in prices},
        **{f"{name}_fp": f"{number % 1000}.00" for name in counts},
        "yes_bid_dollars": "0.4100",
        "yes_ask_dollars": "0.4300",
        "notional_value_dollars": "1.0000",
        "market_type": "binary",
        "status": "active",
        "result": "",
        "expiration_value": "",
        "rules_secondary": "",
        "settlement_timer_seconds": 300,
        "can_close_early": True,
        "settlement_bounds_type": "default",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "strike_type": "greater",
        "floor_strike": number % 40,
    }


def landed_listing(folder: Path, markets: int) -> list[Path]:
    """So many open markets of one series, a thousand a response, all in one file."""
    pages = (
        {"markets": [market(number) for number in range(first, first + PAGE)], "cursor": ""}
        for first in range(0, markets, PAGE)
    )
    return [_landed_pages(folder, pages)]


def landed_trades(folder: Path, trades: int) -> list[Path]:
    """So many trades of a day, a thousand a response, all in one file."""
    pages = (
        {"trades": [_trade(n) for n in range(first, first + PAGE)], "cursor": ""} for first in range(0, trades, PAGE)
    )
    return [_landed_pages(folder, pages)]


def _trade(number: int) -> dict[str, Any]:
    second = number % 86_400
    return {
        "trade_id": f"00000000-0000-4000-8000-{number:012}",
        "ticker": f"KXBENCH-{number // 4_000}-T{number % 40}",
        "created_time": f"2026-06-01T{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}.{number % 997:03}Z",
        "count_fp": f"{1 + number % 50}.00",
        "yes_price_dollars": f"0.{10 + number % 80}00",
        "no_price_dollars": f"0.{90 - number % 80}00",
        "taker_outcome_side": "yes",
        "taker_side": "yes",
        "taker_book_side": "bid",
        "is_block_trade": False,
    }


def _landed_pages(folder: Path, pages: Iterable[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pages.jsonl.gz"
    with gzip.open(file, "wt", compresslevel=1, encoding="utf-8") as stream:
        for page in pages:
            stream.write(response(page, unit_id="listing"))
    return file


class Listing:
    """An exchange that lists so many open markets of one series, a thousand a page."""

    def __init__(self, markets: int) -> None:
        """Write the pages beforehand: serving them is no part of what is measured."""
        pages = markets // PAGE
        self._pages = [
            json.dumps(
                {
                    "markets": [market(page * PAGE + row) for row in range(PAGE)],
                    "cursor": str(page + 1) if page + 1 < pages else "",
                }
            ).encode()
            for page in range(pages)
        ]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request for a page; the historical tier is empty."""
        if "/historical/" in request.url.path:
            return httpx.Response(200, json={"markets": [], "cursor": ""})
        return httpx.Response(200, content=self._pages[int(request.url.params.get("cursor") or 0)])
