"""What the proofs need of the warehouse: production's reads for joins, over tables in memory, and the tables to prove.

What is joined of them is held against a search through single rows; they never touch the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import duckdb
import pyarrow as pa

from kalshi_pipeline.warehouse.activity import horizon_distances, quote_activity
from kalshi_pipeline.warehouse.reading import quotes_of_legs

#: Outcomes that the exchange's settlements state; other feeds are about reference periods, not events.
_BY_EXCHANGE = "where source = 'exchange_settlement'"


class JoinsInMemory:
    """Production's SQL over whatever quotes and legs it is given: what an as-of join reads, and quote activity."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def quotes(self, quotes: pa.Table, legs: pa.Table) -> Callable[[datetime, datetime], pa.RecordBatchReader]:
        """What reads the quotes of some days for an as-of join."""
        self._load(quotes, legs)
        return partial(quotes_of_legs, self._con)

    def activity(self, quotes: pa.Table, legs: pa.Table, wanted: pa.Table, hours: int) -> pa.Table:
        """Changes of quotes over some hours before every instant wanted."""
        self._load(quotes, legs)
        return quote_activity(self._con, wanted, hours)

    def _load(self, quotes: pa.Table, legs: pa.Table) -> None:
        for name, table in (("marts.quotes", quotes), ("research.ladder_legs", legs)):
            self._con.register("incoming", table)
            self._con.execute(f"create or replace table {name} as from incoming")
            self._con.unregister("incoming")


@contextmanager
def joins_in_memory() -> Iterator[JoinsInMemory]:
    """Open a database in memory for the joins."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'; set threads = 1; create schema marts; create schema research")
        yield JoinsInMemory(con)


def tables_to_prove(con: duckdb.DuckDBPyConnection) -> dict[str, pa.Table]:
    """Everything the proofs read, by the name they know it under."""
    return {
        "candles": _read(con, "select ticker, bucket_start, bucket_end, period_minutes, source from raw.candles"),
        "snapshots": _read(con, "select ticker, observed_at from raw.quotes"),
        "settlements": _read(con, f"select event_ticker, learned_at from raw.outcome_vintages {_BY_EXCHANGE}"),
        "settled_outcomes": _read(con, f"from marts.event_outcomes {_BY_EXCHANGE}"),
        "settled_first_prints": _read(con, f"from marts.event_outcomes_first_print {_BY_EXCHANGE}"),
        "quotes": _read(con, "from marts.quotes"),
        "outcomes": _read(con, "from marts.event_outcomes"),
        "first_prints": _read(con, "from marts.event_outcomes_first_print"),
        "ladders": _read(con, "from research.ladders"),
        "legs": _read(con, "from research.ladder_legs where ladder_id is not null"),
        "releases": _read(con, "from research.releases"),
        "labels": _read(con, "from research.event_labels"),
        "folds": _read(con, "from research.walkforward_folds"),
        "panel": _read(con, "from research.event_feature_panel"),
        "distributions": _read(con, "from research.implied_distributions where snapshot_kind != 'grid'"),
        "distances": horizon_distances(con),
        "ladder_quotes": _read(
            con,
            """
            select q.ladder_id, q.ticker, q."asof", q.available_ts
            from research.ladder_quotes as q
            semi join (from research.implied_distributions where snapshot_kind != 'grid') as d
                on q.ladder_id = d.ladder_id and q."asof" = d."asof"
            """,
        ),
    }


def _read(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return con.execute(sql).to_arrow_table()
