"""A warehouse with ladders and quotes made by hand, on which the assets of distributions run alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from kalshi_pipeline.defs.distances import distribution_distances
from kalshi_pipeline.defs.distribution_checks import CHECKS
from kalshi_pipeline.defs.distributions import implied_distributions
from kalshi_pipeline.runs import run_assets
from kalshi_pipeline.schemas.distributions import LADDER_LEGS, LADDERS
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.frames import write_table
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.unit.distribution_kit import ladders_of

_MARTS = """
create schema if not exists marts;
create table if not exists marts.event_outcomes (
    event_ticker varchar, value double, is_latest boolean, learned_at timestamptz
);
create table if not exists marts.market_settlements (ticker varchar, outcome_kind varchar);
create table if not exists marts.quotes (
    ticker varchar, available_ts timestamptz, quote_kind varchar, source varchar, period_minutes integer,
    yes_bid decimal(10, 6), yes_ask decimal(10, 6), last_price decimal(10, 6),
    volume decimal(18, 2), open_interest decimal(18, 2), partition_date date
);
"""
# A bar that ended at midnight is in the partition of the day before.
_PUT_QUOTES = """
insert into marts.quotes by name
select *, (available_ts - to_microseconds((period_minutes is not null)::bigint))::date as partition_date from incoming
"""
_TIME = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema(
    {
        "ticker": pa.string(),
        "available_ts": _TIME,
        "quote_kind": pa.string(),
        "source": pa.string(),
        "period_minutes": pa.int32(),
        **{name: pa.float64() for name in ("yes_bid", "yes_ask", "last_price", "volume", "open_interest")},
    }
)


def quote(ticker: str, at: datetime, bid: float | None, ask: float | None, **more: Any) -> dict[str, Any]:
    """One snapshot of a market's top of book, as ``marts.quotes`` holds it."""
    return {
        "ticker": ticker,
        "available_ts": at,
        "quote_kind": "order_book",
        "source": "live_snapshot",
        "period_minutes": None,
        "yes_bid": bid,
        "yes_ask": ask,
        "last_price": None,
        "volume": 100.0,
        "open_interest": 100.0,
        **more,
    }


@dataclass
class SnapshotWarehouse:
    """The file, and the assets of distributions over it."""

    settings: Settings
    instance: dg.DagsterInstance

    @classmethod
    @contextmanager
    def at(
        cls, folder: Path, markets: Sequence[Mapping[str, Any]], quotes: Sequence[Mapping[str, Any]], **more: Any
    ) -> Iterator[SnapshotWarehouse]:
        """A new warehouse that holds the markets' ladders and the quotes."""
        settings = Settings(**{"data_dir": folder, "grid_minutes": 60, "horizons_minutes": (60,), **more})
        settings.database.parent.mkdir(parents=True, exist_ok=True)
        migrate(settings.database)
        with dg.DagsterInstance.ephemeral() as instance:
            made = cls(settings, instance)
            tables = ladders_of(markets)
            with made.warehouse.write() as con:
                con.execute(_MARTS)
                write_table(con, LADDERS, tables.ladders, run_id="by hand")
                write_table(con, LADDER_LEGS, tables.legs, run_id="by hand")
            made.add_quotes(quotes)
            yield made

    @property
    def warehouse(self) -> Warehouse:
        """The way into the file."""
        return Warehouse(database=str(self.settings.database))

    def add_quotes(self, quotes: Sequence[Mapping[str, Any]]) -> None:
        """Put quotes beside those that are there."""
        incoming = pa.Table.from_pylist(list(quotes), schema=_SCHEMA)
        with self.warehouse.write() as con:
            con.register("incoming", incoming)
            con.execute(_PUT_QUOTES)

    def run(self, first: date, last: date | None = None) -> dg.ExecuteInProcessResult:
        """Materialise the snapshots and distances of some days, and run the checks."""
        definitions = dg.Definitions(
            assets=[implied_distributions, distribution_distances],
            asset_checks=CHECKS,
            jobs=[dg.define_asset_job("everything", dg.AssetSelection.all())],
            resources={"settings": self.settings, "warehouse": self.warehouse},
            executor=dg.in_process_executor,
        )
        return run_assets(definitions, self.instance, days=(first, last or first))

    def execute(self, sql: str) -> None:
        """Change the file behind the pipeline's back."""
        with self.warehouse.write() as con:
            con.execute(sql)

    def table(self, sql: str) -> pa.Table:
        """The result of a query."""
        with self.warehouse.read() as con:
            return con.execute(sql).to_arrow_table()

    def value(self, sql: str) -> Any:
        """The one value of a query."""
        return self.table(sql).column(0)[0].as_py()


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """What the checks of a run found, by name; of checks of one name the first that failed."""
    found: dict[str, dg.AssetCheckEvaluation] = {}
    for check in result.get_asset_check_evaluations():
        if check.check_name not in found or not check.passed:
            found[check.check_name] = check
    return found
