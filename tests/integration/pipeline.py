"""A small pipeline in a folder of its own: the project's definitions over a short window of the simulated exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.runs import PROJECT_ROOT, run_assets
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.resource import Warehouse

#: Two climate days of one city at one-minute bars, and the CPI ladders that are open then.
DAYS = (date(2026, 6, 29), date(2026, 6, 30))
NOW = datetime(2026, 7, 1, 14, tzinfo=UTC)
UNIVERSE = ("KXHIGHCHI", "KXCPI")


@dataclass
class Pipeline:
    """Definitions over a data folder, with an instance that remembers their runs."""

    settings: Settings
    defs: dg.Definitions
    instance: dg.DagsterInstance

    @classmethod
    def at(cls, folder: Path, instance: dg.DagsterInstance, **overrides: Any) -> Pipeline:
        values: dict[str, Any] = {
            "data_dir": folder,
            "universe": UNIVERSE,
            "sandbox_now": NOW,
            "grid_minutes": 60,
            **overrides,
        }
        settings = Settings(**values)
        return cls(settings, build_defs(settings), instance)

    def run(self, **arguments: Any) -> dg.ExecuteInProcessResult:
        return run_assets(self.defs, self.instance, **arguments)

    def query(self, sql: str, *parameters: object) -> pa.Table:
        with Warehouse(database=str(self.settings.database)).read() as con:
            return con.execute(sql, list(parameters)).to_arrow_table()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with Warehouse(database=str(self.settings.database)).read() as con:
            return con.execute(sql, list(parameters)).fetchall()

    def value(self, sql: str, *parameters: object) -> Any:
        return self.rows(sql, *parameters)[0][0]


__all__ = ["DAYS", "NOW", "PROJECT_ROOT", "UNIVERSE", "Pipeline"]
