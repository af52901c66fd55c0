"""Moving the file's schema forward: numbered SQL files, each applied once, whole or not at all.

``NNNN_what_it_does.sql`` beside this module is one migration. Its text is hashed when it is applied; an applied file
is never edited, a change is a new file. Tables that dbt builds are not migrated here.

DuckDB cannot add a CHECK or a key to a table that is there. A ``CREATE TABLE`` under a comment line ``-- rebuild``
gives an existing table the new definition and keeps its rows (:mod:`kalshi_pipeline.warehouse.rebuilding`).
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb

from kalshi_pipeline.warehouse.copies import backup_path, copy_held
from kalshi_pipeline.warehouse.errors import MigrationError, WarehouseOutdated, WarehouseTooNew
from kalshi_pipeline.warehouse.opening import Opening, opened
from kalshi_pipeline.warehouse.rebuilding import Rebuilt, rebuild

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"(?P<version>\d{4})_(?P<what>[a-z0-9_]+)\.sql")
_REBUILD = re.compile(r"^-- rebuild$", re.MULTILINE)


@dataclass(frozen=True)
class Migration:
    """One step of the schema.

    Attributes:
        version: its number; versions count from 1 without a gap.
        description: what it does, from the file name.
        sql: its statements.
    """

    version: int
    description: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the statements."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class MigrationReport:
    """What a call of :func:`migrate` did.

    Attributes:
        current: version of the file before.
        target: version of the code, and of the file afterwards.
        applied: versions applied, in order.
        backup: copy of the file as it was, where it held anything and was changed.
        rebuilt: tables with rows that got a new definition, and how many rows were kept and how many quarantined.
    """

    current: int
    target: int
    applied: tuple[int, ...]
    backup: Path | None = None
    rebuilt: tuple[Rebuilt, ...] = ()


@cache
def migrations(folder: Path = _FOLDER) -> tuple[Migration, ...]:
    """The migrations in a folder, in order.

    Raises:
        MigrationError: a file is misnamed, or the numbers have a gap or a double.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        name = _NAME.fullmatch(path.name)
        if name is None:
            raise MigrationError(f"{path.name} is not a migration's name; write it like 0002_add_order_books.sql.")
        description = name["what"].replace("_", " ")
        found.append(Migration(int(name["version"]), description, path.read_text(encoding="utf-8")))
    versions = [migration.version for migration in found]
    if versions != list(range(1, len(found) + 1)):
        raise MigrationError(f"Migrations must be numbered from 1 without gap or double; found {versions}.")
    return tuple(found)


def schema_version(con: duckdb.DuckDBPyConnection) -> int:
    """Version of the file's schema; 0 where no migration was ever applied."""
    known = con.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = 'meta' AND table_name = 'schema_version'"
    ).fetchall()
    if not known[0][0]:
        return 0
    return int(con.execute("SELECT coalesce(max(version), 0) FROM meta.schema_version").fetchall()[0][0])


def require_current(con: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Refuse a file whose schema version is not the code's.

    Raises:
        WarehouseOutdated: the file is older.
        WarehouseTooNew: the file is newer.
    """
    current, target = schema_version(con), len(migrations())
    if current < target:
        raise WarehouseOutdated(
            f"{database} has schema version {current}, this code needs {target}; run `kalshi-pipeline migrate`."
        )
    refuse_newer(current, target, database)


def refuse_newer(current: int, target: int, database: Path) -> None:
    """Refuse a file of schema version ``current`` where the code knows only ``target``.

    Raises:
        WarehouseTooNew: the file is newer.
    """
    if current > target:
        raise WarehouseTooNew(
            f"{database} has schema version {current}, newer than the {target} this code knows; "
            "update kalshi-pipeline, or restore a copy from the backups folder beside the file."
        )


def migrate(database: Path, *, steps: Sequence[Migration] | None = None, timeout: float = 60.0) -> MigrationReport:
    """Bring the file to the code's schema version, creating it where there is none.

    A file that holds anything is copied to ``backups/`` beside it before it is changed. Safe to repeat.

    Args:
        database: the DuckDB file.
        steps: the migrations; the project's own unless given.
        timeout: seconds to wait for whoever holds the file.

    Raises:
        WarehouseTooNew: the file is newer than the code.
        MigrationError: an applied migration differs from the code's, or one fails (the file is then as it was
            before that one).
        WarehouseLocked: the file was held until the timeout.
        CopyFailed: the backup could not be written; nothing was changed.
    """
    steps = migrations() if steps is None else steps
    database.parent.mkdir(parents=True, exist_ok=True)
    with opened(database, Opening(read_only=False, timeout=timeout)) as con:
        current, target = schema_version(con), len(steps)
        refuse_newer(current, target, database)
        _refuse_changed(con, steps[:current])
        pending = steps[current:]
        worth_a_copy = pending and _holds_anything(con)
        copy = copy_held(con, database, backup_path(database, current)) if worth_a_copy else None
        rebuilt = [done for step in pending for done in _apply(con, step)]
    return MigrationReport(current, target, tuple(step.version for step in pending), copy, tuple(rebuilt))


def rehearse(database: Path, *, steps: Sequence[Migration] | None = None, timeout: float = 60.0) -> MigrationReport:
    """What :func:`migrate` would do, done on a copy that is thrown away; the file stays as it is.

    Raises:
        WarehouseTooNew, MigrationError, WarehouseLocked: as :func:`migrate` would.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / database.name
        if database.exists():
            with opened(database, Opening(read_only=False, timeout=timeout)) as con:
                copy_held(con, database, copy)
        return replace(migrate(copy, steps=steps), backup=None)


def apply_all(con: duckdb.DuckDBPyConnection) -> None:
    """Apply every migration to the current database of ``con``, which is empty: a schema to work in for a while."""
    for step in migrations():
        _apply(con, step)


def _apply(con: duckdb.DuckDBPyConnection, step: Migration) -> list[Rebuilt]:
    """Run one step in one transaction; returns the tables with rows that it rebuilt."""
    con.begin()
    try:
        rebuilt = []
        for statement in con.extract_statements(step.sql):
            if _REBUILD.search(statement.query):
                rebuilt.append(rebuild(con, statement.query, run_id=f"migration {step.version}"))
            else:
                con.execute(statement)
        con.execute(
            "INSERT INTO meta.schema_version (version, applied_at, description, checksum) VALUES (?, ?, ?, ?)",
            [step.version, datetime.now(UTC), step.description, step.checksum],
        )
        con.commit()
        return [done for done in rebuilt if done.kept or done.quarantined]
    except (duckdb.Error, MigrationError) as error:
        with suppress(duckdb.TransactionException):  # a broken constraint has ended the transaction already
            con.rollback()
        raise MigrationError(
            f"Migration {step.version} ({step.description}) failed and was rolled back: {error}"
        ) from error


def _refuse_changed(con: duckdb.DuckDBPyConnection, applied: Sequence[Migration]) -> None:
    if not applied:
        return
    stored = dict(con.execute("SELECT version, checksum FROM meta.schema_version").fetchall())
    changed = [step.version for step in applied if stored.get(step.version) != step.checksum]
    if changed:
        raise MigrationError(
            f"Applied migrations {changed} are not the ones this code knows; an applied migration is never edited: "
            "restore its text and put the change into a new migration."
        )


def _holds_anything(con: duckdb.DuckDBPyConnection) -> bool:
    counted = con.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()").fetchall()
    return bool(counted[0][0])
