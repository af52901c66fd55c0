"""Exported files say what the table says, and change as a whole and only where the table changed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from kalshi_pipeline.warehouse.errors import UnknownTable, WarehouseError
from kalshi_pipeline.warehouse.exporting import Form, export_table, exportable_tables
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.publishing import publication, publish, published_folder
from kalshi_pipeline.warehouse.resource import Warehouse

pytestmark = pytest.mark.unit


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    database = tmp_path / "data" / "kalshi.duckdb"
    migrate(database)
    warehouse = Warehouse(database=str(database))
    with warehouse.write() as con:
        con.execute("CREATE SCHEMA marts")
        con.execute(
            "CREATE TABLE marts.quotes AS "
            "SELECT 'T' || i AS ticker, i / 7 AS mid, timestamptz '2026-01-30 12:00:00Z' AS at, "
            "DATE '2026-01-30' + i::INTEGER AS partition_date FROM range(5) AS r(i)"
        )
        con.execute("CREATE TABLE marts.events AS SELECT 'E' AS event_ticker, NULL::DOUBLE AS value")
        con.execute("CREATE VIEW marts.dense AS FROM marts.quotes")
    return warehouse


def change(warehouse: Warehouse, sql: str) -> None:
    with warehouse.write() as con:
        con.execute(sql)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", list(Form))
def test_a_table_with_days_becomes_one_file_a_month(warehouse: Warehouse, tmp_path: Path, form: Form) -> None:
    with warehouse.read() as con:
        done = export_table(con, "marts.quotes", tmp_path / "out", form=form)
        files = tmp_path / "out" / "marts" / "quotes"
        assert names(tmp_path / "out") == [
            f"marts/quotes/month=2026-01/data.{form}",
            f"marts/quotes/month=2026-02/data.{form}",
        ]
        back = con.execute(
            f"SELECT * EXCLUDE (month) FROM read_{form}('{files}/*/*.{form}', hive_partitioning = true) ORDER BY ALL"
        ).fetchall()
        assert back == con.execute("FROM marts.quotes ORDER BY ALL").fetchall()
    assert done.rows == 5
    assert len(done.written) == 2


def test_types_survive_in_parquet(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.read() as con:
        export_table(con, "marts.quotes", tmp_path)
    table = pq.read_table(tmp_path / "marts" / "quotes" / "month=2026-01" / "data.parquet", partitioning=None)
    assert table["at"].to_pylist() == [datetime(2026, 1, 30, 12, tzinfo=UTC)] * 2


def test_a_table_without_days_is_one_file_even_when_empty(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.read() as con:
        export_table(con, "marts.events", tmp_path)
        export_table(con, "research.event_labels", tmp_path)
    assert names(tmp_path)[-2:] == ["marts/events/data.parquet", "research/event_labels/data.parquet"]
    assert pq.read_table(tmp_path / "research" / "event_labels" / "data.parquet").num_rows == 0


def test_a_month_that_the_table_no_longer_has_goes(warehouse: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with warehouse.read() as con:
        export_table(con, "marts.quotes", out)
        export_table(con, "marts.quotes", out, form=Form.CSV)
    change(warehouse, "DELETE FROM marts.quotes WHERE partition_date >= '2026-02-01'")
    with warehouse.read() as con:
        done = export_table(con, "marts.quotes", out)
    assert [path.parent.name for path in done.removed] == ["month=2026-02"]
    assert names(out) == [
        "marts/quotes/month=2026-01/data.csv",
        "marts/quotes/month=2026-01/data.parquet",
        "marts/quotes/month=2026-02/data.csv",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "raw.quotes",
        "meta.quarantine",
        "marts.nope",
        "quotes",
        "marts.quotes; DROP TABLE marts.quotes",
        '"marts"."quotes"',
        "",
    ],
)
def test_only_listed_tables_are_given_away(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    with warehouse.read() as con:
        assert {"marts.dense", "marts.events", "marts.quotes", "research.ladders"} <= set(exportable_tables(con))
        with pytest.raises(UnknownTable, match=r"there are marts\.dense, marts\.events"):
            export_table(con, name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["it's here", 'a "quoted" folder', "a;b", "x') TO 'y"])
def test_a_folder_of_any_name_is_only_a_folder(warehouse: Warehouse, tmp_path: Path, folder: str) -> None:
    with warehouse.read() as con:
        export_table(con, "marts.events", tmp_path / folder)
    assert names(tmp_path / folder) == ["marts/events/data.parquet"]


def test_a_file_in_the_way_is_named(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with warehouse.read() as con, pytest.raises(WarehouseError, match="out cannot take an export"):
        export_table(con, "marts.events", tmp_path / "out")


def test_a_failed_export_leaves_the_old_file(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.read() as con:
        export_table(con, "marts.events", tmp_path)
    before = (tmp_path / "marts" / "events" / "data.parquet").read_bytes()
    change(
        warehouse, "DROP TABLE marts.events; CREATE VIEW marts.events AS SELECT 'x' AS a, error('stop')::INTEGER AS b"
    )
    with warehouse.read() as con, pytest.raises(duckdb.Error, match="stop"):
        export_table(con, "marts.events", tmp_path)
    assert (tmp_path / "marts" / "events" / "data.parquet").read_bytes() == before
    assert not (tmp_path / ".incoming").exists()


def test_a_reader_never_sees_half_a_file(warehouse: Warehouse, tmp_path: Path) -> None:
    change(warehouse, "CREATE TABLE marts.big AS SELECT i AS n, 0 AS version FROM range(200000) AS r(i)")
    file = tmp_path / "marts" / "big" / "data.parquet"
    with warehouse.read() as con:
        export_table(con, "marts.big", tmp_path)
    seen: list[tuple[int, int, int]] = []
    done = threading.Event()

    def watch() -> None:
        with duckdb.connect() as con:
            while not done.is_set():
                seen.extend(con.execute(f"SELECT count(*), min(version), max(version) FROM '{file}'").fetchall())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for version in range(1, 4):
        change(warehouse, f"UPDATE marts.big SET version = {version}")
        with warehouse.read() as con:
            export_table(con, "marts.big", tmp_path)
    done.set()
    watcher.join(30)
    assert seen
    assert {rows for rows, _, _ in seen} == {200_000}
    assert all(low == high for _, low, high in seen)


def test_publishing_writes_everything_once_and_then_only_what_changed(warehouse: Warehouse) -> None:
    with warehouse.read() as con:
        assert publication(warehouse.path) is None
        first = publish(con, warehouse.path)
        assert {table.table for table in first.tables} == set(exportable_tables(con))
        assert publish(con, warehouse.path).written == 0
    change(warehouse, "UPDATE marts.quotes SET mid = 0.5 WHERE ticker = 'T4'")
    with warehouse.read() as con:
        again = publish(con, warehouse.path)
    written = [path.relative_to(again.folder).as_posix() for table in again.tables for path in table.written]
    assert written == ["marts/dense/month=2026-02/data.parquet", "marts/quotes/month=2026-02/data.parquet"]
    assert "as of 20" in str(publication(warehouse.path))


def test_a_published_file_that_went_missing_is_written_again(warehouse: Warehouse) -> None:
    with warehouse.read() as con:
        publish(con, warehouse.path)
        gone = published_folder(warehouse.path) / "marts" / "events" / "data.parquet"
        gone.unlink()
        assert publish(con, warehouse.path).written == 1
    assert gone.exists()


def test_an_unreadable_account_of_the_last_publication_only_costs_time(warehouse: Warehouse) -> None:
    with warehouse.read() as con:
        first = publish(con, warehouse.path)
        (published_folder(warehouse.path) / "published.json").write_text("{")
        assert publication(warehouse.path) is None
        assert publish(con, warehouse.path).written == first.written
