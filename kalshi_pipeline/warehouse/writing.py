"""Writing a table: validate everything, set faulty rows aside with a reason, commit the rest or nothing.

Two ways to write. A partition (or a whole unpartitioned table) is replaced; a reference table takes a new version of
what it describes where the content differs from the version before. Either way the caller holds the transaction, and
a :class:`BlockedWrite` leaves the caller's ``with warehouse.write()`` block, which rolls it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.across_rows import (
    already_there,
    changed_days,
    double_keys,
    drop_repeats,
    new_things,
    other_days,
    rows_by_day,
)
from kalshi_pipeline.warehouse.bookkeeping import clear_quarantine, quarantine_faults, record_loads
from kalshi_pipeline.warehouse.reports import BlockedWrite, WriteReport
from kalshi_pipeline.warehouse.sql import identifiers, on_days
from kalshi_pipeline.warehouse.staging import STAGED, StructureFault, shown, staged_copy
from kalshi_pipeline.warehouse.validation import SOUND, collect_faults, fault_reasons, sound_as_it_is, sound_rows

__all__ = ["QUARANTINE_LIMIT", "BlockedWrite", "WriteReport", "append_versions", "write_partition"]

#: Largest share of faulty rows that still lets the rest be written.
QUARANTINE_LIMIT = 0.01


def write_partition(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    staged: str | Iterable[str],
    *,
    partitions: Sequence[date] | None,
    run_id: str,
    reasons: Mapping[date, str] | None = None,
    prefer: str | None = None,
    in_memory: bool = False,
    source: duckdb.DuckDBPyConnection | None = None,
) -> WriteReport:
    """Replace the rows of the given daily partitions (or of a whole unpartitioned table) by the staged ones.

    A partition whose rows are all there already is left alone, so that nothing downstream is computed again.

    Args:
        con: a connection inside a transaction.
        table: the table to write.
        staged: name of a relation that ``con`` knows, with the table's columns; or several, read one after the other.
        partitions: days to replace; ``None`` for a table without partitions.
        run_id: the run that writes.
        reasons: why a partition is as it is (for instance, empty), by day; kept in ``meta.partition_loads``.
        prefer: ``ORDER BY`` terms that say which of several rows with one key counts, for sources that serve a row
            more than once; without it a key that occurs twice is a fault.
        in_memory: whether ``staged`` is one relation that costs nothing to read again, such as an Arrow table; where
            all of it is sound it is written from where it is, without a copy.
        source: another connection to the same database, outside a transaction, that knows ``staged`` in place of
            ``con``: for loads of any size, whose rows are then read by several threads.

    Raises:
        BlockedWrite: a column is missing or unknown, a key occurs twice, a row belongs to none of the partitions, or
            more than 1 % of the rows are faulty.
    """
    if (partitions is None) != (table.partition_column is None):
        raise ValueError(f"{table.qualified_name} has {'' if table.partition_column else 'no '}partitions.")
    days = sorted(set(partitions or ()))
    with _validated(con, table, staged, prefer=prefer, in_memory=in_memory, source=source) as report:
        incoming = rows_by_day(con, table)
        if table.partition_column:
            _refuse(other_days(incoming, days), report)
        if not prefer:
            _refuse(double_keys(con, table), report)
        asked: list[date | None] = list(days) if table.partition_column else [None]
        changed = changed_days(con, table, asked, incoming)
        same, updated = already_there(con, table, changed)
        inserted = _replaced(con, table, changed, incoming) - same - updated
        clear_quarantine(con, table, days)
        if report.quarantined:
            quarantine_faults(con, table, run_id)
        changed_partitions = tuple(day for day in changed if day)
        rows = {day: incoming.get(day, 0) for day in days}
        record_loads(con, table, rows, changed=changed_partitions, run_id=run_id, reasons=reasons)
    unchanged = report.rows - inserted - updated
    return replace(
        report, inserted=inserted, updated=updated, unchanged=unchanged, changed_partitions=changed_partitions
    )


def append_versions(con: duckdb.DuckDBPyConnection, table: Table, staged: str, *, run_id: str) -> WriteReport:
    """Add a version of each described thing whose content differs from the version before it.

    The table's key is the thing's own key and ``observed_at``; ``content_hash`` says what counts as content. Rows are
    only ever added. Observations may come several at a time and late: each is held against the one before it in time.

    Args:
        con: a connection inside a transaction.
        table: a table versioned by observation.
        staged: name of a relation that ``con`` knows, with the table's columns.
        run_id: the run that writes.

    Raises:
        BlockedWrite: a column is missing or unknown, a key occurs twice, or more than 1 % of the rows are faulty.
    """
    thing = identifiers(name for name in table.key if name != "observed_at")
    with _validated(con, table, staged) as report:
        _refuse(double_keys(con, table), report)
        inserted = new_things(con, table, thing)
        written = _inserted(
            con,
            table,
            f"""{STAGED} WHERE rowid IN (
                WITH incoming AS (
                    SELECT {thing}, observed_at, content_hash, row_id
                    FROM {SOUND}
                    ANTI JOIN {table.qualified_name} USING ({thing}, observed_at)
                ),
                known AS (
                    SELECT {thing}, observed_at, content_hash, NULL AS row_id
                    FROM {table.qualified_name} SEMI JOIN incoming USING ({thing})
                )
                SELECT row_id FROM (FROM incoming UNION ALL FROM known)
                QUALIFY row_id IS NOT NULL AND content_hash IS DISTINCT FROM
                    lag(content_hash) OVER (PARTITION BY {thing} ORDER BY observed_at)
            )""",
        )
        quarantine_faults(con, table, run_id)
    return replace(report, inserted=inserted, updated=written - inserted, unchanged=report.rows - written)


@contextmanager
def _validated(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    staged: str | Iterable[str],
    *,
    prefer: str | None = None,
    in_memory: bool = False,
    source: duckdb.DuckDBPyConnection | None = None,
) -> Iterator[WriteReport]:
    """Show the rows without a fault as :data:`SOUND`; the report counts them, and the others."""
    if in_memory and isinstance(staged, str) and sound_as_it_is(con, table, staged):
        with sound_rows(con, staged):
            yield replace(WriteReport.empty(table), rows=_count(con, SOUND))
    else:
        relations = [staged] if isinstance(staged, str) else staged
        with _staged(con, table, relations, prefer, source or con) as report, sound_rows(con):
            yield report


@contextmanager
def _staged(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    relations: Iterable[str],
    prefer: str | None,
    source: duckdb.DuckDBPyConnection,
) -> Iterator[WriteReport]:
    """Stage the rows and find the faulty ones."""
    empty = WriteReport.empty(table)
    try:
        with ExitStack() as stack:
            held = stack.enter_context(staged_copy(source, table, relations, apart=source is not con))
            # Before it is committed: by one thread, which takes less memory for the keys of many rows.
            if prefer:
                drop_repeats(source, held, table.key, prefer)
            stack.enter_context(shown(con, source, held))
            total = _count(con, STAGED)
            collect_faults(con, table, enough=int(total * QUARANTINE_LIMIT))
            reasons = fault_reasons(con)
            report = replace(empty, rows=total - sum(reasons.values()), quarantined=reasons)
            if report.quarantined_rows > total * QUARANTINE_LIMIT:
                listed = ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
                _refuse(
                    f"{report.quarantined_rows} of {total} rows are faulty, more than {QUARANTINE_LIMIT:.0%}: {listed}",
                    report,
                )
            yield report
    except StructureFault as fault:
        raise BlockedWrite(str(fault), empty) from fault


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _refuse(reason: str | None, report: WriteReport) -> None:
    if reason:
        raise BlockedWrite(reason, report)


def _replaced(
    con: duckdb.DuckDBPyConnection, table: Table, changed: Sequence[date | None], incoming: Iterable[date | None]
) -> int:
    """Put the sound rows of the changed days in place of the stored ones; returns their number."""
    if not changed:
        return 0
    days = [day for day in changed if day]
    condition = on_days(table.partition_column, days) if table.partition_column else "TRUE"
    con.execute(f"DELETE FROM {table.qualified_name} WHERE {condition}")
    # Mostly every day that came has changed: nothing has to be picked then.
    return _inserted(con, table, SOUND if set(incoming) <= set(changed) else f"{SOUND} WHERE {condition}")


def _inserted(con: duckdb.DuckDBPyConnection, table: Table, source: str) -> int:
    columns = identifiers(table.columns)
    rows = con.execute(f"INSERT INTO {table.qualified_name} ({columns}) SELECT {columns} FROM {source}").fetchall()
    return int(rows[0][0])
