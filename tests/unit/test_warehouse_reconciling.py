"""What was landed and what is stored, compared row by row: each difference counts once, under its own name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from kalshi_pipeline.schemas.raw import TRADES
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.reconciling import Reconciled, reconcile
from kalshi_pipeline.warehouse.reports import BlockedWrite, WriteReport

pytestmark = pytest.mark.unit

DAY, NEXT_DAY = date(2026, 1, 5), date(2026, 1, 6)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def insert(con: duckdb.DuckDBPyConnection, *trades: str, day: date = DAY, count: int = 1) -> None:
    for trade in trades:
        con.execute(
            "INSERT INTO raw.trades BY NAME SELECT ? AS trade_id, 'T' AS ticker, ? AS created_time, ? AS count, "
            "0.4 AS yes_price, 0.6 AS no_price, 'live' AS tier, ? AS ingested_at, 'unit' AS unit_id, "
            "?::DATE AS partition_date",
            [trade, NOON, count, NOON, day],
        )


def land(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "a", "b", "c")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "kalshi.duckdb"
    migrate(path)
    return path


@pytest.fixture
def con(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(database) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def compared(con: duckdb.DuckDBPyConnection) -> tuple[int, int, int, int]:
    found = reconcile(con, TRADES, land, [DAY])
    return found.missing, found.repeated, found.altered, found.unexpected


def test_the_same_rows_agree_whatever_their_order_and_reading_suffices(
    con: duckdb.DuckDBPyConnection, database: Path
) -> None:
    insert(con, "c", "a", "b")
    con.close()
    with duckdb.connect(database, read_only=True) as reader:
        found = reconcile(reader, TRADES, land, [DAY])
        assert found == Reconciled("raw.trades", landed=3, stored=3)
        assert found.agrees
        assert reader.execute("SELECT current_database(), count(*) FROM raw.trades").fetchall() == [("kalshi", 3)]


def test_each_difference_has_its_name(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "a", "a", "a", "x")
    insert(con, "b", count=2)
    assert compared(con) == (1, 2, 1, 1)  # c is missing, a there twice more, b altered, x from nowhere


def test_an_altered_copy_is_no_mere_copy(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "a", "b", "c")
    insert(con, "a", count=9)
    assert compared(con) == (0, 0, 0, 1)


def test_an_empty_table_misses_everything(con: duckdb.DuckDBPyConnection) -> None:
    found = reconcile(con, TRADES, land, [DAY])
    assert (found.missing, found.days, found.agrees) == (3, (DAY,), False)


def test_only_the_days_asked_for_are_compared(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "a", "b", "c")
    insert(con, "later", day=NEXT_DAY)
    assert compared(con) == (0, 0, 0, 0)
    assert reconcile(con, TRADES, land, [DAY, NEXT_DAY]).days == (NEXT_DAY,)


def test_responses_that_can_no_longer_be_loaded_are_a_difference(con: duckdb.DuckDBPyConnection) -> None:
    def blocked(_: duckdb.DuckDBPyConnection) -> None:
        raise BlockedWrite("too many faulty rows", WriteReport.empty(TRADES))

    found = reconcile(con, TRADES, blocked, [DAY])
    assert not found.agrees
    assert "too many faulty rows" in str(found.reason)
    assert con.execute("SELECT count(*) FROM raw.trades").fetchall() == [(0,)]
