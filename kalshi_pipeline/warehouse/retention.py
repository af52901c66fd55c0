"""What is kept for how long: order book depth thirty days, quote snapshots a year, everything else for good.

The best level of every order book stays, as the top of book. Counting comes first: :func:`prunable` says what would
go, :func:`prune` removes exactly that. The landing is not touched, so a day loaded again brings its rows back until
the next pruning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from kalshi_pipeline.schemas.raw import ORDERBOOKS, QUOTES
from kalshi_pipeline.schemas.table import Table


@dataclass(frozen=True)
class Rule:
    """How long rows of a table are kept.

    Attributes:
        table: the table, in daily partitions.
        keep_days: whole UTC days before today that are kept.
        goes: SQL condition on the rows that go once they are older.
        what: these rows in words.
    """

    table: Table
    keep_days: int
    goes: str
    what: str


ORDERBOOK_DAYS, QUOTE_DAYS = 30, 365


@dataclass(frozen=True)
class Pruning:
    """What a rule removes, or would.

    Attributes:
        rule: the rule.
        before: rows of partitions older than this day go.
        rows: how many there are.
        first_day, last_day: the partitions they are in, if there are any.
    """

    rule: Rule
    before: date
    rows: int
    first_day: date | None
    last_day: date | None

    def __str__(self) -> str:
        held = f"{self.rows} {self.rule.what} of {self.rule.table.qualified_name} from before {self.before}"
        return f"{held} ({self.first_day} to {self.last_day})" if self.rows else held


def rules(orderbook_days: int = ORDERBOOK_DAYS, quote_days: int = QUOTE_DAYS) -> tuple[Rule, ...]:
    """The rules.

    Args:
        orderbook_days: days for which the levels below the best are kept.
        quote_days: days for which snapshots of the top of book are kept.

    Raises:
        ValueError: a number of days is below 1: today's rows are not to be pruned.
    """
    if min(orderbook_days, quote_days) < 1:
        raise ValueError(f"Rows are kept for at least one day; asked were {orderbook_days} and {quote_days} days.")
    return (
        Rule(ORDERBOOKS, orderbook_days, "level > 1", "order book levels below the best"),
        Rule(QUOTES, quote_days, "TRUE", "quote snapshots"),
    )


def prunable(con: duckdb.DuckDBPyConnection, today: date, kept: Sequence[Rule] | None = None) -> list[Pruning]:
    """What :func:`prune` would remove; changes nothing.

    Args:
        con: an open warehouse.
        today: the UTC day to count back from.
        kept: the rules; :func:`rules` unless given.
    """
    found = []
    for rule in kept if kept is not None else rules():
        before = today - timedelta(days=rule.keep_days)
        [(rows, first_day, last_day)] = con.execute(
            f"SELECT count(*), min(partition_date), max(partition_date) FROM {_old_rows(rule)}", [before]
        ).fetchall()
        found.append(Pruning(rule, before, rows, first_day, last_day))
    return found


def prune(con: duckdb.DuckDBPyConnection, today: date, kept: Sequence[Rule] | None = None) -> list[Pruning]:
    """Remove what is older than the rules keep, and say so in ``meta.partition_loads``; arguments as above.

    The partitions keep their load id: nothing that was derived from them is to be derived again.
    """
    found = prunable(con, today, kept)
    for pruning in (one for one in found if one.rows):
        rule = pruning.rule
        con.execute(f"DELETE FROM {_old_rows(rule)}", [pruning.before])
        con.execute(
            f"""
            UPDATE meta.partition_loads AS loads SET
                rows = (SELECT count(*) FROM {rule.table.qualified_name} AS held
                        WHERE held.partition_date = loads.partition_date),
                reason = $reason
            WHERE dataset = $dataset AND partition_date BETWEEN $first AND $last
            """,
            {
                "dataset": rule.table.name,
                "first": pruning.first_day,
                "last": pruning.last_day,
                "reason": f"The {rule.what} were removed: they are kept for {rule.keep_days} days.",
            },
        )
    return found


def _old_rows(rule: Rule) -> str:
    return f"{rule.table.qualified_name} WHERE partition_date < ? AND {rule.goes}"
