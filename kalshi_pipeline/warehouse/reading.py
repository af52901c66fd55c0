"""Reads that assets share: the markets open over a window, and quotes as they were known at an instant.

Point in time is the rule here: a row is used at an instant only if it was available at that instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

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
with quotes_of_window as (
    select
        ticker, available_ts, quote_kind, period_minutes, yes_bid, yes_ask, last_price, volume, open_interest, source
    from marts.quotes
    where partition_date between $first_day and $last_day
),
-- Few instants have two observations; only their rows are put in order.
double_instants as (
    select ticker, available_ts
    from quotes_of_window
    group by ticker, available_ts
    having count(*) > 1
),
known_quotes as (
    select * from quotes_of_window anti join double_instants using (ticker, available_ts)
    union all
    select * from quotes_of_window semi join double_instants using (ticker, available_ts)
    -- Two observations of one instant: the order book before a bar, the shorter bar before the longer.
    qualify row_number() over (
        partition by ticker, available_ts
        order by quote_kind = 'order_book' desc, period_minutes asc nulls first, source asc
    ) = 1
),
latest_quotes as (
    select
        e.ladder_id,
        e.asof_ts,
        e.snapshot_kind,
        e.leg_index,
        e.ticker as leg_ticker,
        q.*,
        -- How old a quote may be is counted from each instant, whatever other instants are asked for with it.
        q.available_ts >= e.asof_ts - to_days($lookback_days) as counts
    from expected_legs as e
    asof left join known_quotes as q on e.ticker = q.ticker and e.asof_ts >= q.available_ts
)
select
    ladder_id,
    asof_ts as asof,
    snapshot_kind,
    leg_index,
    leg_ticker as ticker,
    case when counts then yes_bid::double end as yes_bid,
    case when counts then yes_ask::double end as yes_ask,
    case when counts then last_price::double end as last_price,
    case when counts then quote_kind end as quote_kind,
    case when counts then available_ts end as available_ts,
    case when counts then epoch_us(asof_ts) / 1e6 - epoch_us(available_ts) / 1e6 end as age_seconds,
    case when counts then period_minutes end as period_minutes,
    case when counts then volume::double end as volume,
    case when counts then open_interest::double end as open_interest
from latest_quotes
order by ladder_id, asof_ts, leg_index
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
        instants = pc.min_max(snapshots["asof"]).as_py()
        first, last = (instants["min"] - QUOTE_LOOKBACK).date(), instants["max"].date()
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
