"""Reads that assets share: the markets open over a window, how far days have been observed, and quotes in pieces.

Which of the quotes was known at an instant is decided where they are joined, in ``distributions.asof``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import duckdb
import pyarrow as pa

#: Rows of quotes held in memory at once.
PIECE_ROWS = 1_000_000

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

# A bar that ended at midnight is in the partition of the day before.
_QUOTES_OF_LEGS = """
select
    ticker,
    available_ts,
    quote_kind,
    source,
    period_minutes,
    yes_bid::double as yes_bid,
    yes_ask::double as yes_ask,
    last_price::double as last_price,
    volume::double as volume,
    open_interest::double as open_interest
from marts.quotes
semi join (select ticker from research.ladder_legs where ladder_id is not null) as legs using (ticker)
where partition_date between ($since - interval 1 microsecond)::date and $until::date
"""


def market_windows(
    con: duckdb.DuckDBPyConnection, since: datetime, until: datetime, series: Sequence[str]
) -> list[tuple[str, str, str, datetime, datetime, datetime | None]]:
    """Ticker, event, series, opening, close and settlement of the markets that trade within ``[since, until)``."""
    return con.execute(_MARKET_WINDOWS, {"since": since, "until": until, "series": list(series)}).fetchall()


def observed_until(con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, datetime]:
    """Until when the quotes of each day have been observed; a day without any quote is left out."""
    return dict(con.execute(_OBSERVED_UNTIL, {"days": list(days)}).fetchall())


def quotes_of_legs(con: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> pa.RecordBatchReader:
    """Quotes of the markets that are on ladders, of all partitions from one instant to another, in bounded pieces.

    None that became known between the two instants, both included, is left out. Prices are in dollars and sizes in
    contracts, exactly rounded to doubles; the order of the rows is no promise.
    """
    return con.execute(_QUOTES_OF_LEGS, {"since": since, "until": until}).to_arrow_reader(PIECE_ROWS)
