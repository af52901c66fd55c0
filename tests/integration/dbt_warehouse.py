"""A migrated warehouse in a folder of its own, raw rows made by hand, and dbt called on it inside this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.cli.main import dbtRunner

from kalshi_pipeline.schemas import raw
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.loaders import load_outcome_vintages
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import append_versions, write_partition

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"

DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPEN, CLOSE = NOON - timedelta(days=3), NOON + timedelta(days=1)

_LOADED = {"ingested_at": NOON, "unit_id": "unit"}
_OBSERVED = {"observed_at": NOON - timedelta(days=2), **_LOADED}
_BARS = {
    f"{side}_{name}": price
    for side, price in (("yes_bid", 0.40), ("yes_ask", 0.45))
    for name in ("open", "high", "low", "close")
}
#: What a row holds unless a test says otherwise.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "series": {"series_ticker": "KXCPI", "fee_type": "quadratic", **_OBSERVED},
    "events": {"event_ticker": "KXCPI-26JAN", "series_ticker": "KXCPI", "mutually_exclusive": False, **_OBSERVED},
    "markets": {
        **{"ticker": "KXCPI-26JAN-T0.3", "event_ticker": "KXCPI-26JAN", "series_ticker": "KXCPI", "tier": "live"},
        **{"market_type": "binary", "status": "active", "strike_type": "greater", "floor_strike": 0.3},
        **{"open_time": OPEN, "close_time": CLOSE, **_OBSERVED},
    },
    "settlements": {
        **{"ticker": "KXCPI-26JAN-T0.3", "event_ticker": "KXCPI-26JAN", "series_ticker": "KXCPI"},
        **{
            "status": "finalized",
            "result": "yes",
            "learned_at": NOON,
            "learned_at_basis": "settlement_ts",
            **_OBSERVED,
        },
    },
    "outcome_vintages": {
        **{"source": "alfred", "series_ticker": "KXCPI", "release_id": "KXCPI:2026-01-01", "stated_by": "CPIAUCSL"},
        **{"reference_period": date(2026, 1, 1), "value_text": "0.4", "value": 0.4, "learned_at_basis": "release_time"},
        **_OBSERVED,
    },
    "quotes": {
        **{"ticker": "KXCPI-26JAN-T0.3", "observed_at": NOON, "yes_bid": 0.40, "yes_ask": 0.45},
        **{"yes_bid_size": 10, "yes_ask_size": 10, "partition_date": DAY, **_LOADED},
    },
    "candles": {
        **{"ticker": "KXCPI-26JAN-T0.3", "bucket_start": NOON, "bucket_end": NOON + timedelta(minutes=1)},
        **{"source": "api_event", "period_minutes": 1, "quote_kind": "candle_close", "tier": "live", "volume": 0},
        **{"partition_date": DAY, **_BARS, **_LOADED},
    },
    "trades": {
        **{"trade_id": "trade-1", "ticker": "KXCPI-26JAN-T0.3", "created_time": NOON, "count": 1, "tier": "live"},
        **{"yes_price": 0.4, "no_price": 0.6, "partition_date": DAY, **_LOADED},
    },
}


@dataclass(frozen=True)
class Outcome:
    """What a dbt command did: of every node it ran the status, the message and the seconds it took."""

    success: bool
    statuses: Mapping[str, str]
    messages: Mapping[str, str]
    seconds: Mapping[str, float]

    def with_status(self, status: str) -> set[str]:
        return {node for node, its_status in self.statuses.items() if its_status == status}


@dataclass(frozen=True)
class DbtWarehouse:
    """A warehouse file with the means to fill its raw tables and to run dbt on it."""

    database: Path
    dbt_runner: dbtRunner

    @classmethod
    def migrated(cls, folder: Path, dbt_runner: dbtRunner) -> DbtWarehouse:
        database = folder / "kalshi.duckdb"
        migrate(database)
        return cls(database, dbt_runner)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(database=str(self.database))

    def observe(self, dataset: str, *rows: Mapping[str, Any]) -> None:
        """Add versions of what a reference table describes, in the order of their observation."""
        table = _table(dataset)
        versions = [{"content_hash": str(row), **row} for row in rows]
        for row in sorted(versions, key=lambda row: row.get("observed_at", NOON)):
            with self.warehouse.write() as con:
                _stage(con, table, [row])
                append_versions(con, table, "staged", run_id="run")
                if table is raw.SETTLEMENTS:
                    load_outcome_vintages(con, run_id="run")

    def load(self, dataset: str, *rows: Mapping[str, Any], day: date = DAY) -> None:
        """Replace one daily partition of a raw fact; no row leaves it empty."""
        table = _table(dataset)
        with self.warehouse.write() as con:
            _stage(con, table, [{"partition_date": day, **row} for row in rows])
            write_partition(con, table, "staged", partitions=[day], run_id="run")

    def execute(self, sql: str) -> None:
        """Change the file behind dbt's back."""
        with self.warehouse.write() as con:
            con.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.read() as con:
            return con.execute(sql).fetchall()

    def dbt(self, command: str, *arguments: str) -> Outcome:
        """Run dbt on the file; unit tests run only where asked for."""
        folder = self.database.parent / "dbt"
        result = self.dbt_runner.invoke(
            [
                *("--quiet", "--log-path", str(folder), command, *arguments),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder)),
            ]
        )
        if result.exception is not None:
            raise result.exception
        nodes = list(result.result) if result.result is not None else []
        return Outcome(
            success=result.success,
            statuses={node.node.name: str(node.status) for node in nodes},
            messages={node.node.name: str(node.message) for node in nodes if node.message},
            seconds={node.node.name: node.execution_time for node in nodes},
        )

    def build(self, *arguments: str) -> Outcome:
        """The build that production runs."""
        return self.dbt("build", "--exclude-resource-type", "unit_test", *arguments)


def parsed_runner(monkeypatch: pytest.MonkeyPatch, database: Path) -> dbtRunner:
    """A dbt that has the project parsed already, for the file that ``KALSHI_DUCKDB_PATH`` names from here on."""
    monkeypatch.setenv("KALSHI_DUCKDB_PATH", str(database))
    folder = str(database.parent / "dbt")
    parsed = dbtRunner().invoke(
        [
            *("--quiet", "--log-path", folder, "parse", "--target-path", folder),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        ]
    )
    assert parsed.success, parsed.exception
    return dbtRunner(manifest=parsed.result)  # type: ignore[arg-type]


def _table(dataset: str) -> Table:
    return next(table for table in raw.RAW_TABLES if table.name == dataset)


def _stage(con: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged AS FROM {table.qualified_name} LIMIT 0")
    for row in rows:
        values = {**DEFAULTS[table.name], **row}
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        con.execute(f"INSERT INTO staged ({names}) VALUES ({marks})", list(values.values()))
