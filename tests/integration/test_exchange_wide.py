"""Fees that will change and when the exchange trades: landed as they are served, loaded as versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.landing.collect import (
    land_event_fee_changes,
    land_exchange_schedules,
    land_exchange_statuses,
    land_series_fee_changes,
)
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.drift import scan_drift
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.landed import landed, response

pytestmark = pytest.mark.integration

#: A Thursday, 04:00 in New York: trading pauses.
PAUSED = datetime(2026, 6, 25, 8, tzinfo=UTC)
OPEN = datetime(2026, 6, 25, 12, tzinfo=UTC)
LAND = {
    "series_fee_changes": land_series_fee_changes,
    "event_fee_changes": land_event_fee_changes,
    "exchange_schedules": land_exchange_schedules,
    "exchange_statuses": land_exchange_statuses,
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    migrate(tmp_path / "kalshi.duckdb")
    return Warehouse(database=str(tmp_path / "kalshi.duckdb"))


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[LandingStore]:
    """Everything landed twice: in the weekly pause, and after it."""
    store = LandingStore(tmp_path / "landing")
    for now in (PAUSED, OPEN):
        with (
            SandboxServer("sandbox", seed=7, now=now) as server,
            KalshiClient(server.base_url, pace=Pace(1_000), concurrency=2, clock=lambda now=now: now) as client,
        ):
            for land in LAND.values():
                land(client, store, ["KXBTC", "KXCPI"], f"run-{now:%H}")
    yield store


def files_of(store: LandingStore, dataset: str) -> list[Path]:
    return [
        store.root / unit.path
        for name in ("observation-run-08", "observation-run-12")
        for unit in store.manifest(dataset, name).landed  # type: ignore[union-attr]
    ]


def rows(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    with warehouse.read() as con:
        return con.execute(sql).fetchall()


def test_what_the_exchange_serves_is_known_and_loaded_once(observed: LandingStore, warehouse: Warehouse) -> None:
    for dataset in LAND:
        files = files_of(observed, dataset)
        assert scan_drift(dataset, files).counts == {}
        for _ in range(2):
            with warehouse.write() as con:
                getattr(loaders, f"load_{dataset}")(con, files, run_id="load")
    fees = rows(warehouse, "SELECT series_ticker, scheduled_ts FROM raw.series_fee_changes ORDER BY 2")
    assert fees == [("KXBTC", datetime(year, 9, 1, tzinfo=UTC)) for year in (2026, 2027)]
    assert rows(warehouse, "SELECT count(*) FROM raw.exchange_schedules") == [(1,)]
    thursday = "SELECT standard_hours->0->'thursday'->0->>'close_time' FROM raw.exchange_schedules"
    assert rows(warehouse, thursday) == [("03:00",)]
    states = "SELECT part, observed_at, trading_active, estimated_resume_time FROM raw.exchange_statuses ORDER BY 1, 2"
    resumed = datetime(2026, 6, 25, 9, tzinfo=UTC)
    assert rows(warehouse, states) == [
        ("exchange", PAUSED, False, resumed),
        ("exchange", OPEN, True, None),
        ("shard 0", PAUSED, False, None),
        ("shard 0", OPEN, True, None),
    ]


def test_an_override_of_an_event_and_its_clearing(tmp_path: Path, warehouse: Warehouse) -> None:
    change = {
        "id": "c-1",
        "event_ticker": "KXCPI-26JUL",
        "series_ticker": "KXCPI",
        "fee_type_override": "flat",
        "fee_multiplier_override": 0.5,
        "scheduled_ts": "2026-07-01T00:00:00Z",
    }
    cleared = {**change, "id": "c-2", "fee_type_override": None, "fee_multiplier_override": None}
    files = landed(tmp_path / "u.jsonl.gz", response({"event_fee_changes": [change, cleared], "cursor": ""}))
    assert scan_drift("event_fee_changes", files).counts == {}
    with warehouse.write() as con:
        loaders.load_event_fee_changes(con, files, run_id="load")
    held = "SELECT change_id, fee_type_override, fee_multiplier_override FROM raw.event_fee_changes ORDER BY 1"
    assert rows(warehouse, held) == [("c-1", "flat", 0.5), ("c-2", None, None)]


def test_an_older_answer_without_shards_is_read(tmp_path: Path, warehouse: Warehouse) -> None:
    body = {"exchange_active": True, "trading_active": True}
    files = landed(tmp_path / "u.jsonl.gz", response(body))
    with warehouse.write() as con:
        loaders.load_exchange_statuses(con, files, run_id="load")
    assert rows(warehouse, "SELECT part, trading_active FROM raw.exchange_statuses") == [("exchange", True)]
