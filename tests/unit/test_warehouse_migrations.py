"""A file's schema moves forward step by step, whole steps only, and never silently to something else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from kalshi_pipeline.warehouse.errors import CopyFailed, MigrationError, WarehouseTooNew
from kalshi_pipeline.warehouse.migrations import Migration, MigrationReport, migrate, migrations, rehearse

pytestmark = pytest.mark.unit

FIRST = migrations()[0]
SECOND = Migration(2, "add things", "CREATE TABLE meta.things (thing VARCHAR PRIMARY KEY);")
THIRD = Migration(3, "add counts", "ALTER TABLE meta.things ADD COLUMN n INTEGER;")


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(database) as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(query).fetchall()


def catalogue(database: Path) -> list[str]:
    found = rows(
        database,
        "SELECT sql FROM duckdb_tables() UNION ALL SELECT sql FROM duckdb_indexes() "
        "UNION ALL SELECT sql FROM duckdb_sequences() ORDER BY ALL",
    )
    return [str(sql) for (sql,) in found]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "kalshi.duckdb"


def test_a_new_file_gets_every_step_in_order(database: Path) -> None:
    before = datetime.now(UTC)
    target = len(migrations())
    assert migrate(database) == MigrationReport(current=0, target=target, applied=tuple(range(1, target + 1)))
    stored = rows(database, "SELECT version, description, checksum FROM meta.schema_version ORDER BY version")
    assert stored == [(step.version, step.description, step.checksum) for step in migrations()]
    for (applied_at,) in rows(database, "SELECT applied_at FROM meta.schema_version"):
        assert isinstance(applied_at, datetime)
        assert before <= applied_at <= datetime.now(UTC)


def test_repeating_changes_nothing(database: Path) -> None:
    migrate(database)
    stamped = rows(database, "FROM meta.schema_version ORDER BY version")
    target = len(migrations())
    assert migrate(database) == MigrationReport(current=target, target=target, applied=())
    assert rows(database, "FROM meta.schema_version ORDER BY version") == stamped
    assert not (database.parent / "backups").exists()


def test_files_that_came_different_ways_end_alike(tmp_path: Path) -> None:
    fresh, empty, of_others, stepwise = (tmp_path / f"{name}" / "kalshi.duckdb" for name in "abcd")
    for path in (empty, of_others):
        path.parent.mkdir()
        duckdb.connect(path).close()
    with duckdb.connect(of_others) as con:
        con.execute("CREATE SCHEMA marts; CREATE SCHEMA raw; CREATE TABLE marts.notes AS SELECT 1 AS n")
    for count in range(1, len(migrations()) + 1):
        migrate(stepwise, steps=migrations()[:count])
    for path in (fresh, empty, of_others):
        assert migrate(path).current == 0
    with duckdb.connect(of_others) as con:
        con.execute("DROP TABLE marts.notes")
    assert catalogue(fresh) == catalogue(empty) == catalogue(of_others) == catalogue(stepwise)


def test_a_later_step_is_applied_by_itself_and_rows_are_kept(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    with duckdb.connect(database) as con:
        con.execute("INSERT INTO meta.things VALUES ('kept')")
    assert migrate(database, steps=[FIRST, SECOND, THIRD]).applied == (3,)
    assert rows(database, "SELECT thing, n FROM meta.things") == [("kept", None)]


def test_a_file_with_content_is_copied_before_it_is_changed(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    report = migrate(database, steps=[FIRST, SECOND, THIRD])
    assert report.backup is not None
    assert report.backup.parent == database.parent / "backups"
    assert "-v2-" in report.backup.name
    assert rows(report.backup, "SELECT max(version) FROM meta.schema_version") == [(2,)]


def test_a_copy_that_cannot_be_written_stops_the_migration(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    (database.parent / "backups").write_text("in the way")
    with pytest.raises(CopyFailed, match="could not be copied"):
        migrate(database, steps=[FIRST, SECOND, THIRD])
    assert rows(database, "SELECT max(version) FROM meta.schema_version") == [(2,)]


def test_a_rehearsal_tells_and_changes_nothing(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    was = database.read_bytes()
    assert rehearse(database, steps=[FIRST, SECOND, THIRD]) == MigrationReport(current=2, target=3, applied=(3,))
    assert database.read_bytes() == was
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_a_rehearsal_of_a_new_file_creates_none(database: Path) -> None:
    assert rehearse(database).current == 0
    assert not database.exists()


def test_a_rehearsal_finds_what_would_fail(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    impossible = Migration(3, "do the impossible", "ALTER TABLE meta.nowhere ADD COLUMN n INTEGER;")
    with pytest.raises(MigrationError, match="do the impossible"):
        rehearse(database, steps=[FIRST, SECOND, impossible])


def test_the_file_stays_locked_through_a_copy(database: Path) -> None:
    # Closing a second descriptor of the file in this process would drop the lock; the copy must not do that.
    tries = []

    class Watched(Migration):
        @property
        def checksum(self) -> str:  # asked for after the copy, while the step is applied
            program = f"import duckdb; duckdb.connect({str(database)!r})"
            tries.append(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False))
            return super().checksum

    migrate(database, steps=[FIRST, SECOND])
    report = migrate(database, steps=[FIRST, SECOND, Watched(THIRD.version, THIRD.description, THIRD.sql)])
    assert report.backup is not None
    assert ["Could not set lock" in tried.stderr for tried in tries] == [True]


def test_a_step_that_fails_leaves_the_file_at_the_step_before(database: Path) -> None:
    broken = Migration(2, "half done", "CREATE TABLE meta.half (n INTEGER); SELECT * FROM nowhere;")
    with pytest.raises(MigrationError, match=r"Migration 2 \(half done\) failed and was rolled back"):
        migrate(database, steps=[FIRST, broken])
    assert rows(database, "SELECT version FROM meta.schema_version") == [(1,)]
    assert rows(database, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'") == [(0,)]


def test_a_newer_file_is_refused_with_the_remedy(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    with pytest.raises(WarehouseTooNew, match=r"schema version 2, newer than the 1 .* update kalshi-pipeline"):
        migrate(database, steps=[FIRST])


def test_an_edited_step_is_refused(database: Path) -> None:
    migrate(database, steps=[FIRST, SECOND])
    edited = Migration(2, "add things", SECOND.sql + "-- better now")
    with pytest.raises(MigrationError, match=r"Applied migrations \[2\] are not the ones"):
        migrate(database, steps=[FIRST, edited, THIRD])
    assert rows(database, "SELECT max(version) FROM meta.schema_version") == [(2,)]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_a.sql", "0003_c.sql"], "without gap or double"),
        (["0001_a.sql", "0001_b.sql"], "without gap or double"),
        (["1_a.sql"], "not a migration's name"),
    ],
)
def test_misnumbered_files_are_refused(tmp_path: Path, names: list[str], complaint: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=complaint):
        migrations(tmp_path)
