"""What the warehouse says about its own rows: quarantine, partition loads, and how many rows a table holds.

Other ``meta`` tables belong to whoever fills them; this module keeps the ones that every write touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import on_days, packed
from kalshi_pipeline.warehouse.staging import ROW_SOURCE, STAGED
from kalshi_pipeline.warehouse.validation import FAULTS


def clear_quarantine(con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date]) -> None:
    """Forget earlier faulty rows of the days (or of the whole unpartitioned table) that are being replaced."""
    condition = on_days("partition_date", days) if table.partition_column else "TRUE"
    con.execute(f"DELETE FROM meta.quarantine WHERE table_name = ? AND {condition}", [table.qualified_name])


def quarantine_faults(con: duckdb.DuckDBPyConnection, table: Table, run_id: str) -> None:
    """Set the faulty staged rows aside, each with its reason and as JSON; one set aside before is not repeated."""
    row = f"coalesce({ROW_SOURCE}, to_json({packed(table.columns)}))"
    con.execute(
        f"""
        INSERT INTO meta.quarantine (table_name, partition_date, reason, row_json, run_id, quarantined_at)
        WITH faulty_rows AS (
            SELECT rowid AS row_id, {table.partition_column or "NULL"} AS partition_date, {row} AS row_json
            FROM {STAGED} WHERE rowid IN (SELECT row_id FROM {FAULTS})
        )
        SELECT $table_name, partition_date, reason, row_json, $run_id, now()
        FROM faulty_rows JOIN {FAULTS} USING (row_id)
        WHERE (reason, row_json::VARCHAR) NOT IN (
            SELECT (reason, row_json::VARCHAR) FROM meta.quarantine WHERE table_name = $table_name
        )
        """,
        {"table_name": table.qualified_name, "run_id": run_id},
    )


def record_loads(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: Mapping[date, int],
    *,
    changed: Sequence[date],
    run_id: str,
    reasons: Mapping[date, str] | None,
) -> None:
    """Note the state of partitions; one whose rows changed, or that was never loaded, gets a new load id.

    The load id is the watermark of everything derived: a day is computed again iff its load id is newer.

    Args:
        con: a connection inside a transaction.
        table: the table.
        rows: rows of each partition after the write.
        changed: the partitions whose rows were replaced.
        run_id: the run that writes.
        reasons: why a partition is as it is, where there is something to say.
    """
    if not rows:
        return
    is_new = on_days("excluded.partition_date", changed)
    con.execute(
        f"""
        INSERT INTO meta.partition_loads
            (dataset, partition_date, load_id, loaded_at, run_id, rows, quarantined, reason)
        SELECT
            $dataset, day, nextval('meta.load_id'), now(), $run_id, day_rows,
            (SELECT count(*) FROM meta.quarantine WHERE table_name = $table_name AND partition_date = day),
            reason
        FROM (SELECT unnest($days) AS day, unnest($rows) AS day_rows, unnest($reasons) AS reason)
        ON CONFLICT (dataset, partition_date) DO UPDATE SET
            load_id = CASE WHEN {is_new} THEN excluded.load_id ELSE load_id END,
            loaded_at = CASE WHEN {is_new} THEN excluded.loaded_at ELSE loaded_at END,
            run_id = CASE WHEN {is_new} THEN excluded.run_id ELSE run_id END,
            rows = excluded.rows,
            quarantined = excluded.quarantined,
            reason = excluded.reason
        """,
        {
            "dataset": table.name,
            "table_name": table.qualified_name,
            "days": list(rows),
            "rows": list(rows.values()),
            "run_id": run_id,
            "reasons": [(reasons or {}).get(day) or None for day in rows],
        },
    )


def row_counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of every table of the file, by ``schema.table``, in that order."""
    tables = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT temporary ORDER BY ALL"
    ).fetchall()
    return {
        f"{schema}.{name}": int(con.execute(f'SELECT count(*) FROM "{schema}"."{name}"').fetchall()[0][0])
        for schema, name in tables
    }
