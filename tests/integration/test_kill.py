"""An ingestion that is killed again and again ends as one that nothing disturbed.

`kill -9` hits a bare process around the ingestion functions at moments drawn from a seed, while it lands and while it
loads, and the exchange fails, throttles, cuts answers short and doubles rows all the while.
"""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.sandbox.app import API
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.exchange_double import envelopes
from tests.integration.ingestion_process import Ingestion
from tests.integration.landing_process import market_windows

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NOW = datetime(2026, 6, 30, 18, tzinfo=UTC)
FAULTS = {
    "requests_per_second": 60,
    "burst": 5,
    "server_errors": 0.05,
    "truncated": 0.03,
    "duplicated": 0.05,
    "latency_seconds": 0.005,
    "seed": 1,
}
SERIES = ("KXCPI", "KXHIGHCHI")
#: What a kill waits for, and for how many seconds at most it waits on from there.
PHASES = {"landing": 0.25, "loading": 0.1}
Rows = Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with SandboxServer("sandbox", seed=7, now=NOW) as server:
        yield server.root_url


@pytest.fixture(scope="module")
def undisturbed(root: str, tmp_path_factory: pytest.TempPathFactory) -> Ingestion:
    """An ingestion of the days around the end of the historical tier that nothing disturbs."""
    border = httpx.get(f"{root}{API}/historical/cutoff").json()["market_settled_ts"]
    first = datetime.fromisoformat(border).date() - timedelta(days=10)
    days = tuple(first + timedelta(days=n) for n in range(20))
    with KalshiClient(root + API, pace=Pace(1_000)) as client:
        markets = [market for series in SERIES for market in market_windows(client, series)]
    ingestion = Ingestion(root + API, tmp_path_factory.mktemp("undisturbed"), tuple(markets), days, NOW, 4)
    ingestion.run()
    return ingestion


def rows(ingestion: Ingestion, table: str) -> Rows:
    """The rows of a raw table as they are, each as often as it is there."""
    with Warehouse(database=str(ingestion.database)).read() as con:
        return Counter(con.execute(f"from raw.{table}").fetchall())


def killed(ingestion: Ingestion, awaited: str, moments: random.Random) -> str:
    """Start the ingestion and kill it at a moment from its first ``awaited`` phase on; the phase it then was in."""
    plan = ingestion.folder.with_suffix(".pickle")
    plan.write_bytes(pickle.dumps(ingestion))
    command = [sys.executable, "-m", "tests.integration.ingestion_process", str(plan)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(awaited):
            time.sleep(moments.uniform(0, PHASES[awaited]))
            break
    assert process.poll() is None, "the ingestion ended before it could be killed"
    process.kill()
    rest = process.stdout.read().splitlines()
    process.stdout.close()
    assert process.wait() == -9
    return (rest[-1] if rest else line).split()[0]


def units_fetched_again(ingestion: Ingestion) -> int:
    """Units of which the exchange has answered some request more than once."""
    said = (json.loads(line) for path in (ingestion.folder / "logs").iterdir() for line in path.open())
    answered = Counter(attempt["url"] for attempt in said if attempt.get("status") == 200 and "error" not in attempt)
    unit_of = {
        line["url"]: path.name
        for dataset in ("candles", "trades")
        for path in ingestion.store.files(dataset, ingestion.days)
        for line in envelopes(path)
    }
    assert unit_of.keys() <= answered.keys()
    return len({unit for url, unit in unit_of.items() if answered[url] > 1})


@pytest.mark.parametrize(("workers", "kills"), [(1, 25), (4, 5)])
def test_kills_at_any_moment_lose_and_double_nothing(
    root: str, undisturbed: Ingestion, tmp_path: Path, workers: int, kills: int
) -> None:
    ingestion = replace(undisturbed, folder=tmp_path / "killed", workers=workers)
    moments = random.Random(20_261_121)
    httpx.post(f"{root}/sandbox/faults", json=FAULTS).raise_for_status()
    try:
        hit = Counter(killed(ingestion, phase, moments) for phase in islice(cycle(PHASES), kills))
        ingestion.run()
    finally:
        done = httpx.post(f"{root}/sandbox/faults", json={}).raise_for_status().json()
    assert hit["landing"] and hit["loading"], "every phase was hit"
    assert done["broken"] > 0, "the exchange misbehaved"
    for table in ("candles", "trades"):
        wanted = rows(undisturbed, table)
        assert wanted.total() > 1_000
        assert rows(ingestion, table) == wanted
    assert units_fetched_again(ingestion) <= kills * workers


def test_the_days_lie_on_both_sides_of_the_historical_tier(undisturbed: Ingestion) -> None:
    with Warehouse(database=str(undisturbed.database)).read() as con:
        tiers = con.execute("select distinct tier from raw.candles union select distinct tier from raw.trades")
        assert {tier for (tier,) in tiers.fetchall()} == {"live", "historical"}
        loaded: list[tuple[date]] = con.execute("select distinct partition_date from raw.candles order by 1").fetchall()
    assert [day for (day,) in loaded] == list(undisturbed.days)
