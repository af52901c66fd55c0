"""Writing a table: validate everything, set faulty rows aside with a reason, commit the rest or nothing.

Two ways to write. A partition (or a whole unpartitioned table) is replaced; a reference table takes a new version of
what it describes where the content differs from the latest one. Either way the caller holds the transaction, and a
:class:`BlockedWrite` leaves the caller's ``with warehouse.write()`` block, which rolls it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.bookkeeping import clear_quarantine, quarantine_faults, record_loads
from kalshi_pipeline.warehouse.staging import STAGED, StructureFault, staged_copy
from kalshi_pipeline.warehouse.validation import FAULTS, collect_faults, fault_reasons

#: Largest share of faulty rows that still lets the rest be written.
QUARANTINE_LIMIT = 0.01

_SOUND = f"{STAGED} WHERE rowid NOT IN (SELECT row_id FROM {FAULTS})"


@dataclass(frozen=True)
class WriteReport:
    """What a write did.

    Attributes:
        table: the table written.
        rows: incoming rows that hold the schema.
        inserted: those that were written.
        unchanged: those that were there already, as they are.
        quarantined: rows set aside, counted by reason.
        changed_partitions: the days whose rows were replaced.
    """

    table: str
    rows: int
    inserted: int = 0
    unchanged: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    changed_partitions: tuple[date, ...] = ()

    @classmethod
    def empty(cls, table: Table) -> WriteReport:
        """A report of nothing done: where a sum of reports begins."""
        return cls(table=table.qualified_name, rows=0)

    def __add__(self, other: WriteReport) -> WriteReport:
        """Both reports of one table as one."""
        if self.table != other.table:
            raise ValueError(f"Reports of {self.table} and of {other.table} have no sum.")
        return WriteReport(
            table=self.table,
            rows=self.rows + other.rows,
            inserted=self.inserted + other.inserted,
            unchanged=self.unchanged + other.unchanged,
            quarantined=dict(Counter(self.quarantined) + Counter(other.quarantined)),
            changed_partitions=tuple(sorted({*self.changed_partitions, *other.changed_partitions})),
        )

    @property
    def quarantined_rows(self) -> int:
        """Rows set aside, over all reasons."""
        return sum(self.quarantined.values())


class BlockedWrite(RuntimeError):
    """Nothing may be written: a fault of structure or key, or too many faulty rows.

    Attributes:
        report: what was found until then; nothing in it was written.
    """

    def __init__(self, reason: str, report: WriteReport) -> None:
        super().__init__(f"{report.table}: {reason}; nothing was written.")
        self.report = report


def write_partition(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    staged: str,
    *,
    partitions: Sequence[date] | None,
    run_id: str,
    reason: str | None = None,
    prefer: str | None = None,
) -> WriteReport:
    """Replace the rows of the given daily partitions (or of a whole unpartitioned table) by the staged ones.

    A partition whose rows are all there already is left alone, so that nothing downstream is computed again.

    Args:
        con: a connection inside a transaction.
        table: the table to write.
        staged: name of a relation that ``con`` knows, with the table's columns.
        partitions: days to replace; ``None`` for a table without partitions.
        run_id: the run that writes.
        reason: why the partitions are as they are (for instance, empty), kept in ``meta.partition_loads``.
        prefer: ``ORDER BY`` terms that say which of several rows with one key counts, for sources that serve a row
            more than once; without it a key that occurs twice is a fault.

    Raises:
        BlockedWrite: a column is missing or unknown, a key occurs twice, a row belongs to none of the partitions, or
            more than 1 % of the rows are faulty.
    """
    if (partitions is None) != (table.partition_column is None):
        raise ValueError(f"{table.qualified_name} is written {'by' if table.partition_column else 'without'} partition.")
    days = tuple(sorted(set(partitions or ())))
    with _validated(con, table, staged, prefer) as report:
        _refuse_other_days(con, table, days, report)
        _refuse_double_keys(con, table, report)
        changed = _changed(con, table, days)
        inserted = _replace(con, table, changed, report)
        clear_quarantine(con, table, days)
        quarantine_faults(con, table, run_id)
        record_loads(con, table, days, changed=[day for day in changed if day], run_id=run_id, reason=reason)
    return replace(
        report,
        inserted=inserted,
        unchanged=report.rows - inserted,
        changed_partitions=tuple(day for day in changed if day),
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
    thing = ", ".join(name for name in table.key if name != "observed_at")
    with _validated(con, table, staged) as report:
        _refuse_double_keys(con, table, report)
        inserted = _insert(
            con,
            table,
            f"""{STAGED} WHERE rowid IN (
                WITH incoming AS (
                    SELECT {thing}, observed_at, content_hash, row_id
                    FROM (SELECT *, rowid AS row_id FROM {_SOUND})
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
            report,
        )
        quarantine_faults(con, table, run_id)
    return replace(report, inserted=inserted, unchanged=report.rows - inserted)


@contextmanager
def _validated(
    con: duckdb.DuckDBPyConnection, table: Table, staged: str, prefer: str | None = None
) -> Iterator[WriteReport]:
    """Stage the rows and find the faulty ones; the report counts what may be written."""
    empty = WriteReport.empty(table)
    try:
        with staged_copy(con, table, staged):
            if prefer:
                _drop_repeats(con, table, prefer)
            total = _count(con, STAGED)
            collect_faults(con, table, enough=int(total * QUARANTINE_LIMIT))
            reasons = fault_reasons(con)
            report = replace(empty, rows=total - sum(reasons.values()), quarantined=reasons)
            if report.quarantined_rows > total * QUARANTINE_LIMIT:
                listed = ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
                raise BlockedWrite(
                    f"{report.quarantined_rows} of {total} rows are faulty, more than {QUARANTINE_LIMIT:.0%}: {listed}",
                    report,
                )
            yield report
    except StructureFault as fault:
        raise BlockedWrite(str(fault), empty) from fault


def _refuse_other_days(
    con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date], report: WriteReport
) -> None:
    if table.partition_column is None:
        return
    other = con.execute(
        f"SELECT DISTINCT {table.partition_column} FROM {_SOUND} AND NOT list_contains(?, {table.partition_column}) "
        "ORDER BY ALL LIMIT 5",
        [list(days)],
    ).fetchall()
    if other:
        raise BlockedWrite(f"rows belong to other partitions: {', '.join(str(day) for (day,) in other)}", report)


