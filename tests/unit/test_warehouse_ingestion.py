"""The books of ingestion: current states are replaced by partition, the log and the provenance only grow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from kalshi_pipeline.defs.checks import coverage_result
from kalshi_pipeline.landing.ledger import ASKED, asked_table, contents_table, units_table
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry
from kalshi_pipeline.schemas.raw import CANDLES, TRADES
from kalshi_pipeline.warehouse.ingestion import (
    landed_runs,
    record_coverage,
    record_failures,
    record_provenance,
    record_run,
    record_units,
    states,
)
from kalshi_pipeline.warehouse.migrations import migrate

pytestmark = pytest.mark.unit

DAY, NEXT = date(2026, 6, 1), date(2026, 6, 2)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    migrate(tmp_path / "kalshi.duckdb")
    with duckdb.connect(tmp_path / "kalshi.duckdb") as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def unit(name: str, *alive: str, reason: str = "", period: int | None = 60) -> UnitEntry:
    context = {"event_ticker": name} | ({"period_minutes": period} if period else {})
    return UnitEntry(name, context, "failed" if reason else "landed", sha256=f"sha-{name}", alive=alive, reason=reason)


def manifest(*units: UnitEntry, day: date = DAY, dataset: str = "candles") -> Manifest:
    return Manifest(dataset, day.isoformat(), True, "run-1", "2026-06-02T00:00:00+00:00", units=units)


def listed(con: duckdb.DuckDBPyConnection, ticker: str, opened: datetime, closed: datetime) -> None:
    con.execute(
        "INSERT INTO raw.markets BY NAME SELECT ? AS ticker, 'E' AS event_ticker, 'S' AS series_ticker, "
        "? AS open_time, ? AS close_time, 'live' AS tier, now() AS observed_at, 'h' AS content_hash, "
        "now() AS ingested_at, 'u' AS unit_id",
        [ticker, opened, closed],
    )


def barred(con: duckdb.DuckDBPyConnection, ticker: str, day: date = DAY, source: str = "api_event") -> None:
    end = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    con.execute(
        "INSERT INTO raw.candles BY NAME SELECT ? AS ticker, ? AS bucket_start, ? AS bucket_end, ? AS source, "
        "60 AS period_minutes, 'candle_close' AS quote_kind, 'live' AS tier, now() AS ingested_at, 'u' AS unit_id, "
        "? AS partition_date",
        [ticker, end - timedelta(hours=1), end, source, day],
    )


def state_of(con: duckdb.DuckDBPyConnection, day: date = DAY) -> dict[str, Any]:
    return dict(con.execute("SELECT ticker, state FROM meta.market_states WHERE partition_date = ?", [day]).fetchall())


def test_every_market_ends_a_day_in_exactly_one_state(con: duckdb.DuckDBPyConnection) -> None:
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    for ticker in ("TRADED", "SILENT", "BROKEN", "FORGOTTEN"):
        listed(con, ticker, noon - timedelta(days=3), noon + timedelta(days=3))
    listed(con, "EARLIER", noon - timedelta(days=3), datetime(2026, 6, 1, tzinfo=UTC))
    listed(con, "LATER", datetime(2026, 6, 2, tzinfo=UTC), noon + timedelta(days=3))
    barred(con, "TRADED")
    barred(con, "SILENT", source="trades")
    landed = manifest(unit("A", "TRADED", "SILENT"), unit("B", "BROKEN", reason="timed out"))
    record_coverage(con, CANDLES, [DAY], asked_table([landed]), run_id="run-1")
    assert state_of(con) == {
        "TRADED": "has_rows",
        "SILENT": "silent",
        "BROKEN": "failed",
        "FORGOTTEN": "not_loaded",
        "EARLIER": "not_open",
        "LATER": "not_open",
    }
    assert states(con, "candles", [DAY]) == {"failed": 1, "has_rows": 1, "not_loaded": 1, "not_open": 2, "silent": 1}
    assert con.execute("SELECT reason FROM meta.market_states WHERE ticker = 'BROKEN'").fetchall() == [("timed out",)]


def test_a_day_on_which_nothing_was_asked_is_told_by_its_load(con: duckdb.DuckDBPyConnection) -> None:
    listed(con, "A", datetime(2026, 6, 2, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC))
    con.execute("INSERT INTO meta.partition_loads VALUES ('trades', ?, 1, now(), 'run-1', 0, 0, NULL)", [DAY])
    assert states(con, "trades", [DAY]) == {"not_open": 1}
    assert states(con, "trades", [NEXT]) == {}


def test_a_load_replaces_the_states_of_its_days_and_no_others(con: duckdb.DuckDBPyConnection) -> None:
    for day in (DAY, NEXT):
        record_coverage(con, CANDLES, [day], asked_table([manifest(unit("A", "X", "Y"), day=day)]), run_id="run-1")
    record_coverage(con, CANDLES, [DAY], asked_table([manifest(unit("A", "X"))]), run_id="run-2")
    held = con.execute("SELECT partition_date, ticker, run_id FROM meta.market_coverage ORDER BY ALL").fetchall()
    assert held == [(DAY, "X", "run-2"), (NEXT, "X", "run-1"), (NEXT, "Y", "run-1")]


def test_bars_of_two_lengths_have_states_of_their_own(con: duckdb.DuckDBPyConnection) -> None:
    barred(con, "X")
    asked = asked_table([manifest(unit("A", "X", period=60), unit("A", "X", period=1))])
    record_coverage(con, CANDLES, [DAY], asked, run_id="run-1")
    held = con.execute("SELECT period_minutes, state, rows FROM meta.market_coverage ORDER BY 1").fetchall()
    assert held == [(1, "silent", 0), (60, "has_rows", 1)]


def test_trades_have_no_bar_length(con: duckdb.DuckDBPyConnection) -> None:
    asked = asked_table([manifest(unit("A", "X", period=None), dataset="trades")])
    record_coverage(con, TRADES, [DAY], asked, run_id="run-1")
    assert con.execute("SELECT period_minutes, state FROM meta.market_coverage").fetchall() == [(None, "silent")]


def test_a_failure_is_entered_at_once_and_leaves_the_others(con: duckdb.DuckDBPyConnection) -> None:
    record_coverage(con, CANDLES, [DAY], asked_table([manifest(unit("A", "X"), unit("B", "Y"))]), run_id="run-1")
    failed = manifest(unit("A", "X"), unit("B", "Y", reason="down"))
    for run_id in ("run-2", "run-3"):
        record_failures(con, asked_table([failed]), run_id=run_id)
    held = con.execute("SELECT ticker, state, reason, run_id FROM meta.market_coverage ORDER BY 1").fetchall()
    assert held == [("X", "silent", None, "run-1"), ("Y", "failed", "down", "run-3")]


def test_what_was_asked_last_counts() -> None:
    asked = asked_table([manifest(unit("A", "X", "Y"), unit("A2", "Y", reason="down"))])
    assert asked.schema == ASKED
    assert {row["ticker"]: row["failure"] for row in asked.to_pylist()} == {"X": None, "Y": "down"}


def test_checkpoints_are_replaced_by_partition(con: duckdb.DuckDBPyConnection) -> None:
    reference = Manifest("markets", "latest", True, "run-1", "", units=(unit("R"),))
    record_units(con, units_table([manifest(unit("A"), unit("B", reason="down")), manifest(unit("C"), day=NEXT)]))
    record_units(con, units_table([reference]))
    record_units(con, units_table([reference]))
    record_units(con, units_table([manifest(unit("A"), unit("B"))]))
    held = con.execute(
        "SELECT dataset, partition_date, unit_id, state, reason FROM meta.ingestion_checkpoint ORDER BY ALL"
    ).fetchall()
    assert held == [
        ("candles", DAY, "A", "landed", None),
        ("candles", DAY, "B", "landed", None),
        ("candles", NEXT, "C", "landed", None),
        ("markets", None, "R", "landed", None),
    ]


def test_log_and_provenance_only_grow(con: duckdb.DuckDBPyConnection) -> None:
    contents = contents_table([manifest(unit("A"), unit("B"), unit("C", reason="down"))])
    assert contents.to_pylist()[0]["units"] == 2
    assert contents != contents_table([manifest(unit("A"))])
    assert contents == contents_table([manifest(unit("B"), unit("A"))])
    for run_id in ("run-1", "run-1", "run-2"):
        record_provenance(con, CANDLES, contents, source="sandbox", run_id=run_id)
        record_run(
            con, "loading", "candles", [NEXT, DAY], {"rows": 3}, run_id=run_id, failure="no" * (run_id == "run-2")
        )
    for table in ("data_provenance", "ingestion_log"):
        assert con.execute(f"SELECT count(*) FROM meta.{table}").fetchall() == [(3,)]
    last = con.execute(
        "SELECT outcome, message, first_day, last_day, figures->>'rows' FROM meta.ingestion_log WHERE run_id = 'run-2'"
    ).fetchall()
    assert last == [("failed", "no", DAY, NEXT, "3")]


def test_runs_that_landed_a_dataset_are_named_oldest_first(con: duckdb.DuckDBPyConnection) -> None:
    for run_id in ("run-9", "run-1", "run-9"):
        record_run(con, "landing", "events", [], {}, run_id=run_id)
    record_run(con, "landing", "markets", [], {}, run_id="run-2")
    record_run(con, "loading", "events", [], {}, run_id="run-3")
    assert landed_runs(con, "events") == ["run-9", "run-1"]


@pytest.mark.parametrize(
    ("found", "failed", "verdict"),
    [
        ({"has_rows": 3, "silent": 1, "not_open": 9}, {}, (True, "WARN")),
        ({"has_rows": 3, "not_loaded": 1}, {}, (False, "WARN")),
        ({"has_rows": 3, "failed": 1}, {}, (False, "ERROR")),
        ({"has_rows": 3}, {"unit": "down"}, (False, "ERROR")),
    ],
)
def test_the_check_fails_on_markets_left_out(
    found: dict[str, int], failed: dict[str, str], verdict: tuple[bool, str]
) -> None:
    result = coverage_result(CANDLES, found, failed)
    assert (result.passed, result.severity.value) == verdict


def test_no_manifest_is_no_row() -> None:
    assert isinstance(units_table([]), pa.Table) and units_table([]).num_rows == asked_table([]).num_rows == 0
