"""Whether a raw table holds exactly what its landed responses say: nothing lost, repeated, delayed or altered since.

The responses are loaded again, by the same loader, into a database in memory beside the open file, and the rows are
held against the stored ones. Reading suffices; the file stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.across_rows import fingerprints
from kalshi_pipeline.warehouse.migrations import apply_all
from kalshi_pipeline.warehouse.reports import BlockedWrite
from kalshi_pipeline.warehouse.sql import identifiers, on_days

_REPLAYED = "replayed"


@dataclass(frozen=True)
class Reconciled:
    """How a raw table compares with its landed responses.

    Attributes:
        table: the table.
        landed: rows that the responses give.
        stored: rows that the table holds, of the same days.
        missing: rows that should be there and are not.
        repeated: copies of rows beyond the first.
        altered: rows whose key is right and whose content is not.
        unexpected: rows that no response gives.
        days: days with a difference.
        reason: why the responses can no longer be loaded, where they cannot.
    """

    table: str
    landed: int = 0
    stored: int = 0
    missing: int = 0
    repeated: int = 0
    altered: int = 0
    unexpected: int = 0
    days: tuple[date, ...] = ()
    reason: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether the table holds what was landed and nothing else."""
        return not (self.missing or self.repeated or self.altered or self.unexpected or self.reason)


def reconcile(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    load: Callable[[duckdb.DuckDBPyConnection], object],
    days: Sequence[date] | None = None,
) -> Reconciled:
    """Load the landed responses of a raw table beside it and compare.

    Args:
        con: an open warehouse; reading suffices.
        table: the raw table.
        load: loads the responses through the connection it is given, as a run does.
        days: the partitions to compare, those that ``load`` loads; ``None`` for a table without partitions.
    """
    file = str(con.execute("SELECT current_database()").fetchall()[0][0])
    here = on_days(str(table.partition_column), days) if days is not None else "TRUE"
    landed, stored = (f'"{database}".{table.qualified_name}' for database in (_REPLAYED, file))
    with _beside(con, file):
        try:
            load(con)
        except BlockedWrite as blocked:
            return Reconciled(table.qualified_name, reason=str(blocked))
        rows = con.execute(
            f"SELECT (SELECT count(*) FROM {landed} WHERE {here}), (SELECT count(*) FROM {stored} WHERE {here})"
        ).fetchall()[0]
        before, after = (fingerprints(con, table, f"{source} WHERE {here}") for source in (landed, stored))
        differ = sorted(
            (day for day in before.keys() | after.keys() if before.get(day) != after.get(day)),
            key=lambda day: day or date.min,
        )
        if not differ:
            return Reconciled(table.qualified_name, *rows)
        if days is not None:
            here = on_days(str(table.partition_column), [day for day in differ if day])
        missing, repeated, altered, unexpected = _differences(
            con, table, f"{landed} WHERE {here}", f"{stored} WHERE {here}"
        )
        return Reconciled(
            table.qualified_name,
            landed=rows[0],
            stored=rows[1],
            missing=missing,
            repeated=repeated,
            altered=altered,
            unexpected=unexpected,
            days=tuple(day for day in differ if day),
        )


@contextmanager
def _beside(con: duckdb.DuckDBPyConnection, file: str) -> Iterator[None]:
    """An empty, migrated database in memory as the current one, for as long as the block lasts."""
    con.execute(f"ATTACH ':memory:' AS {_REPLAYED} (READ_WRITE)")
    try:
        con.execute(f"USE {_REPLAYED}")
        apply_all(con)
        yield
    finally:
        con.execute(f'USE "{file}"')
        con.execute(f"DETACH {_REPLAYED}")


def _differences(con: duckdb.DuckDBPyConnection, table: Table, landed: str, stored: str) -> tuple[int, int, int, int]:
    """Rows missing, repeated, altered and unexpected; a row counts once."""
    columns, key = identifiers(table.columns), identifiers(table.key)
    found = con.execute(
        f"""
        WITH lost AS MATERIALIZED (SELECT {columns} FROM {landed} EXCEPT ALL SELECT {columns} FROM {stored}),
        surplus AS MATERIALIZED (SELECT {columns} FROM {stored} EXCEPT ALL SELECT {columns} FROM {landed}),
        copies AS (
            SELECT {columns} FROM surplus
            SEMI JOIN (SELECT {columns} FROM {landed}) AS sound ON
                {" AND ".join(f"surplus.{name} IS NOT DISTINCT FROM sound.{name}" for name in _quoted(table.columns))}
        ),
        changed AS (SELECT {key} FROM lost SEMI JOIN surplus USING ({key}))
        SELECT
            (SELECT count(*) FROM lost) - (SELECT count(*) FROM changed),
            (SELECT count(*) FROM copies),
            (SELECT count(*) FROM changed),
            (SELECT count(*) FROM surplus) - (SELECT count(*) FROM copies)
                - (SELECT count(*) FROM surplus SEMI JOIN changed USING ({key}))
        """
    ).fetchall()
    missing, repeated, altered, unexpected = (int(count) for count in found[0])
    return missing, repeated, altered, unexpected


def _quoted(columns: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in columns]
