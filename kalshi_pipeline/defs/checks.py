"""How a write shows itself in Dagster: the table's blocking schema check first, then its materialisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.metadata import first_rows
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.drift import DriftReport
from kalshi_pipeline.warehouse.errors import WarehouseLocked
from kalshi_pipeline.warehouse.previews import preview
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import BlockedWrite, WriteReport

#: Name of the in-asset check that holds written rows against the table's pandera schema.
SCHEMA_CHECK = "schema"
#: Name of the in-asset check that holds landed responses against their known form.
DRIFT_CHECK = "wire_drift"
#: Name of the in-asset check that every market of the universe ended the day in a state that is final.
COVERAGE_CHECK = "coverage"


def asset_key(table: Table) -> dg.AssetKey:
    """The asset that writes a table bears the table's name."""
    return dg.AssetKey([table.schema, table.name])


def schema_check(table: Table) -> dg.AssetCheckSpec:
    """The blocking check that a table's rows satisfy its schema; it runs inside the asset, before commit."""
    return dg.AssetCheckSpec(
        name=SCHEMA_CHECK,
        asset=asset_key(table),
        blocking=True,
        description=(
            "Rows hold the table's pandera schema. A faulty row is quarantined with its reason and the check warns; "
            "a fault of structure or key, or more than 1 % quarantined, writes nothing and stops everything downstream."
        ),
    )


def drift_check(table: Table) -> dg.AssetCheckSpec:
    """The check that the responses a table is loaded from look as they are known to; it stops nothing."""
    return dg.AssetCheckSpec(
        name=DRIFT_CHECK,
        asset=asset_key(table),
        description=(
            "No field of the landed responses is new (warning), missing or of another type (error). What is found is "
            "counted in meta.wire_drift; the load goes on, and quarantines what it cannot read."
        ),
    )


def drift_result(table: Table, report: DriftReport) -> dg.AssetCheckResult:
    """What a scan of the landed responses found."""
    return dg.AssetCheckResult(
        check_name=DRIFT_CHECK,
        asset_key=asset_key(table),
        passed=not report.counts,
        severity=dg.AssetCheckSeverity.WARN if report.readable else dg.AssetCheckSeverity.ERROR,
        metadata={
            "responses": report.responses,
            **{f"{seen.kind}: {seen.field}": objects for seen, objects in sorted(report.counts.items())},
        },
    )


def coverage_check(table: Table) -> dg.AssetCheckSpec:
    """The check that no market of the universe was left out of a day; it stops nothing."""
    return dg.AssetCheckSpec(
        name=COVERAGE_CHECK,
        asset=asset_key(table),
        description=(
            "On every day that has ended, every market of the universe has rows, was fetched and is silent, or was not "
            "open (meta.market_states). A market whose request failed is an error, one that nobody asked for a warning."
        ),
    )


def coverage_result(table: Table, states: Mapping[str, int], failed: Mapping[str, str]) -> dg.AssetCheckResult:
    """What the days left of the markets, counted by state, and which units of work failed for which reason."""
    return dg.AssetCheckResult(
        check_name=COVERAGE_CHECK,
        asset_key=asset_key(table),
        passed=not failed and not states.get("failed") and not states.get("not_loaded"),
        severity=dg.AssetCheckSeverity.ERROR if failed or states.get("failed") else dg.AssetCheckSeverity.WARN,
        metadata={
            **{f"markets {state}": markets for state, markets in states.items()},
            **{f"failed: {unit_id}": reason for unit_id, reason in list(failed.items())[:20]},
        },
    )


def checked(
    warehouse: Warehouse,
    tables: Sequence[Table],
    write: Callable[[], Mapping[str, WriteReport]],
    metadata: Callable[[], Mapping[str, Mapping[str, Any]]] = dict,
    days: Sequence[date] = (),
) -> Iterator[Any]:
    """Write, and report each table's schema check and materialisation.

    Args:
        warehouse: where the tables are; their first rows are read from it once they are written.
        tables: the tables written, in the order they are reported.
        write: writes all of them and returns a report by table name.
        metadata: further metadata by table name, asked for after the write.
        days: the partitions written, whose rows are shown; none where the tables have no partitions.

    Yields:
        Per table its check result, then its materialisation. A blocked write yields the failed check of the table
        that blocked it and fails the step: nothing was committed, and nothing downstream runs.

    Raises:
        dg.Failure: the write was blocked.
    """
    try:
        reports = write()
    except BlockedWrite as blocked:
        yield _blocked(blocked)
        raise dg.Failure(str(blocked), allow_retries=False) from blocked
    extra, shown = metadata(), _first_rows(warehouse, tables, days)
    for table in tables:
        report, key = reports[table.name], asset_key(table)
        yield dg.AssetCheckResult(
            check_name=SCHEMA_CHECK,
            asset_key=key,
            passed=not report.quarantined,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={f"quarantined: {reason}": rows for reason, rows in report.quarantined.items()},
        )
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={**_counts(report), **shown.get(table.name, {}), **extra.get(table.name, {})},
        )


def _first_rows(warehouse: Warehouse, tables: Sequence[Table], days: Sequence[date]) -> dict[str, dict[str, Any]]:
    """The first rows of each table by its name; nothing where another process took the file meanwhile."""
    try:
        with warehouse.read() as con:
            return {table.name: first_rows(preview(con, table.qualified_name, days)) for table in tables}
    except WarehouseLocked:
        return {}


def _blocked(blocked: BlockedWrite) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=SCHEMA_CHECK,
        asset_key=dg.AssetKey(blocked.report.table.split(".")),
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=str(blocked),
    )


def _counts(report: WriteReport) -> dict[str, Any]:
    return {
        "dagster/row_count": report.rows,
        "rows inserted": report.inserted,
        "rows updated": report.updated,
        "rows unchanged": report.unchanged,
        "rows quarantined": report.quarantined_rows,
    }
