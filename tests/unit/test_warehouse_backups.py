"""Backups: made while the file is held, put back whole, and never at the price of what is there."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from kalshi_pipeline.warehouse.backups import backup, backups, restore
from kalshi_pipeline.warehouse.errors import WarehouseError, WarehouseLocked, WarehouseMissing, WarehouseTooNew
from kalshi_pipeline.warehouse.maintenance import checkpoint
from kalshi_pipeline.warehouse.migrations import Migration, migrate, migrations
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.unit.warehouse_kit import held_by_another_process

pytestmark = pytest.mark.unit


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "kalshi.duckdb"
    migrate(path)
    return path


def note(database: Path, reason: str) -> None:
    with Warehouse(database=str(database)).write() as con:
        con.execute("INSERT INTO meta.quarantine VALUES ('t', NULL, ?, '{}', 'run', now())", [reason])


def notes(database: Path) -> list[str]:
    with duckdb.connect(database, read_only=True) as con:
        return [reason for (reason,) in con.execute("SELECT reason FROM meta.quarantine ORDER BY 1").fetchall()]


def test_a_backup_holds_what_the_file_held(database: Path) -> None:
    note(database, "before")
    copy = backup(database)
    note(database, "after")
    assert copy.parent == database.parent / "backups"
    assert notes(copy) == ["before"]
    assert backups(database) == [copy]


def test_a_restore_puts_the_backup_in_place_and_keeps_what_was_there(database: Path) -> None:
    note(database, "before")
    copy = backup(database)
    note(database, "after")
    done = restore(database, copy)
    assert notes(database) == ["before"]
    assert done.replaced is not None
    assert notes(done.replaced) == ["after", "before"]
    assert notes(copy) == ["before"]
    assert done.version == len(migrations())
    note(database, "goes on")
    assert notes(database) == ["before", "goes on"]


def test_a_lost_file_can_be_restored(database: Path) -> None:
    note(database, "before")
    copy = backup(database)
    database.unlink()
    assert restore(database, copy).replaced is None
    assert notes(database) == ["before"]


def test_an_older_backup_is_restored_and_then_migrated(database: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.duckdb"
    migrate(old, steps=migrations()[:2])
    assert restore(database, old).version == 2
    assert migrate(database).current == 2


def test_a_backup_that_cannot_be_used_changes_nothing(database: Path, tmp_path: Path) -> None:
    note(database, "kept")
    newer, rubbish = tmp_path / "newer.duckdb", tmp_path / "rubbish.duckdb"
    later = Migration(len(migrations()) + 1, "of tomorrow", "CREATE TABLE meta.tomorrow (n INTEGER)")
    migrate(newer, steps=[*migrations(), later])
    rubbish.write_text("not a database" * 1000)
    with pytest.raises(WarehouseTooNew):
        restore(database, newer)
    with pytest.raises(WarehouseError, match="not a valid DuckDB"):
        restore(database, rubbish)
    with pytest.raises(WarehouseMissing, match="no backup at"):
        restore(database, tmp_path / "none.duckdb")
    assert notes(database) == ["kept"]
    assert os.listdir(database.parent) == [database.name]


def test_a_file_that_is_held_is_not_replaced(database: Path) -> None:
    copy = backup(database)
    with held_by_another_process(database), pytest.raises(WarehouseLocked, match="held by process"):
        restore(database, copy, timeout=0.2)
    assert [path.name for path in database.parent.iterdir() if path.name.startswith(".")] == []


def test_a_backup_of_nothing_says_so_and_makes_nothing(tmp_path: Path) -> None:
    for ask in (backup, checkpoint):
        with pytest.raises(WarehouseMissing, match="kalshi-pipeline migrate"):
            ask(tmp_path / "none.duckdb")
    assert os.listdir(tmp_path) == []


def test_a_checkpoint_takes_the_log_into_the_file(database: Path) -> None:
    with duckdb.connect(database, config={"checkpoint_threshold": "1GB"}) as con:
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute(
            "INSERT INTO meta.quarantine SELECT 't', NULL, i::VARCHAR, '{}', 'run', now() FROM range(20000) AS r(i)"
        )
    done = checkpoint(database)
    assert done.log_before > 100_000
    assert done.log_after == 0
    assert len(notes(database)) == 20_000
