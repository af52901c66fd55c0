"""An ingestion as a process of its own, for tests that kill it: lands candles and trades, then prints the counts.

Arguments: root address of the API, landing folder, first day, last day, present time.
"""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from pathlib import Path

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.records import markets_of
from kalshi_pipeline.landing.collect import land_candles, land_trades
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import MarketWindow


def market_windows(client: KalshiClient, series_ticker: str) -> list[MarketWindow]:
    """The markets of a series in both tiers, with their lives."""
    windows = []
    for pages in (client.markets(series_ticker), client.historical_markets(series_ticker)):
        for m in markets_of(pages):
            assert m.open_time is not None and m.close_time is not None
            windows.append(
                MarketWindow(m.ticker, m.event_ticker, series_ticker, m.open_time, m.close_time, m.settlement_ts)
            )
    return windows


def ingest(url: str, root: Path, days: list[date], now: datetime, series: list[str]) -> list[LandingReport]:
    """Land the hourly candles and the trades of some series."""
    with KalshiClient(url, pace=Pace(2_000), concurrency=4, clock=lambda: now) as client:
        markets = [window for name in series for window in market_windows(client, name)]
        store = LandingStore(root)
        return [
            land_candles(client, store, markets, days, period_minutes=60, run_id="run"),
            land_trades(client, store, markets, days, run_id="run"),
        ]


if __name__ == "__main__":
    address, folder, first, last, present = sys.argv[1:6]
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    wanted = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
    for report in ingest(address, Path(folder), wanted, datetime.fromisoformat(present), sys.argv[6:]):
        print(report.dataset, report.landed, report.resumed, flush=True)
