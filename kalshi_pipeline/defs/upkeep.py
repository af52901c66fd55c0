"""Upkeep of the warehouse: its tables published as Parquet, its log written into its file."""

from collections.abc import Sequence

import dagster as dg

from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.maintenance import checkpoint
from kalshi_pipeline.warehouse.publishing import publish
from kalshi_pipeline.warehouse.resource import Warehouse

#: The schemas whose tables are published.
PUBLISHED = ("marts", "research")


def build_published(tables: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The published files, made after every mart and research table that a run writes."""

    @dg.asset(
        key=["published", "tables"],
        deps=[key for key in tables if key.path[0] in PUBLISHED],
        group_name="published",
        kinds={"parquet"},
        owners=["team:research"],
        tags={"layer": "published"},
        backfill_policy=ONE_RUN,
        description=(
            "Every mart and research table as Parquet beside the warehouse, one file a month, so that readers need not "
            "wait for a writer. Only months whose rows have changed are written; each file is replaced as a whole."
        ),
    )
    def published_tables(settings: dg.ResourceParam[Settings], warehouse: Warehouse) -> dg.MaterializeResult[None]:
        with warehouse.read() as con:
            done = publish(con, settings.database)
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(str(done.folder)),
                "tables": len(done.tables),
                "rows": done.rows,
                "files written": done.written,
            }
        )

    return published_tables


@dg.op(description="Write the warehouse's log into its file and free the space of deleted rows for new ones.")
def checkpoint_warehouse(context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]) -> None:
    """Take the file for a moment, as a writer does, and write its log into it."""
    done = checkpoint(settings.database, timeout=settings.lock_timeout)
    context.log.info(
        f"File {done.file_before:,} -> {done.file_after:,} bytes, log {done.log_before:,} -> {done.log_after:,} bytes."
    )


@dg.job(
    name="checkpoint",
    description="Write the warehouse's log into its file, when no run is about.",
)
def checkpoint_job() -> None:
    """One step: the checkpoint."""
    checkpoint_warehouse()
