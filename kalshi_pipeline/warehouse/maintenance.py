"""Upkeep of the DuckDB file: writing its log into it, so that the space of deleted rows can be used again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kalshi_pipeline.warehouse.opening import Opening, opened, require_file


@dataclass(frozen=True)
class Checkpointed:
    """Sizes around a checkpoint, in bytes; the log is the write-ahead log beside the file."""

    file_before: int
    log_before: int
    file_after: int
    log_after: int


def checkpoint(database: Path, *, timeout: float = 60.0) -> Checkpointed:
    """Write the log into the file and free the space of deleted rows for new ones; readers and writers wait meanwhile.

    Raises:
        WarehouseMissing: there is no file.
        WarehouseLocked: the file was held until the timeout.
    """
    require_file(database)
    before = _sizes(database)
    with opened(database, Opening(read_only=False, timeout=timeout)) as con:
        con.execute("CHECKPOINT")
    return Checkpointed(*before, *_sizes(database))


def _sizes(database: Path) -> tuple[int, int]:
    log = database.with_name(f"{database.name}.wal")
    return database.stat().st_size, log.stat().st_size if log.exists() else 0
