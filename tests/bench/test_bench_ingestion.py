"""How fast ingestion is beside the pacing: landed bars to rows with the drift scan, a sync of 100,000 open markets.

Peak memory is that of a process of its own. Requests are counted, not timed.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.landing.bundles import Wanted
from kalshi_pipeline.landing.candles import CandleFact
from kalshi_pipeline.landing.collect import land_markets, land_quotes
from kalshi_pipeline.landing.lives import Window, events_of
from kalshi_pipeline.landing.planning import Span, plan_batches
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import MarketWindow
from kalshi_pipeline.warehouse.drift import DriftReport, scan_drift
from kalshi_pipeline.warehouse.loaders import load_candles, load_markets, load_quotes, load_trades
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.bench.ingestion_kit import MARKETS, MINUTES, Listing, landed_day, landed_listing, landed_trades
from tests.unit.least_requests import least_batches

DAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVENTS, OPEN_MARKETS = 60, 100_000
KIBIBYTES_A_MEBIBYTE = 1 << 10


def warehouse_in(folder: Path) -> Warehouse:
    migrate(folder / "kalshi.duckdb")
    return Warehouse(database=str(folder / "kalshi.duckdb"))


def scanned_and_loaded(warehouse: Warehouse, files: list[Path]) -> int:
    """Bars from landed bytes to committed rows, the drift scan included."""
    drift = DriftReport()
    with warehouse.write(bulk=True) as con:
        rows = load_candles(con, files, [DAY], run_id="bench", drift=drift).inserted
    assert drift.responses and not drift.counts
    return rows


def test_bars_from_landed_bytes_to_committed_rows(benchmark: Any, tmp_path: Path) -> None:
    warehouse, files = warehouse_in(tmp_path), landed_day(tmp_path / "landing", EVENTS)

    def emptied() -> None:
        with warehouse.write() as con:
            con.execute("DELETE FROM raw.candles")

    cpu_seconds = []

    def load() -> int:
        before = time.process_time()
        inserted = scanned_and_loaded(warehouse, files)
        cpu_seconds.append(time.process_time() - before)
        return inserted

    rows = benchmark.pedantic(load, setup=emptied, rounds=5, warmup_rounds=1)
    assert rows == EVENTS * MARKETS * MINUTES
    benchmark.extra_info["rows_per_second"] = round(rows / benchmark.stats.stats.min)
    benchmark.extra_info["rows_per_cpu_second"] = round(rows / min(cpu_seconds))


def test_the_drift_scan_of_landed_bars(benchmark: Any, tmp_path: Path) -> None:
    files = landed_day(tmp_path / "landing", EVENTS)
    report = benchmark.pedantic(lambda: scan_drift("candles", files), rounds=3, warmup_rounds=1)
    assert (report.responses, report.counts) == (EVENTS, {})
    benchmark.extra_info["rows_per_second"] = round(EVENTS * MARKETS * MINUTES / benchmark.stats.stats.min)


def sync(folder: Path, listing: Listing) -> tuple[int, int]:
    """Specifications and quotes of all open markets: fetched, landed, scanned, loaded."""
    store, warehouse = LandingStore(folder / "landing"), warehouse_in(folder)
    with KalshiClient(
        "https://exchange.test/trade-api/v2",
        pace=Pace(1e9),
        concurrency=8,
        clock=lambda: NOON,
        http=httpx.MockTransport(listing),
    ) as client:
        land_markets(client, store, ["KXBENCH"], "run")
        land_quotes(client, store, ["KXBENCH"], [DAY], run_id="run")
    specifications, quotes = store.files("markets"), store.files("quotes", [DAY])
    assert not scan_drift("markets", specifications).counts and not scan_drift("quotes", quotes).counts
    with warehouse.write(bulk=True) as con:
        return (
            load_markets(con, specifications, run_id="run").inserted,
            load_quotes(con, quotes, [DAY], run_id="run").inserted,
        )


def test_a_sync_of_a_hundred_thousand_open_markets(benchmark: Any, tmp_path: Path) -> None:
    listing, folders = Listing(OPEN_MARKETS), iter(range(10))

    def fresh() -> tuple[tuple[Path, Listing], dict[str, Any]]:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return (folder, listing), {}

    loaded = benchmark.pedantic(sync, setup=fresh, rounds=2)
    assert loaded == (OPEN_MARKETS, OPEN_MARKETS)


def test_peak_memory_of_a_load_does_not_grow_with_it(benchmark: Any, tmp_path: Path) -> None:
    def peaks() -> dict[int, int]:
        found = {}
        for events in (EVENTS, 4 * EVENTS, 8 * EVENTS):
            folder = tmp_path / str(events)
            landed_day(folder / "landing", events)
            with get_context("spawn").Pool(1) as pool:
                found[events * MARKETS * MINUTES] = pool.apply(_peak_of_a_load, (folder,))
        return found

    by_rows = benchmark.pedantic(peaks, rounds=1)
    benchmark.extra_info["peak_mebibytes_by_rows"] = by_rows
    _, four_times, eight_times = by_rows.values()
    assert max(by_rows.values()) < 1024
    # The smallest load may not fill what it is allowed; beyond it the peak stays where it is.
    assert eight_times <= 1.05 * four_times


def _peak_of_a_load(folder: Path) -> int:
    """Mebibytes that a process has needed at most after a scan and a load."""
    scanned_and_loaded(warehouse_in(folder), sorted((folder / "landing").iterdir()))
    return _peak()


@pytest.mark.parametrize(("dataset", "fewest"), [("markets", 50_000), ("trades", 500_000)])
def test_peak_memory_of_a_load_of_whole_pages_does_not_grow_with_it(
    benchmark: Any, tmp_path: Path, dataset: str, fewest: int
) -> None:
    """One file of pages of a thousand rows, at N and 4 N rows."""

    def peaks() -> dict[int, int]:
        found = {}
        for rows in (fewest, 4 * fewest):
            folder = tmp_path / str(rows)
            landed = {"markets": landed_listing, "trades": landed_trades}[dataset]
            landed(folder / "landing", rows)
            with get_context("spawn").Pool(1) as pool:
                found[rows] = pool.apply(_peak_of_pages, (folder, dataset, rows))
        return found

    by_rows = benchmark.pedantic(peaks, rounds=1)
    benchmark.extra_info["peak_mebibytes_by_rows"] = by_rows
    once, four_times = by_rows.values()
    assert four_times < 1024
    assert four_times <= 1.5 * once


def _peak_of_pages(folder: Path, dataset: str, rows: int) -> int:
    """Mebibytes that a process has needed at most after a scan and a load of the pages."""
    files = sorted((folder / "landing").iterdir())
    assert not scan_drift(dataset, files).counts
    with warehouse_in(folder).write(bulk=True) as con:
        if dataset == "markets":
            report = load_markets(con, files, run_id="bench")
        else:
            report = load_trades(con, files, [DAY], run_id="bench")
    assert report.inserted == rows
    return _peak()


def _peak() -> int:
    """Mebibytes that this process has needed at most; ``getrusage`` would count what its parent needed as well."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // KIBIBYTES_A_MEBIBYTE


