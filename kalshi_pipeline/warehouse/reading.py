"""Reads that assets share: the markets open over a window, and quotes as they were known at an instant.

Point in time is the rule here: a row is used at an instant only if it was available at that instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

#: An observation older than this counts as none: it could pass no age gate.
QUOTE_LOOKBACK = timedelta(days=7)

_MARKET_WINDOWS = """
with latest_settlements as (
    select ticker, max(settlement_ts) as settlement_ts
    from raw.settlements
    group by ticker
),
latest_markets as (
    select *
    from raw.markets
    qualify row_number() over (partition by ticker order by observed_at desc) = 1
)
select m.ticker, m.event_ticker, m.series_ticker, m.open_time, m.close_time, s.settlement_ts
from latest_markets as m
left join latest_settlements as s using (ticker)
where m.open_time < $until and m.close_time >= $since and m.series_ticker in (select unnest($series))
order by m.series_ticker, m.event_ticker, m.ticker
"""

_OBSERVED_UNTIL = """
with observed as (
    select partition_date, ingested_at from raw.quotes where list_contains($days, partition_date)
    union all
    select partition_date, ingested_at from raw.candles where list_contains($days, partition_date)
)
select partition_date, max(ingested_at) from observed group by partition_date
"""

# A table of its own, so that its size is known: guessing it small, DuckDB would join row by row.
_EXPECTED_LEGS = """
create or replace temp table expected_legs as
select s.ladder_id, s.asof_ts, s.snapshot_kind, l.leg_index, l.ticker
from snapshots as s
inner join research.ladder_legs as l on s.ladder_id = l.ladder_id and l.known_at <= s.asof_ts
"""

_OBSERVATIONS = """
with known_quotes as (
    select
        ticker, available_ts, quote_kind, period_minutes, yes_bid, yes_ask, last_price, volume, open_interest
    from marts.quotes
    where partition_date between $first_day and $last_day
    -- Two observations of one instant: the order book before a bar, the shorter bar before the longer.
    qualify row_number() over (
        partition by ticker, available_ts
        order by quote_kind = 'order_book' desc, period_minutes asc nulls first, source asc
    ) = 1
),
matched as (
    select e.ladder_id, e.asof_ts, e.leg_index, q.*
    from expected_legs as e
    asof inner join known_quotes as q on e.ticker = q.ticker and e.asof_ts >= q.available_ts
)
select
    e.ladder_id,
    e.asof_ts as asof,
    e.snapshot_kind,
    e.leg_index,
    e.ticker,
    q.yes_bid::double as yes_bid,
    q.yes_ask::double as yes_ask,
    q.last_price::double as last_price,
    q.quote_kind,
    q.available_ts,
    epoch_us(e.asof_ts) / 1e6 - epoch_us(q.available_ts) / 1e6 as age_seconds,
    q.period_minutes,
    q.volume::double as volume,
    q.open_interest::double as open_interest
from expected_legs as e
-- How old a quote may be is counted from each instant, whatever other instants are asked for with it.
left join matched as q
    on e.ladder_id = q.ladder_id and e.asof_ts = q.asof_ts and e.leg_index = q.leg_index
    and q.available_ts >= e.asof_ts - to_days($lookback_days)
order by e.ladder_id, e.asof_ts, e.leg_index
"""


def market_windows(
    con: duckdb.DuckDBPyConnection, since: datetime, until: datetime, series: Sequence[str]
) -> list[tuple[str, str, str, datetime, datetime, datetime | None]]:
    """Ticker, event, series, opening, close and settlement of the markets that trade within ``[since, until)``."""
    return con.execute(_MARKET_WINDOWS, {"since": since, "until": until, "series": list(series)}).fetchall()


def observed_until(con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, datetime]:
    """Until when the quotes of each day have been observed; a day without any quote is left out."""
    return dict(con.execute(_OBSERVED_UNTIL, {"days": list(days)}).fetchall())


def observations_as_of(con: duckdb.DuckDBPyConnection, snapshots: pa.Table) -> pa.Table:
    """The latest quote of every expected leg at every snapshot, as it was known then.

    Args:
        con: an open warehouse with ``marts.quotes`` and ``research.ladder_legs``.
        snapshots: one row per snapshot: ``ladder_id``, ``asof``, ``snapshot_kind``.

    Returns:
        One row per snapshot and leg known by then, sorted by ladder, instant and leg; the quote columns are NULL where
        no quote was available within :data:`QUOTE_LOOKBACK`.
    """
    if not snapshots.num_rows:
        first = last = datetime.min.date()
    else:
        instants = snapshots.column("asof").to_pylist()
        first, last = (min(instants) - QUOTE_LOOKBACK).date(), max(instants).date()
    renamed = snapshots.rename_columns(["asof_ts" if name == "asof" else name for name in snapshots.column_names])
    con.register("snapshots", renamed)
    try:
        con.execute(_EXPECTED_LEGS)
        return con.execute(
            _OBSERVATIONS, {"first_day": first, "last_day": last, "lookback_days": QUOTE_LOOKBACK.days}
        ).to_arrow_table()
    finally:
        con.unregister("snapshots")
        con.execute("drop table if exists expected_legs")
