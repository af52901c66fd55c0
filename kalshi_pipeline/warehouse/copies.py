"""Copying a DuckDB file that this process holds open, so that nothing writes to it meanwhile."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from kalshi_pipeline.warehouse.errors import CopyFailed

_PROGRAM = (
    "import os, shutil, sys; source, target = sys.argv[1:]; "
    "os.makedirs(os.path.dirname(target), exist_ok=True); shutil.copyfile(source, target + '.part'); "
    "os.replace(target + '.part', target)"
)


def copy_held(con: duckdb.DuckDBPyConnection, database: Path, copy: Path) -> Path:
    """Copy the file behind ``con``, which must be its only connection; the copy appears whole or not at all.

    Raises:
        CopyFailed: the copy could not be written.
    """
    con.execute("CHECKPOINT")  # leaves no log beside the file
    # In a process of its own: closing any descriptor of the file in this one would drop DuckDB's lock on it.
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(database), str(copy)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CopyFailed(f"{database} could not be copied to {copy}: {done.stderr.strip().splitlines()[-1]}")
    return copy


def backup_path(database: Path, version: int, why: str = "") -> Path:
    """Where a backup of the file goes: in ``backups/`` beside it, named after its schema version and the moment."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return database.parent / "backups" / f"{database.stem}-v{version}-{stamp}{why}{database.suffix}"
