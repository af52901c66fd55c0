"""What the assets of research tables share: their description for Dagster, and the way a whole table is replaced."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from kalshi_pipeline.defs.checks import asset_key, checked, schema_check
from kalshi_pipeline.defs.metadata import table_metadata
from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.frames import write_table
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import WriteReport

OWNERS = ["team:research"]


def research_asset(table: Table, deps: Sequence[Any], description: str) -> dict[str, Any]:
    """Arguments of ``dg.asset`` for an unpartitioned research table."""
    stated = _stated(table, deps, description, "research")
    return {**stated, "check_specs": [schema_check(table)], "backfill_policy": ONE_RUN}


def research_spec(table: Table, deps: Sequence[Any], description: str, *, group: str = "research") -> dg.AssetSpec:
    """The same for one table of a multi-asset, which states its checks and its policy for all of them."""
    return dg.AssetSpec(**_stated(table, deps, description, group))


def _stated(table: Table, deps: Sequence[Any], description: str, group: str) -> dict[str, Any]:
    return {
        "key": asset_key(table),
        "deps": list(deps),
        "group_name": group,
        "kinds": {"python", "duckdb"},
        "owners": OWNERS,
        "tags": {"layer": "research"},
        "metadata": table_metadata(table),
        "description": description,
    }


def written(
    context: dg.AssetExecutionContext, warehouse: Warehouse, table: Table, rows: pa.Table, **metadata: Any
) -> Iterator[Any]:
    """Replace the whole table by ``rows`` in one transaction and report it."""
    yield from all_written(context, warehouse, [(table, rows)], {table.name: metadata})


def all_written(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    tables: Sequence[tuple[Table, pa.Table]],
    metadata: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Any]:
    """Replace several tables in one transaction and report each."""

    def write() -> dict[str, WriteReport]:
        with warehouse.write() as con:
            return {table.name: write_table(con, table, rows, run_id=context.run.run_id) for table, rows in tables}

    yield from checked(warehouse, [table for table, _ in tables], write, metadata=lambda: metadata or {})
