"""The commands about the warehouse's file: what they do, what they say, and how they end."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from kalshi_pipeline.cli.app import main
from kalshi_pipeline.warehouse.migrations import migrate, migrations
from kalshi_pipeline.warehouse.retention import ORDERBOOK_DAYS, QUOTE_DAYS

pytestmark = pytest.mark.unit

TARGET = len(migrations())


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KALSHI_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KALSHI_SOURCE", "sandbox")
    monkeypatch.setenv("KALSHI_LOCK_TIMEOUT", "0.2")
    return tmp_path / "data" / "sandbox" / "kalshi.duckdb"


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["kalshi-pipeline", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_migrate_says_what_it_would_do_does_it_and_repeats(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database, steps=migrations()[:2])
    was = database.read_bytes()
    assert command(monkeypatch, "migrate", "--dry-run") == 0
    told = capsys.readouterr().out
    assert told.startswith(f"schema version 2 -> {TARGET} (on a copy)\n  3: create research tables\n")
    assert database.read_bytes() == was
    assert command(monkeypatch, "migrate") == 0
    told = capsys.readouterr().out
    assert told.startswith(f"schema version 2 -> {TARGET}\n")
    assert "the file as it was: " in told
    assert command(monkeypatch, "migrate", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["current"], said["target"], said["applied"], said["dry_run"]) == (TARGET, TARGET, [], False)


def test_migrate_refuses_a_newer_file_with_the_remedy(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database)
    with duckdb.connect(database) as con:
        con.execute("INSERT INTO meta.schema_version VALUES (?, now(), 'of tomorrow', 'x')", [TARGET + 1])
    for words in (["migrate"], ["migrate", "--dry-run"]):
        assert command(monkeypatch, *words) == 1
        assert "update kalshi-pipeline, or restore a copy" in capsys.readouterr().err


def test_backup_checkpoint_and_restore(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database)
    assert command(monkeypatch, "backup", "--json") == 0
    copy = Path(json.loads(capsys.readouterr().out)["backup"])
    assert command(monkeypatch, "checkpoint") == 0
    assert "bytes" in capsys.readouterr().out
    database.unlink()
    assert command(monkeypatch, "restore", str(copy)) == 0
    assert database.exists()
    assert command(monkeypatch, "restore", str(copy.with_name("none.duckdb"))) == 2
    assert "no backup at" in capsys.readouterr().err


def test_export_writes_listed_tables_and_names_any_other(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    migrate(database)
    assert command(monkeypatch, "export", "research.ladders", "--csv", "--output", str(tmp_path / "out")) == 0
    assert capsys.readouterr().out == f"research.ladders: 0 rows in 1 file(s)\nunder {tmp_path / 'out'}\n"
    assert (tmp_path / "out" / "research" / "ladders" / "data.csv").read_text().startswith("ladder_id,")
    assert command(monkeypatch, "export", "research.ladders") == 0
    assert (database.parent / "exports" / "research" / "ladders" / "data.parquet").exists()
    assert command(monkeypatch, "export", "raw.quotes") == 2
    assert "No table 'raw.quotes' to export; there are research." in capsys.readouterr().err


def test_publish_says_how_much_has_changed(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database)
    assert command(monkeypatch, "publish", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["tables"] >= first["files_written"] > 0
    assert command(monkeypatch, "publish") == 0
    assert "0 file(s) changed" in capsys.readouterr().out


TODAY = date(2026, 7, 1)


@pytest.fixture
def old_rows(database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One quote snapshot a day, up to the last day that is kept and one day beyond it."""
    monkeypatch.setenv("KALSHI_SANDBOX_NOW", f"{TODAY}T12:00Z")
    migrate(database)
    with duckdb.connect(database) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            "INSERT INTO raw.quotes BY NAME SELECT 'A' AS ticker, day::TIMESTAMPTZ AS observed_at, "
            "now() AS ingested_at, 'u' AS unit_id, day::DATE AS partition_date FROM (SELECT unnest([?, ?]) AS day)",
            [TODAY - timedelta(days=QUOTE_DAYS), TODAY - timedelta(days=QUOTE_DAYS + 1)],
        )
    return database


def quotes(database: Path) -> int:
    with duckdb.connect(database, read_only=True) as con:
        return int(con.execute("SELECT count(*) FROM raw.quotes").fetchall()[0][0])


def test_retention_counts_and_removes_only_when_told_to(
    old_rows: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "retention") == 0
    told = capsys.readouterr().out
    assert "Would remove 1 quote snapshots of raw.quotes from before 2025-07-01" in told
    assert "Nothing was removed" in told
    assert quotes(old_rows) == 2
    assert command(monkeypatch, "retention", "--apply", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["removed"] is True
    assert [(table["table"], table["keep_days"], table["rows"]) for table in said["tables"]] == [
        ("raw.orderbooks", ORDERBOOK_DAYS, 0),
        ("raw.quotes", QUOTE_DAYS, 1),
    ]
    assert quotes(old_rows) == 1
    assert command(monkeypatch, "retention", "--yes") == 0
    assert "Removed 0 quote snapshots" in capsys.readouterr().out


def test_retention_takes_other_lengths_but_never_todays_rows(
    old_rows: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "retention", "--quote-days", "1") == 0
    assert "Would remove 2 quote snapshots" in capsys.readouterr().out
    assert command(monkeypatch, "retention", "--quote-days", "0") == 2
    assert quotes(old_rows) == 2


@pytest.mark.parametrize("words", [["verify"], ["prove"]])
def test_a_warehouse_before_its_first_day_is_empty_and_no_failure(
    words: list[str], database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database)
    assert command(monkeypatch, *words) == 0
    assert "yet: fill some days first, with `kalshi-pipeline backfill`" in capsys.readouterr().out
    assert command(monkeypatch, *words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["failed"] == []


@pytest.mark.parametrize("words", [["verify"], ["prove"], ["retention"]])
def test_a_warehouse_that_is_not_there_is_named(
    words: list[str], database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, *words) == 2
    assert "There is no warehouse" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["2026-06-01", "2026-06-30/2026-06-01"])
def test_a_window_that_is_none_is_wrong_usage(
    text: str, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database)
    assert command(monkeypatch, "verify", "--window", text) == 2
    assert "window" in capsys.readouterr().err
