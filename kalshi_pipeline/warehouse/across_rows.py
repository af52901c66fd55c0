"""What concerns more than one staged row: keys that occur twice, days that were not asked for, what has changed.

All of it is decided in SQL over the staged rows; what a single row must hold is ``validation``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import identifier, identifiers, on_days
from kalshi_pipeline.warehouse.staging import STAGED
from kalshi_pipeline.warehouse.validation import SOUND

#: Rows of a day and two order-free sums over the hashes of the whole rows.
Fingerprint = tuple[int, int, int]

_NONE: Fingerprint = (0, 0, 0)


def drop_repeats(con: duckdb.DuckDBPyConnection, table: Table, prefer: str) -> None:
    """Keep of staged rows with one key the one that comes first by ``prefer``; a row with no whole key stays."""
    con.execute(
        f"""
        DELETE FROM {STAGED} WHERE rowid IN (
            SELECT row_id FROM (SELECT *, rowid AS row_id FROM {STAGED} WHERE {_suspect(table, STAGED)})
            WHERE {" AND ".join(f"{identifier(name)} IS NOT NULL" for name in table.key)}
            QUALIFY row_number() OVER (PARTITION BY {identifiers(table.key)} ORDER BY {prefer}) > 1
        )
        """
    )


def double_keys(con: duckdb.DuckDBPyConnection, table: Table) -> str | None:
    """What is wrong with the keys of the sound rows, with an example; ``None`` where each is there once."""
    key = identifiers(table.key)
    found = con.execute(
        f"SELECT count(*) OVER (), {key} FROM {SOUND} AND {_suspect(table, SOUND)} "
        f"GROUP BY {key} HAVING count(*) > 1 ORDER BY {key} LIMIT 1"
    ).fetchall()
    if not found:
        return None
    keys, *values = found[0]
    example = ", ".join(f"{name} {value}" for name, value in zip(table.key, values, strict=True))
    return f"{keys} key(s) occur more than once, the first is {example}"


def other_days(con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date]) -> str | None:
    """Which days besides those asked for the sound rows belong to; ``None`` where there are none."""
    found = con.execute(
        f"SELECT DISTINCT {table.partition_column} FROM {SOUND} AND NOT ({on_days(str(table.partition_column), days)}) "
        "ORDER BY ALL LIMIT 5"
    ).fetchall()
    return f"rows belong to other partitions: {', '.join(str(day) for (day,) in found)}" if found else None


def staged_fingerprints(con: duckdb.DuckDBPyConnection, table: Table) -> dict[date | None, Fingerprint]:
    """Fingerprint of the sound rows by day; ``None`` stands for a table without partitions."""
    return fingerprints(con, table, SOUND)


def changed_days(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    days: Sequence[date | None],
    staged: dict[date | None, Fingerprint],
) -> list[date | None]:
    """Days whose stored rows differ from the staged ones."""
    condition = on_days(table.partition_column, [day for day in days if day]) if table.partition_column else "TRUE"
    stored = fingerprints(con, table, f"{table.qualified_name} WHERE {condition}")
    return [day for day in days if stored.get(day, _NONE) != staged.get(day, _NONE)]


def already_there(con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date | None]) -> tuple[int, int]:
    """How many sound rows of the days are stored as they are, and how many stored with their key and other content."""
    condition = on_days(table.partition_column, [day for day in days if day]) if table.partition_column else "TRUE"
    stored = f"{table.qualified_name} WHERE {condition}"
    if not days or not con.execute(f"SELECT 1 FROM {stored} LIMIT 1").fetchall():
        return 0, 0
    hashes = f"SELECT hash({identifiers(table.key)}) AS mark, hash({identifiers(table.columns)}) AS content"
    [(same, other)] = con.execute(
        f"SELECT count(*) FILTER (staged.content = stored.content), count(*) FILTER (staged.content != stored.content) "
        f"FROM ({hashes} FROM {SOUND} AND {condition}) AS staged JOIN ({hashes} FROM {stored}) AS stored USING (mark)"
    ).fetchall()
    return same, other


def new_things(con: duckdb.DuckDBPyConnection, table: Table, thing: str) -> int:
    """How many things the sound rows describe that no stored row does; ``thing`` lists the columns that name one."""
    found = con.execute(
        f"SELECT count(DISTINCT ({thing})) FROM (SELECT {thing} FROM {SOUND}) "
        f"ANTI JOIN {table.qualified_name} USING ({thing})"
    ).fetchall()
    return int(found[0][0])


def fingerprints(con: duckdb.DuckDBPyConnection, table: Table, source: str) -> dict[date | None, Fingerprint]:
    """Fingerprint of the rows of ``source`` (what may stand after FROM) by day, days without a row left out."""
    row_hash = f"hash({identifiers(table.columns)})"
    rows = con.execute(
        f"SELECT {table.partition_column or 'NULL'}, count(*), bit_xor({row_hash}), sum({row_hash}::HUGEINT) "
        f"FROM {source} GROUP BY 1 HAVING count(*) > 0"
    ).fetchall()
    return {day: (count, mixed, total) for day, count, mixed, total in rows}


def _suspect(table: Table, source: str) -> str:
    """Condition on rows that may share their key: grouping by one hash is far cheaper than by the key itself."""
    mark = f"hash({identifiers(table.key)})"
    return f"{mark} IN (SELECT {mark} FROM {source} GROUP BY 1 HAVING count(*) > 1)"
