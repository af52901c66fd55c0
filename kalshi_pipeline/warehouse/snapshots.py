"""Reads of published snapshots that assets and checks share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from kalshi_pipeline.warehouse.sql import identifiers

_SNAPSHOTS = """
select ladder_id, "asof", partition_date, event_ticker, series_ticker, hard_gate_failed, mean
from research.implied_distributions
where partition_date between $first and $last
"""

_CELLS = """
with passed as (
    select ladder_id, "asof"
    from research.implied_distributions
    where partition_date between $first and $last and not hard_gate_failed
)
select c.ladder_id, c."asof", c.cell_index, c.high_cut, c.probability
from research.implied_cells as c
semi join passed as p on c.ladder_id = p.ladder_id and c."asof" = p."asof"
where c.partition_date between $first and $last
"""


_EXPLANATION = """
with latest as (
    select *
    from research.implied_distributions
    where event_ticker = $event and "asof" <= $asof
    qualify "asof" = max("asof") over (partition by ladder_id)
)
select
    q.ladder_id,
    q."asof",
    q.leg_index,
    q.ticker,
    l.strike_type,
    l.floor_strike,
    l.cap_strike,
    l.low_cut,
    l.high_cut,
    l.strike_source,
    l.flags as strike_flags,
    q.quote_kind,
    q.available_ts,
    q.age_seconds,
    q.stale_cutoff_seconds,
    q.period_minutes,
    q.yes_bid,
    q.yes_ask,
    q.last_price,
    q.mid,
    q.weight,
    q.covered,
    q.tight_low,
    q.tight_high,
    q.repaired,
    q.moved,
    d.mean,
    d.hard_gate_failed,
    d.gate_reasons,
    d.flags as snapshot_flags,
    d.coverage,
    d.median_age_seconds,
    d.median_spread,
    d.arbitrage_depth_net,
    d.method_version,
    r.run_id,
    r.loaded_at
from latest as d
inner join research.ladder_quotes as q on d.ladder_id = q.ladder_id and d."asof" = q."asof"
inner join research.ladder_legs as l on q.ticker = l.ticker
left join meta.partition_loads as r on r.dataset = 'implied_distributions' and r.partition_date = d.partition_date
order by q.ladder_id, q.leg_index
"""

_CALIBRATION = """
with passed as (
    select ladder_id, event_ticker, "asof"
    from research.implied_distributions
    where not hard_gate_failed and minutes_to_anchor >= $minutes and ($type is null or release_type = $type)
    qualify "asof" = max("asof") over (partition by ladder_id)
),
said as (
    select p.event_ticker, q.repaired as probability, (s.outcome_kind = 'yes')::int as came_true
    from passed as p
    inner join research.ladder_quotes as q on p.ladder_id = q.ladder_id and p."asof" = q."asof"
    inner join marts.market_settlements as s on q.ticker = s.ticker
    where s.outcome_kind in ('yes', 'no') and s.learned_at <= $asof
)
select
    least(floor(probability * 10), 9) / 10 as probability_from,
    least(floor(probability * 10), 9) / 10 + 0.1 as probability_to,
    count(*) as markets,
    count(distinct event_ticker) as events,
    avg(probability) as said,
    avg(came_true) as came_true
from said
group by all
order by probability_from
"""


def explanation(con: duckdb.DuckDBPyConnection, event: str, asof: datetime) -> pa.Table:
    """What the latest snapshot of every ladder of an event at an instant was made of, one row per market.

    The method version and the run are those that made the snapshot's partition as it is now.
    """
    return con.execute(_EXPLANATION, {"event": event, "asof": asof}).to_arrow_table()


def calibration(con: duckdb.DuckDBPyConnection, release_type: str | None, minutes: float, asof: datetime) -> pa.Table:
    """Probabilities of markets in tenths beside how often they settled yes, from one snapshot of every ladder.

    Args:
        con: an open warehouse.
        release_type: only ladders of this type; all where ``None``.
        minutes: the snapshot is the latest that passed its gates at least this long before the ladder's anchor.
        asof: only outcomes known by then.
    """
    parameters = {"type": release_type, "minutes": minutes, "asof": asof}
    return con.execute(_CALIBRATION, parameters).to_arrow_table()


def published_snapshots(con: duckdb.DuckDBPyConnection, days: Sequence[date], columns: Sequence[str]) -> pa.Table:
    """Some columns of the snapshots that are published of some days."""
    chosen = f"select {identifiers(columns)} from research.implied_distributions"
    return con.execute(f"{chosen} where list_contains($days, partition_date)", {"days": list(days)}).to_arrow_table()


def cells_by_day(con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, int]:
    """How many cells the snapshots of each day have; a day without any is left out."""
    counted = "select partition_date, count(*) from research.implied_cells where list_contains($days, partition_date)"
    return dict(con.execute(f"{counted} group by partition_date", {"days": list(days)}).fetchall())


def snapshots_with_cells(
    con: duckdb.DuckDBPyConnection, days: Sequence[date], before: timedelta
) -> tuple[pa.Table, pa.Table]:
    """The snapshots from some time before the days until their end, and the cells of those that passed their gates.

    Args:
        con: an open warehouse.
        days: partition days.
        before: how far back the earlier snapshots reach, in whole days rounded up.
    """
    window = {"first": min(days) - timedelta(days=-(-before // timedelta(days=1))), "last": max(days)}
    return con.execute(_SNAPSHOTS, window).to_arrow_table(), con.execute(_CELLS, window).to_arrow_table()