def _drop_repeats(con: duckdb.DuckDBPyConnection, table: Table, prefer: str) -> None:
    key = ", ".join(table.key)
    con.execute(
        f"""
        DELETE FROM {STAGED} WHERE rowid IN (
            SELECT row_id FROM (SELECT *, rowid AS row_id FROM {STAGED} WHERE {_suspect(table, STAGED)})
            WHERE {" AND ".join(f"{name} IS NOT NULL" for name in table.key)}
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {prefer}) > 1
        )
        """
    )


def _refuse_double_keys(con: duckdb.DuckDBPyConnection, table: Table, report: WriteReport) -> None:
    key = ", ".join(table.key)
    double = con.execute(
        f"SELECT count(*) OVER (), {key} FROM {_SOUND} AND {_suspect(table, _SOUND)} "
        f"GROUP BY {key} HAVING count(*) > 1 ORDER BY {key} LIMIT 1"
    ).fetchall()
    if double:
        keys, *values = double[0]
        example = ", ".join(f"{name}={value}" for name, value in zip(table.key, values, strict=True))
        raise BlockedWrite(f"{keys} keys occur more than once, the first is {example}", report)


def _suspect(table: Table, source: str) -> str:
    """Condition on rows that may share their key: grouping by one hash is far cheaper than by the key itself."""
    mark = f"hash({', '.join(table.key)})"
    return f"{mark} IN (SELECT {mark} FROM {source} GROUP BY 1 HAVING count(*) > 1)"


def _changed(con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date]) -> list[date | None]:
    """Days whose stored rows differ from the staged ones; ``None`` stands for a table without partitions."""
    column = table.partition_column
    stored = f"{table.qualified_name} WHERE {f'list_contains(?, {column})' if column else 'TRUE'}"
    before = _fingerprints(con, table, stored, [list(days)] if column else [])
    after = _fingerprints(con, table, _SOUND, [])
    return [day for day in (days if column else (None,)) if before.get(day) != after.get(day)]


def _fingerprints(
    con: duckdb.DuckDBPyConnection, table: Table, source: str, parameters: list[list[date]]
) -> dict[date | None, tuple[int, ...]]:
    """Per day, the number of rows and two order-free sums over the hashes of whole rows."""
    row_hash = f"hash({', '.join(table.columns)})"
    rows = con.execute(
        f"SELECT {table.partition_column or 'NULL'}, count(*), bit_xor({row_hash}), sum({row_hash}::HUGEINT) "
        f"FROM {source} GROUP BY 1",
        parameters,
    ).fetchall()
    return {day: tuple(counts) for day, *counts in rows}


def _replace(
    con: duckdb.DuckDBPyConnection, table: Table, changed: Sequence[date | None], report: WriteReport
) -> int:
    if not changed:
        return 0
    if table.partition_column is None:
        con.execute(f"DELETE FROM {table.qualified_name}")
        return _insert(con, table, _SOUND, report)
    of_days = f"list_contains(?, {table.partition_column})"
    con.execute(f"DELETE FROM {table.qualified_name} WHERE {of_days}", [list(changed)])
    return _insert(con, table, f"{_SOUND} AND {of_days}", report, [list(changed)])


def _insert(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    source: str,
    report: WriteReport,
    parameters: Sequence[object] = (),
) -> int:
    columns = ", ".join(table.columns)
    try:
        inserted = con.execute(
            f"INSERT INTO {table.qualified_name} ({columns}) SELECT {columns} FROM {source}", list(parameters)
        ).fetchall()
    except duckdb.ConstraintException as error:
        # The schema and the keys held among the staged rows: what is left is a key of another partition.
        raise BlockedWrite(f"the database refuses a row: {str(error).splitlines()[0]}", report) from error
    return int(inserted[0][0])


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
