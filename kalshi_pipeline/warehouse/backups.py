"""Backups of the DuckDB file, and putting one back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kalshi_pipeline.warehouse.copies import backup_path, copy_held
from kalshi_pipeline.warehouse.errors import WarehouseMissing
from kalshi_pipeline.warehouse.migrations import migrations, refuse_newer, schema_version
from kalshi_pipeline.warehouse.opening import Opening, opened, require_file


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        version: schema version of the file that was put back; ``kalshi-pipeline migrate`` brings it up to date.
        replaced: copy of the file that it took the place of, where there was one.
    """

    version: int
    replaced: Path | None


def backup(database: Path, *, timeout: float = 60.0) -> Path:
    """Copy the file to ``backups/`` beside it and return the copy's path.

    Raises:
        WarehouseMissing: there is no file.
        WarehouseLocked: the file was held until the timeout.
        CopyFailed: the copy could not be written.
    """
    require_file(database)
    with opened(database, Opening(read_only=False, timeout=timeout)) as con:
        return copy_held(con, database, backup_path(database, schema_version(con)))


def backups(database: Path) -> list[Path]:
    """The backups of the file, the oldest first."""
    found = (database.parent / "backups").glob(f"{database.stem}-v*{database.suffix}")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def restore(database: Path, copy: Path, *, timeout: float = 60.0) -> Restored:
    """Put a backup in the place of the file, which is itself kept as a backup; the backup stays.

    Args:
        database: the file.
        copy: the backup; checked before anything is touched.
        timeout: seconds to wait for whoever holds the file or the backup.

    Raises:
        WarehouseMissing: there is no such backup.
        WarehouseError: the backup is not a DuckDB file.
        WarehouseTooNew: the backup's schema is newer than the code.
        WarehouseLocked: the file or the backup was held until the timeout.
        CopyFailed: a copy could not be written.
    """
    if not copy.exists():
        raise WarehouseMissing(f"There is no backup at {copy}; `kalshi-pipeline backup` makes one in backups/.")
    incoming = database.with_name(f".{database.name}.restored")
    try:
        with opened(copy, Opening(read_only=False, timeout=timeout)) as con:
            version = schema_version(con)
            refuse_newer(version, len(migrations()), copy)
            copy_held(con, copy, incoming)
        return Restored(version, _swap(database, incoming, timeout))
    finally:
        incoming.unlink(missing_ok=True)


def _swap(database: Path, incoming: Path, timeout: float) -> Path | None:
    """Rename ``incoming`` over the file while it is held, so that nobody writes to what is about to go."""
    if not database.exists():
        os.replace(incoming, database)
        return None
    with opened(database, Opening(read_only=False, timeout=timeout)) as con:
        kept = copy_held(con, database, backup_path(database, schema_version(con), "-before-restore"))
        os.replace(incoming, database)
        return kept