@pytest.mark.parametrize("period", [1, 60])
@pytest.mark.parametrize("days", [1, 20])
def test_requests_for_the_bars_of_a_universe(benchmark: Any, days: int, period: int) -> None:
    """Six cities' daily highs and eighteen monthly ladders, bars of a minute or an hour."""
    start = datetime(2026, 6, 1, tzinfo=UTC)
    shapes = [("HIGH", city, day, 6, day + 0.58, day + 2.2) for city in range(6) for day in range(-2, 31)]
    shapes += [("CPI", release, close, 13, -30, close + 0.52) for release in range(6) for close in (5, 40, 70)]
    markets = [
        MarketWindow(f"{k}{a}-{b}-{n}", f"{k}{a}-{b}", f"{k}{a}", start + timedelta(days=o), start + timedelta(days=c))
        for k, a, b, count, o, c in shapes
        for n in range(count)
    ]
    fact, first = CandleFact(period), int(start.timestamp()) + 10 * 86_400
    run = Window(first, first + days * 86_400)
    wanted = [Wanted(event, window, run) for event in events_of(markets, fact.life) if (window := event.life & run)]
    cutoff = Cutoff(start - timedelta(days=999), start - timedelta(days=999))

    def plan() -> int:
        return sum(len(plan_batches(_spans(fact, b.markets, b.window), period)) for b in fact.bundles(wanted, cutoff))

    requests = benchmark(plan)
    spans = [span for want in wanted for span in _spans(fact, want.event.alive(want.window), want.window)]
    length = 60 * period
    candles = sum(span.end_ts // length - (span.start_ts - 1) // length for span in spans)
    benchmark.extra_info["requests"], benchmark.extra_info["least"] = requests, least_batches(spans, period)
    benchmark.extra_info["requests_per_million_candles"] = round(requests / candles * 1e6, 1)
    benchmark.extra_info["least_per_million_candles"] = round(least_batches(spans, period) / candles * 1e6, 1)


@pytest.mark.parametrize("events", [100, 1_000])
def test_planning_the_bars_of_many_markets(benchmark: Any, events: int) -> None:
    """Events of ten markets that live for 39 hours, six of them beginning every day; bars of a minute, one bundle."""
    begins = [event // 6 * 86_400 for event in range(events)]
    spans = [Span(f"E{n}-{m}", begin + 60, begin + 39 * 3_600) for n, begin in enumerate(begins) for m in range(10)]
    benchmark.extra_info["requests"] = len(benchmark.pedantic(lambda: plan_batches(spans, 1), rounds=3))
    benchmark.extra_info["least"] = least_batches(spans, 1)


def _spans(fact: CandleFact, markets: list[MarketWindow], window: Window) -> list[Span]:
    parts = [(market.ticker, fact.life(market) & window) for market in markets]
    return [Span(ticker, part.after_ts + 1, part.end_ts) for ticker, part in parts]
