"""An ingestion as a process of its own, for tests that kill it: day by day, candles and trades are landed and loaded.

It goes on with the first day that has not been loaded, as whoever starts a killed run again does, and it says on
standard output what it is about to do. Argument: the file of a pickled :class:`Ingestion`.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.request_log import RequestLog
from kalshi_pipeline.exchange.retrying import RetryPolicy
from kalshi_pipeline.landing.collect import land_candles, land_trades
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import MarketWindow
from kalshi_pipeline.warehouse.loaders import load_candles, load_trades
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse


@dataclass(frozen=True)
class Ingestion:
    """What is ingested, from where, to where.

    Attributes:
        url: root address of the API.
        folder: where landing, warehouse and request log are.
        markets: the markets with their lives.
        days: UTC days.
        now: what the exchange takes for now; responses are stamped with it, so runs can be compared row by row.
        workers: units fetched at once.
    """

    url: str
    folder: Path
    markets: tuple[MarketWindow, ...]
    days: tuple[date, ...]
    now: datetime
    workers: int

    @property
    def database(self) -> Path:
        return self.folder / "kalshi.duckdb"

    @property
    def store(self) -> LandingStore:
        return LandingStore(self.folder / "landing")

    def left(self) -> list[date]:
        """The days that have not been loaded."""
        with Warehouse(database=str(self.database)).read() as con:
            loaded = con.execute("select partition_date from meta.partition_loads where dataset = 'trades'")
            done = {day for (day,) in loaded.fetchall()}
        return [day for day in self.days if day not in done]

    def run(self) -> None:
        """Do what is left of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        migrate(self.database)
        policy = RetryPolicy(attempts=20, first_wait=0.01, longest_wait=0.1)
        with (
            closing(RequestLog(self.folder / "logs")) as journal,
            KalshiClient(
                self.url,
                pace=Pace(100),
                concurrency=self.workers,
                clock=lambda: self.now,
                policy=policy,
                journal=journal,
            ) as client,
        ):
            for day in self.left():
                print(f"landing {day}", flush=True)
                land_candles(client, self.store, self.markets, [day], period_minutes=60, run_id="run")
                land_trades(client, self.store, self.markets, [day], run_id="run")
                print(f"loading {day}", flush=True)
                with Warehouse(database=str(self.database)).write() as con:
                    load_candles(con, self.store.files("candles", [day]), [day], run_id="run")
                    load_trades(con, self.store.files("trades", [day]), [day], run_id="run")


if __name__ == "__main__":
    pickle.loads(Path(sys.argv[1]).read_bytes()).run()
