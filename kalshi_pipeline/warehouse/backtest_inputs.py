"""What the readiness backtest reads: events with legs, outcomes, fees, and the bar known at each decision."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pyarrow as pa

_LEGS = """
select
    releases.event_ticker,
    releases.series_ticker,
    releases.climate_day,
    ladders.grid_step,
    legs.ticker,
    legs.low_cut,
    legs.high_cut,
    greatest(markets.open_time, legs.known_at) as open_time,
    markets.close_time,
    settlements.yes_payout
from research.releases as releases
inner join research.ladders as ladders using (ladder_id)
left join research.ladder_legs as legs on releases.ladder_id = legs.ladder_id
left join marts.markets as markets on legs.ticker = markets.ticker
left join marts.market_settlements as settlements on legs.ticker = settlements.ticker
where releases.climate_day is not null
order by releases.climate_day, releases.event_ticker, legs.leg_index
"""

_VALUES = """
select distinct series_ticker, label_value, anchor_ts, learned_at
from research.event_labels
where has_label
order by series_ticker, anchor_ts
"""

_FEES = "select series_ticker, fee_type, fee_multiplier, observed_at from marts.series"

# A change that was announced anew counts as it was last seen.
_FEE_CHANGES = """
select series_ticker, fee_type, fee_multiplier, scheduled_ts
from raw.series_fee_changes
qualify row_number() over (partition by change_id order by observed_at desc) = 1
"""
_FEE_OVERRIDES = """
select event_ticker, fee_type_override, fee_multiplier_override, scheduled_ts
from raw.event_fee_changes
qualify row_number() over (partition by change_id order by observed_at desc) = 1
"""

# One bar per market and end: the shorter period before the longer, the exchange's own before one made of trades.
_QUOTES = """
with bars as (
    select ticker, available_ts, yes_bid_close, yes_ask_close
    from marts.candles
    where partition_date between $first_day and $last_day
    qualify row_number() over (partition by ticker, available_ts order by period_minutes, source) = 1
)
select
    wanted.ticker,
    wanted.decision_ts,
    bars.available_ts,
    bars.yes_bid_close as yes_bid,
    bars.yes_ask_close as yes_ask
from wanted_quotes as wanted
asof join bars on wanted.ticker = bars.ticker and wanted.decision_ts >= bars.available_ts
"""


def legs_of_climate_days(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every leg of every event about a climate day; an event without legs is one row without a ticker."""
    return con.sql(_LEGS).to_arrow_table()


def known_values(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Outcomes of all series, with the moment each was known."""
    return con.sql(_VALUES).to_arrow_table()


def series_fees(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Fee schedule of every series as it was last observed."""
    return con.sql(_FEES).to_arrow_table()


def fee_changes(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Scheduled changes of the fees of series."""
    return con.sql(_FEE_CHANGES).to_arrow_table()


def fee_overrides(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Scheduled changes of what single events charge instead."""
    return con.sql(_FEE_OVERRIDES).to_arrow_table()


def observed_until(con: duckdb.DuckDBPyConnection) -> datetime | None:
    """End of the last bar: decisions after it have nothing to look at. ``None`` without bars."""
    found: datetime | None = con.execute("select max(available_ts) from marts.candles").fetchall()[0][0]
    return found


def quotes_at(con: duckdb.DuckDBPyConnection, wanted: pa.Table) -> pa.Table:
    """The last bar of each market that had ended by its decision, of that day or the one before.

    Args:
        con: an open connection.
        wanted: rows of ``ticker`` and ``decision_ts``.
    """
    con.register("wanted_quotes", wanted)
    try:
        first, last = con.execute(
            "select min(decision_ts)::date - 1, max(decision_ts)::date from wanted_quotes"
        ).fetchall()[0]
        return con.execute(_QUOTES, {"first_day": first, "last_day": last}).to_arrow_table()
    finally:
        con.unregister("wanted_quotes")
