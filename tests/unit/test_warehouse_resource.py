"""The file is open for as long as a block lasts, for one writer at a time, and says who holds it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from kalshi_pipeline.warehouse import opening
from kalshi_pipeline.warehouse.errors import (
    WarehouseError,
    WarehouseLocked,
    WarehouseMissing,
    WarehouseOutdated,
    WarehouseTooNew,
)
from kalshi_pipeline.warehouse.migrations import Migration, migrate, migrations
from kalshi_pipeline.warehouse.publishing import publish
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.unit.warehouse_kit import held_by_another_process, opens_elsewhere

pytestmark = pytest.mark.unit

COUNT = "SELECT count(*) FROM meta.quarantine"
ADD = "INSERT INTO meta.quarantine VALUES ('t', NULL, 'r', '{}', 'run', now())"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    database = tmp_path / "kalshi.duckdb"
    migrate(database)
    return Warehouse(database=str(database), lock_timeout=20.0)


def impatient(warehouse: Warehouse) -> Warehouse:
    return Warehouse(database=warehouse.database, lock_timeout=0.2)


def test_a_write_is_one_transaction(warehouse: Warehouse) -> None:
    with warehouse.write() as con:
        con.execute(ADD)
        con.execute(ADD)
    with warehouse.read() as con:
        assert con.execute(COUNT).fetchall() == [(2,)]


def test_a_write_that_raises_leaves_nothing(warehouse: Warehouse) -> None:
    with pytest.raises(KeyError), warehouse.write() as con:
        con.execute(ADD)
        raise KeyError("stop")
    with warehouse.read() as con:
        assert con.execute(COUNT).fetchall() == [(0,)]


def test_a_broken_constraint_is_what_the_caller_sees(warehouse: Warehouse) -> None:
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"), warehouse.write() as con:
        con.execute(ADD)
        con.execute("INSERT INTO meta.quarantine VALUES (NULL, NULL, 'r', '{}', 'run', now())")
    with warehouse.read() as con:
        assert con.execute(COUNT).fetchall() == [(0,)]


def test_a_read_cannot_write(warehouse: Warehouse) -> None:
    with warehouse.read() as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute(ADD)


def test_sessions_are_in_utc_and_within_their_caps(warehouse: Warehouse) -> None:
    capped = Warehouse(database=warehouse.database, threads=1, memory_limit="512MB")
    with capped.read() as con:
        shown = con.execute(
            "SELECT current_setting('TimeZone'), current_setting('threads'), current_setting('memory_limit')"
        ).fetchall()
    assert shown == [("UTC", 1, "488.2 MiB")]


def test_code_for_dagsters_own_resource_works(warehouse: Warehouse) -> None:
    @dg.asset
    def noted(duckdb: dg.ResourceParam[Warehouse]) -> None:
        with duckdb.get_connection() as con:
            con.execute(ADD)

    assert dg.materialize([noted], resources={"duckdb": warehouse}).success
    with warehouse.read() as con:
        assert con.execute(COUNT).fetchall() == [(1,)]


@pytest.mark.parametrize("way", ["read", "write", "get_connection"])
def test_the_lock_is_released_at_the_end_of_the_block_and_after_an_error(warehouse: Warehouse, way: str) -> None:
    with getattr(warehouse, way)() as con:
        held = con.sql("SELECT 1")  # a relation that outlives the block must not hold the file
        assert opens_elsewhere(warehouse.path) is False
    assert opens_elsewhere(warehouse.path)
    with pytest.raises(KeyError) as failure, getattr(warehouse, way)():
        raise KeyError("stop")
    assert failure.value.__traceback__ is not None and held is not None
    assert opens_elsewhere(warehouse.path)


@pytest.mark.parametrize("way", ["read", "write"])
def test_a_held_file_is_reported_with_its_holder(warehouse: Warehouse, way: str) -> None:
    with (
        held_by_another_process(warehouse.path) as pid,
        pytest.raises(WarehouseLocked, match=rf"held by process {pid} \(.*python.*\) .* within 0\.2 s; wait"),
        getattr(impatient(warehouse), way)(),
    ):
        pytest.fail("the file was held")


def test_reading_while_this_process_writes_is_reported_too(warehouse: Warehouse) -> None:
    with (
        warehouse.write(),
        pytest.raises(WarehouseLocked, match="another connection of this process"),
        impatient(warehouse).read(),
    ):
        pytest.fail("the file was held")


def test_a_reader_who_waits_in_vain_is_told_of_the_published_files(warehouse: Warehouse) -> None:
    with warehouse.read() as con:
        folder = publish(con, warehouse.path).folder
    with held_by_another_process(warehouse.path) as pid:
        with pytest.raises(WarehouseLocked, match=rf"held by process {pid} .* Parquet files under {folder}"):
            impatient(warehouse).read().__enter__()
        with pytest.raises(WarehouseLocked) as refused:
            impatient(warehouse).write().__enter__()
    assert "Parquet" not in str(refused.value)


def test_a_handle_can_be_closed_again_and_says_that_it_is_closed(warehouse: Warehouse) -> None:
    handle = warehouse.open(read_only=False)
    assert handle.connection.execute(COUNT).fetchall() == [(0,)]
    assert not opens_elsewhere(warehouse.path)
    for _ in range(3):
        handle.close()
    assert opens_elsewhere(warehouse.path)
    with pytest.raises(WarehouseError, match=r"handle on .* is closed"):
        _ = handle.connection


def test_a_forgotten_handle_lets_go_of_the_file_and_is_reported(warehouse: Warehouse) -> None:
    handle = warehouse.open(read_only=False)
    handle.connection.execute(COUNT)
    assert not opens_elsewhere(warehouse.path)
    with pytest.warns(ResourceWarning, match="never closed"):
        del handle
        gc.collect()
    assert opens_elsewhere(warehouse.path)


def test_a_handle_that_cannot_be_set_up_lets_go_of_the_file(warehouse: Warehouse) -> None:
    capped = Warehouse(database=warehouse.database, memory_limit="as much as there is")
    with pytest.raises(duckdb.Error):
        capped.open()
    assert opens_elsewhere(warehouse.path)


def test_a_waiter_gets_the_file_when_it_is_released(warehouse: Warehouse) -> None:
    with held_by_another_process(warehouse.path, seconds=1.0):
        began = time.monotonic()
        with warehouse.write() as con:
            con.execute(ADD)
    assert time.monotonic() - began < 15


def test_readers_share_the_file(warehouse: Warehouse) -> None:
    with warehouse.read(), Warehouse(database=warehouse.database, lock_timeout=0.2).read() as con:
        assert con.execute(COUNT).fetchall() == [(0,)]


def _write_ten_times(database: str) -> None:
    writer = Warehouse(database=database, lock_timeout=60.0)
    for _ in range(10):
        with writer.write() as con:
            con.execute(ADD)


def test_two_writers_queue(warehouse: Warehouse) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_ten_times, args=(warehouse.database,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(90)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with warehouse.read() as con:
        assert con.execute(COUNT).fetchall() == [(20,)]


def test_waiting_is_jittered_bounded_and_ends_at_the_deadline(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise duckdb.IOException('IO Error: Could not set lock on file "x": it is taken')

    now, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(WarehouseLocked, match="held by another process and was not released within 30 s"):
        opening._connect(
            Path(warehouse.database), opening.Opening(read_only=True, timeout=30.0), clock=lambda: now[0], sleep=sleep
        )
    assert now[0] == pytest.approx(30.0)
    assert max(waits) <= opening.LONGEST_WAIT
    assert len(set(waits)) == len(waits)


def test_a_missing_file_is_named_with_the_remedy_and_not_created(tmp_path: Path) -> None:
    nowhere = Warehouse(database=str(tmp_path / "none.duckdb"))
    with pytest.raises(WarehouseMissing, match=r"no warehouse at .*none\.duckdb; run `kalshi-pipeline migrate`"):
        nowhere.read().__enter__()
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kalshi.duckdb"
    path.write_text("not a database" * 1000)
    with pytest.raises(WarehouseError, match=r"cannot be opened: .*not a valid DuckDB database"):
        Warehouse(database=str(path)).read().__enter__()


def test_an_older_file_says_run_migrate(tmp_path: Path) -> None:
    database = tmp_path / "kalshi.duckdb"
    migrate(database, steps=migrations()[:1])
    with pytest.raises(WarehouseOutdated, match=r"schema version 1, .* run `kalshi-pipeline migrate`"):
        Warehouse(database=str(database)).write().__enter__()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "kalshi.duckdb"
    later = Migration(len(migrations()) + 1, "of tomorrow", "CREATE TABLE meta.tomorrow (n INTEGER)")
    migrate(database, steps=[*migrations(), later])
    with pytest.raises(WarehouseTooNew, match="update kalshi-pipeline"):
        Warehouse(database=str(database)).read().__enter__()
