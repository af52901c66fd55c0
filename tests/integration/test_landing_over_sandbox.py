"""Ingestion over a real socket: complete, resumable, and undisturbed by an exchange that misbehaves."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.market_data import candles_in
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.exchange.retrying import RetryPolicy
from kalshi_pipeline.landing.collect import (
    land_candles,
    land_events,
    land_markets,
    land_quotes,
    land_series,
    land_trades,
)
from kalshi_pipeline.landing.report import UnknownSeries
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import MarketWindow
from kalshi_pipeline.sandbox.server import SandboxServer
from tests.exchange_double import envelopes
from tests.integration.landing_process import ingest, market_windows

pytestmark = pytest.mark.integration

NOW = datetime(2026, 6, 30, 18, tzinfo=UTC)
SERIES = ["KXCPI", "KXHIGHCHI"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SandboxServer("sandbox", seed=7, now=NOW) as server:
        yield server.base_url


@pytest.fixture
def faults(url: str) -> Iterator[Any]:
    """Sets what goes wrong; nothing does when the test is over."""

    def set_faults(**faults: Any) -> None:
        httpx.post(url.replace("/trade-api/v2", "/sandbox/faults"), json=faults).raise_for_status()

    yield set_faults
    set_faults()


@pytest.fixture
def client(url: str) -> Iterator[KalshiClient]:
    policy = RetryPolicy(attempts=10, first_wait=0.001, longest_wait=0.01)
    with KalshiClient(url, pace=Pace(100_000), concurrency=4, clock=lambda: NOW, policy=policy) as client:
        yield client


@pytest.fixture(scope="module")
def days(url: str) -> list[date]:
    """Days around the instant at which the historical tier ends."""
    with KalshiClient(url, pace=Pace(100), concurrency=1) as client:
        border = Cutoff.from_wire(client.cutoff().document).market_settled_ts.date()
    return [border + timedelta(days=n) for n in range(-2, 3)]


@pytest.fixture(scope="module")
def undisturbed(url: str, days: list[date], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The landing of an ingestion that nothing disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    ingest(url, root, days, NOW, SERIES)
    return root


def candles(root: Path, days: list[date]) -> Counter[tuple[Any, ...]]:
    """The bars of the days in the landing, with all they hold, as often as they are there."""
    begin, end = days[0], days[-1] + timedelta(days=1)
    return Counter(
        (ticker, candle)
        for path in LandingStore(root).files("candles", days)
        for line in envelopes(path)
        for ticker, candle in candles_in(line["body"])
        if begin <= (candle.end - timedelta(microseconds=1)).date() < end
    )


def trades(root: Path, days: list[date]) -> set[str]:
    return {
        row["trade_id"]
        for path in LandingStore(root).files("trades", days)
        for line in envelopes(path)
        for row in line["body"]["trades"]
    }


def test_every_bar_that_the_exchange_has_is_landed_once(
    client: KalshiClient, days: list[date], undisturbed: Path
) -> None:
    """Compared with every market asked by itself, of whichever tier knows it."""
    cutoff = Cutoff.from_wire(client.cutoff().document).market_settled_ts
    begin, end = (int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d in (days[0], days[-1]))

    def asked(market: MarketWindow) -> list[tuple[Any, ...]]:
        archived = market.settlement_ts is not None and market.settlement_ts < cutoff
        path = f"/series/{market.series_ticker}/markets/{market.ticker}/candlesticks"
        if archived:
            path = f"/historical/markets/{market.ticker}/candlesticks"
        window = {"start_ts": begin + 1, "end_ts": end + 86_400, "period_interval": 60}
        return list(candles_in(client.get(path, window, holds="candlesticks").document))

    markets = [m for name in SERIES for m in market_windows(client, name)]
    near = [m for m in markets if m.open_time.date() <= days[-1] and m.close_time.date() >= days[0]]
    with ThreadPoolExecutor(4) as pool:
        wanted = Counter(bar for bars in pool.map(asked, near) for bar in bars)
    assert wanted.total() > 1_000
    assert candles(undisturbed, days) == wanted


def test_both_tiers_were_asked(days: list[date], undisturbed: Path) -> None:
    for dataset in ("candles", "trades"):
        lines = (line for path in LandingStore(undisturbed).files(dataset, days) for line in envelopes(path))
        assert {line["context"]["tier"] for line in lines} == {"live", "historical"}


def test_every_dataset_lands_and_a_rerun_asks_nothing(client: KalshiClient, days: list[date], tmp_path: Path) -> None:
    store = LandingStore(tmp_path)
    markets = [m for name in SERIES for m in market_windows(client, name)]

    def land_all() -> list[int]:
        land_series(client, store, SERIES, "run")
        land_events(client, store, SERIES, "run")
        land_markets(client, store, SERIES, "run")
        land_quotes(client, store, SERIES, [*days, NOW.date()], run_id="run")
        land_candles(client, store, markets, days, period_minutes=1, run_id="run")
        land_trades(client, store, markets, days, run_id="run")
        datasets = ("series", "events", "markets")
        files = [len(store.files(name)) for name in datasets] + [len(store.files("quotes", [NOW.date()]))]
        return files + [len(store.files(name, days)) for name in ("candles", "trades")]

    first = land_all()
    assert all(count > 0 for count in first)
    sent = client.statistics.requests
    assert land_all() == first
    assert client.statistics.requests == sent


def test_an_unknown_series_is_named(client: KalshiClient, tmp_path: Path) -> None:
    with pytest.raises(UnknownSeries, match="KXNONE is not listed by the exchange"):
        land_events(client, LandingStore(tmp_path), ["KXCPI", "KXNONE"], "run")


def test_an_exchange_that_fails_and_stutters_loses_nothing(
    client: KalshiClient, faults: Any, days: list[date], undisturbed: Path, tmp_path: Path
) -> None:
    markets = [m for name in SERIES for m in market_windows(client, name)]
    faults(server_errors=0.2, truncated=0.1, seed=3)
    store = LandingStore(tmp_path)
    report = land_candles(client, store, markets, days, period_minutes=60, run_id="run")
    land_trades(client, store, markets, days, run_id="run")
    assert report.statistics.retries > 0
    assert candles(tmp_path, days) == candles(undisturbed, days)
    assert trades(tmp_path, days) == trades(undisturbed, days)


def test_a_killed_ingestion_resumes_and_ends_as_an_undisturbed_one(
    url: str, faults: Any, days: list[date], undisturbed: Path, tmp_path: Path
) -> None:
    faults(latency_seconds=0.02)
    arguments = [url, str(tmp_path), days[0].isoformat(), days[-1].isoformat(), NOW.isoformat(), *SERIES]
    command = [sys.executable, "-m", "tests.integration.landing_process", *arguments]
    whole: dict[Path, int] = {}
    for kill in range(4):
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)
        _wait_for_units(tmp_path, len(whole) + 1 + kill, process)
        assert process.poll() is None, "the ingestion ended before it could be killed"
        process.kill()
        process.wait()
        found = {path: path.stat().st_ino for path in tmp_path.rglob("*.jsonl.gz")}
        assert whole.items() <= found.items(), "a unit that had landed was fetched again"
        whole = found
    faults()
    reports = ingest(url, tmp_path, days, NOW, SERIES)
    units = sum(1 for _ in undisturbed.rglob("*.jsonl.gz"))
    assert 0 < len(whole) == units - sum(report.landed for report in reports)
    assert candles(tmp_path, days) == candles(undisturbed, days)
    assert trades(tmp_path, days) == trades(undisturbed, days)


def _wait_for_units(root: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until so many units have landed or the process has ended."""
    patience = time.monotonic() + 60
    while process.poll() is None and sum(1 for _ in root.rglob("*.jsonl.gz")) < count:
        assert time.monotonic() < patience, "no unit has landed for a minute"
        time.sleep(0.005)
