"""The marts and research tables as Parquet beside the warehouse, so that readers need not wait for a writer.

``published/`` holds one folder per table in the layout of ``exporting``, and ``published.json`` says as of when. Only
months whose rows have changed since the last publication are written again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from kalshi_pipeline.warehouse.exporting import Exported, export_table, exportable_tables

_SAID = "published.json"
#: How a table without months is written in JSON, whose keys are texts.
_WHOLE = ""


@dataclass(frozen=True)
class Published:
    """What a publication did.

    Attributes:
        folder: where the files are.
        tables: what was done for every table.
    """

    folder: Path
    tables: tuple[Exported, ...]

    @property
    def rows(self) -> int:
        """Rows published, over all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def written(self) -> int:
        """Files that had changed and were written."""
        return sum(len(table.written) for table in self.tables)


def published_folder(database: Path) -> Path:
    """Where the published files of a warehouse are."""
    return database.parent / "published"


def publish(con: duckdb.DuckDBPyConnection, database: Path) -> Published:
    """Publish every mart and research table; what has not changed since the last time is left alone.

    Args:
        con: the open warehouse; reading suffices.
        database: its file.

    Raises:
        WarehouseError: the folder cannot be written.
    """
    folder = published_folder(database)
    before = _said(folder).get("tables", {})
    tables = []
    for name in exportable_tables(con):
        known = {month or None: fingerprint for month, fingerprint in before.get(name, {}).items()}
        tables.append(export_table(con, name, folder, known=known))
    _say(folder, {table.table: {month or _WHOLE: said for month, said in table.months.items()} for table in tables})
    return Published(folder, tuple(tables))


def publication(database: Path) -> str | None:
    """A sentence that says where and as of when the tables are published; ``None`` where they never were."""
    folder = published_folder(database)
    at = _said(folder).get("published_at")
    return at and f"The marts and research tables as of {at} are Parquet files under {folder}, free to read meanwhile."


def _said(folder: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads((folder / _SAID).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return said


def _say(folder: Path, tables: Mapping[str, Mapping[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    said = {"published_at": datetime.now(UTC).isoformat(timespec="seconds"), "tables": tables}
    part = folder / f"{_SAID}.part"
    part.write_text(json.dumps(said, indent=1), encoding="utf-8")
    os.replace(part, folder / _SAID)
