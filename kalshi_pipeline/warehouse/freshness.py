"""How fresh a warehouse is: for each dataset the newest day that holds rows, and when it was last written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

#: Reference tables are versioned by observation and have no partitions.
_REFERENCE = ("series", "events", "markets", "settlements")

_PARTITIONED = """
select
    dataset,
    count(*) filter (where rows > 0) as days,
    sum(rows)::bigint as rows,
    sum(quarantined)::bigint as quarantined,
    max(partition_date) filter (where rows > 0) as newest_day,
    max(loaded_at) as loaded_at
from meta.partition_loads
group by dataset
order by dataset
"""


@dataclass(frozen=True)
class Freshness:
    """How fresh one dataset is.

    Attributes:
        dataset: name of the table.
        days: UTC days that hold rows; ``None`` for a dataset without partitions.
        rows: rows it holds.
        quarantined: rows set aside, over all days.
        newest_day: the last UTC day that holds rows.
        written_at: when a partition, or an observation, was last written.
    """

    dataset: str
    days: int | None
    rows: int
    quarantined: int
    newest_day: date | None
    written_at: datetime | None


def freshness(con: duckdb.DuckDBPyConnection) -> list[Freshness]:
    """The freshness of every dataset, reference data first."""
    return [_reference(con, name) for name in _REFERENCE] + [
        Freshness(*row) for row in con.execute(_PARTITIONED).fetchall()
    ]


def _reference(con: duckdb.DuckDBPyConnection, name: str) -> Freshness:
    rows, seen = con.execute(f'select count(*), max(observed_at) from raw."{name}"').fetchall()[0]
    refused = con.execute("select count(*) from meta.quarantine where table_name = ?", [f"raw.{name}"]).fetchall()[0][0]
    return Freshness(name, None, rows, refused, seen.date() if seen else None, seen)
