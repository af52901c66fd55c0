"""The books of ingestion: units of work, the state of every market, what each load was made of, and a log of runs.

Checkpoints and coverage hold the current state and are replaced by partition; provenance and log are only added to.
Not here: the rows themselves (``writing``), and what they say of themselves (``bookkeeping``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Literal

import duckdb
import pyarrow as pa

from kalshi_pipeline import __version__
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import on_days

_INCOMING = "incoming_books"


def record_units(con: duckdb.DuckDBPyConnection, units: pa.Table) -> None:
    """Replace the checkpoints of the partitions that the units belong to.

    Args:
        con: a connection inside a transaction.
        units: the units of whole partitions: dataset, partition_date, unit_id, state, reason, path, sha256, bytes,
            responses, rows and run_id.
    """
    with _incoming(con, units):
        con.execute(
            f"""
            DELETE FROM meta.ingestion_checkpoint
            WHERE (dataset, coalesce(partition_date, DATE 'epoch')) IN (
                SELECT DISTINCT (dataset, coalesce(partition_date, DATE 'epoch')) FROM {_INCOMING}
            )
            """
        )
        con.execute(f"INSERT INTO meta.ingestion_checkpoint BY NAME SELECT *, now() AS recorded_at FROM {_INCOMING}")


def record_failures(con: duckdb.DuckDBPyConnection, asked: pa.Table, *, run_id: str) -> None:
    """Put the markets whose last request failed into the state ``failed``; the others keep theirs until they load.

    Args:
        con: a connection inside a transaction.
        asked: the markets asked for: dataset, period_minutes, partition_date, ticker, failure and unit_id.
        run_id: the run that asked.
    """
    with _incoming(con, asked):
        con.execute(
            f"""
            DELETE FROM meta.market_coverage AS c USING {_INCOMING} AS i
            WHERE i.failure IS NOT NULL AND c.dataset = i.dataset AND c.partition_date = i.partition_date
            AND c.ticker = i.ticker AND c.period_minutes IS NOT DISTINCT FROM i.period_minutes
            """
        )
        con.execute(
            f"""
            INSERT INTO meta.market_coverage BY NAME
            SELECT * EXCLUDE (failure), 'failed' AS state, 0 AS rows, failure AS reason, ? AS run_id,
                now() AS recorded_at
            FROM {_INCOMING} WHERE failure IS NOT NULL
            """,
            [run_id],
        )


def record_coverage(
    con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date], asked: pa.Table, *, run_id: str
) -> None:
    """Settle the state of every market that was asked for on the days, from the rows that were loaded.

    Args:
        con: a connection inside the transaction that loaded the days.
        table: the fact table that was loaded.
        days: the days that were loaded.
        asked: as for :func:`record_failures`, for all markets of these days.
        run_id: the run that loads.
    """
    period = "period_minutes" if "period_minutes" in table.columns else "NULL::INTEGER"
    served = "source = 'api_event'" if "source" in table.columns else "TRUE"
    con.execute(
        f"DELETE FROM meta.market_coverage WHERE dataset = ? AND {on_days('partition_date', days)}", [table.name]
    )
    with _incoming(con, asked):
        con.execute(
            f"""
            INSERT INTO meta.market_coverage BY NAME
            WITH loaded AS (
                SELECT ticker, {period} AS period_minutes, partition_date, count(*) AS rows
                FROM {table.qualified_name} WHERE {on_days("partition_date", days)} AND {served}
                GROUP BY ALL
            )
            SELECT
                i.* EXCLUDE (failure),
                coalesce(l.rows, 0) AS rows,
                CASE WHEN failure IS NOT NULL THEN 'failed' WHEN l.rows > 0 THEN 'has_rows' ELSE 'silent' END AS state,
                failure AS reason,
                ? AS run_id,
                now() AS recorded_at
            FROM {_INCOMING} AS i
            LEFT JOIN loaded AS l
                ON i.ticker = l.ticker AND i.partition_date = l.partition_date
                AND i.period_minutes IS NOT DISTINCT FROM l.period_minutes
            """,
            [run_id],
        )


def states(con: duckdb.DuckDBPyConnection, dataset: str, days: Sequence[date]) -> dict[str, int]:
    """How many markets the days left in each state, summed over the days."""
    return dict(
        con.execute(
            "SELECT state, count(*) FROM meta.market_states "
            f"WHERE dataset = ? AND {on_days('partition_date', days)} GROUP BY state ORDER BY state",
            [dataset],
        ).fetchall()
    )


def record_provenance(
    con: duckdb.DuckDBPyConnection, table: Table, contents: pa.Table, *, source: str, run_id: str
) -> None:
    """Add what a load was made of, one row per partition.

    Args:
        con: a connection inside the transaction of the load.
        table: the table that was loaded.
        contents: the partitions: partition_date, units and units_sha256.
        source: name of the exchange the responses came from.
        run_id: the run that loads.
    """
    with _incoming(con, contents):
        con.execute(
            f"""
            INSERT INTO meta.data_provenance BY NAME
            SELECT
                i.*, ? AS run_id, ? AS table_name, ? AS source, ? AS code_version, load_id, now() AS loaded_at
            FROM {_INCOMING} AS i
            LEFT JOIN meta.partition_loads AS l ON i.partition_date = l.partition_date AND l.dataset = ?
            """,
            [run_id, table.qualified_name, source, __version__, table.name],
        )


def record_run(
    con: duckdb.DuckDBPyConnection,
    stage: Literal["landing", "loading"],
    dataset: str,
    days: Sequence[date],
    figures: Mapping[str, Any],
    *,
    run_id: str,
    failure: str | None = None,
) -> None:
    """Add a run's account of one dataset to the log.

    Args:
        con: a connection inside a transaction.
        stage: fetching from the exchange, or loading into tables.
        dataset: the dataset.
        days: the days it was about; none for reference data.
        figures: counts and seconds.
        run_id: the run.
        failure: why it failed, where it did.
    """
    con.execute(
        "INSERT INTO meta.ingestion_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, now())",
        [
            run_id,
            stage,
            dataset,
            min(days, default=None),
            max(days, default=None),
            "failed" if failure else "done",
            failure,
            json.dumps(dict(figures)),
        ],
    )


def landed_runs(con: duckdb.DuckDBPyConnection, dataset: str) -> list[str]:
    """The runs that landed a dataset, oldest first."""
    found = con.execute(
        "SELECT run_id FROM meta.ingestion_log WHERE stage = 'landing' AND dataset = ? "
        "GROUP BY run_id ORDER BY min(recorded_at)",
        [dataset],
    ).fetchall()
    return [run_id for (run_id,) in found]


@contextmanager
def _incoming(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    con.register(_INCOMING, rows)
    try:
        yield
    finally:
        con.unregister(_INCOMING)
