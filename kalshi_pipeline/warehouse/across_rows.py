"""What concerns more than one staged row: keys that occur twice, days that were not asked for, what has changed.

All of it is decided in SQL over the staged rows; what a single row must hold is ``validation``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.sql import identifier, identifiers, on_days
from kalshi_pipeline.warehouse.validation import SOUND

#: Rows of a day and two order-free sums over the hashes of the whole rows.
Fingerprint = tuple[int, int, int]


def drop_repeats(con: duckdb.DuckDBPyConnection, held: str, key: Sequence[str], prefer: str) -> None:
    """Keep of a table's rows one for each key; a row with no whole key stays, to be found faulty.

    Args:
        con: the connection that holds the rows.
        held: the table that holds them.
        key: columns of which the values together name one thing.
        prefer: ``ORDER BY`` terms; of rows with one key the first by them stays.
    """
    if not con.execute(f"{_shared_marks(key, held)} LIMIT 1").fetchall():
        return
    con.execute(
        f"""
        DELETE FROM {held} WHERE rowid IN (
            SELECT row_id FROM (SELECT *, rowid AS row_id FROM {held} WHERE {_suspect(key, held)})
            WHERE {" AND ".join(f"{identifier(name)} IS NOT NULL" for name in key)}
            QUALIFY row_number() OVER (PARTITION BY {identifiers(key)} ORDER BY {prefer}) > 1
        )
        """
    )


def double_keys(con: duckdb.DuckDBPyConnection, table: Table) -> str | None:
    """What is wrong with the keys of the sound rows, with an example; ``None`` where each is there once."""
    if not con.execute(f"{_shared_marks(table.key, SOUND)} LIMIT 1").fetchall():
        return None
    key = identifiers(table.key)
    found = con.execute(
        f"SELECT count(*) OVER (), {key} FROM {SOUND} WHERE {_suspect(table.key, SOUND)} "
        f"GROUP BY {key} HAVING count(*) > 1 ORDER BY {key} LIMIT 1"
    ).fetchall()
    if not found:
        return None
    keys, *values = found[0]
    example = ", ".join(f"{name} {value}" for name, value in zip(table.key, values, strict=True))
    return f"{keys} key(s) occur more than once, the first is {example}"


def other_days(rows: Mapping[date | None, int], days: Sequence[date]) -> str | None:
    """Which days besides those asked for rows belong to; ``None`` where there are none."""
    other = sorted(day for day in rows if day and day not in days)[:5]
    return f"rows belong to other partitions: {', '.join(map(str, other))}" if other else None


def rows_by_day(con: duckdb.DuckDBPyConnection, table: Table) -> dict[date | None, int]:
    """Number of the sound rows by day; ``None`` stands for a table without partitions."""
    return dict(con.execute(f"SELECT {_day(table)}, count(*) FROM {SOUND} GROUP BY 1 HAVING count(*) > 0").fetchall())


def changed_days(
    con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date | None], staged: Mapping[date | None, int]
) -> list[date | None]:
    """Days whose stored rows differ from the staged ones.

    Args:
        con: a connection inside a transaction.
        table: the table.
        days: the days asked for; ``[None]`` for a table without partitions.
        staged: number of the sound rows by day.
    """
    stored = fingerprints(con, table, _stored(table, days))
    # Rows are looked at only where as many are stored.
    alike = [day for day in days if day in stored and stored[day][0] == staged.get(day)]
    incoming = fingerprints(con, table, SOUND) if alike else {}
    same = {day for day in alike if stored[day] == incoming[day]}
    return [day for day in days if day not in same and (day in stored or day in staged)]


def already_there(con: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date | None]) -> tuple[int, int]:
    """How many sound rows of the days are stored as they are, and how many stored with their key and other content."""
    stored = _stored(table, days)
    if not days or not con.execute(f"SELECT 1 FROM {stored} LIMIT 1").fetchall():
        return 0, 0
    hashes = f"SELECT hash({identifiers(table.key)}) AS mark, hash({identifiers(table.columns)}) AS content"
    [(same, other)] = con.execute(
        f"SELECT count(*) FILTER (staged.content = stored.content), count(*) FILTER (staged.content != stored.content) "
        f"FROM ({hashes} FROM {SOUND} WHERE {_among(table, days)}) AS staged "
        f"JOIN ({hashes} FROM {stored}) AS stored USING (mark)"
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
        f"SELECT {_day(table)}, count(*), bit_xor({row_hash}), sum({row_hash}::HUGEINT) "
        f"FROM {source} GROUP BY 1 HAVING count(*) > 0"
    ).fetchall()
    return {day: (count, mixed, total) for day, count, mixed, total in rows}


def _day(table: Table) -> str:
    return table.partition_column or "NULL"


def _among(table: Table, days: Sequence[date | None]) -> str:
    """Condition that a row is of one of the days; any row is where the table has no partitions."""
    return on_days(table.partition_column, [day for day in days if day]) if table.partition_column else "TRUE"


def _stored(table: Table, days: Sequence[date | None]) -> str:
    """The stored rows of the days: what may stand after FROM."""
    return f"{table.qualified_name} WHERE {_among(table, days)}"


def _suspect(key: Sequence[str], source: str) -> str:
    """Condition on rows that may share their key: grouping by one hash is far cheaper than by the key itself."""
    return f"hash({identifiers(key)}) IN ({_shared_marks(key, source)})"


def _shared_marks(key: Sequence[str], source: str) -> str:
    return f"SELECT hash({identifiers(key)}) AS mark FROM {source} GROUP BY mark HAVING count(*) > 1"
