"""Reads of the event panel: the snapshots at horizons, and how lively a ladder's quotes were before them."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from kalshi_pipeline.warehouse.sql import QUOTE_PREFERENCE

# A change is an observation whose bid or ask differs from the one before it; the count of changes up to two instants
# gives those in between, so a window costs two as-of joins whatever its length.
_ACTIVITY = f"""
with observed as (
    select ticker, available_ts, yes_bid, yes_ask
    from marts.quotes
    where ticker in (select ticker from research.ladder_legs where ladder_id in (select ladder_id from instants))
    qualify row_number() over (partition by ticker, available_ts order by {QUOTE_PREFERENCE}) = 1
),
changes as (
    select ticker, available_ts
    from observed
    qualify (yes_bid, yes_ask) is distinct from lag((yes_bid, yes_ask)) over (
        partition by ticker order by available_ts
    )
),
numbered as (
    select ticker, available_ts, row_number() over (partition by ticker order by available_ts) as nth
    from changes
),
expected as (
    select
        i.ladder_id,
        i.instant,
        i.instant - to_hours($hours) as since,
        l.ticker
    from instants as i
    inner join research.ladder_legs as l on i.ladder_id = l.ladder_id and l.known_at <= i.instant
),
until_instant as (
    select e.*, coalesce(n.nth, 0) as changes_until
    from expected as e
    asof left join numbered as n on e.ticker = n.ticker and e.instant >= n.available_ts
),
within_window as (
    select u.ladder_id, u.instant, u.changes_until - coalesce(n.nth, 0) as updates
    from until_instant as u
    asof left join numbered as n on u.ticker = n.ticker and u.since >= n.available_ts
)
select
    ladder_id,
    instant as "asof",
    sum(updates)::bigint as updates,
    count(*) filter (where updates > 0) as active_markets
from within_window
group by ladder_id, instant
order by ladder_id, instant
"""


def horizon_snapshots(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Rows of ``research.implied_distributions`` taken at a horizon, the regular grid left out."""
    return con.execute("from research.implied_distributions where snapshot_kind != 'grid'").to_arrow_table()


def horizon_distances(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Rows of ``research.distribution_distances`` of these snapshots."""
    return con.execute(
        """
        from research.distribution_distances
        semi join (from research.implied_distributions where snapshot_kind != 'grid') using (ladder_id, "asof")
        """
    ).to_arrow_table()


def quote_activity(con: duckdb.DuckDBPyConnection, instants: pa.Table, hours: int) -> pa.Table:
    """Changes of quotes over some hours before each instant, within ``(asof - hours, asof]``.

    Args:
        con: an open warehouse with ``marts.quotes`` and ``research.ladder_legs``.
        instants: one row per ladder and instant: ``ladder_id``, ``asof``.
        hours: length of the window.

    Returns:
        Per ladder and instant the number of observations that changed a bid or an ask (``updates``) over the markets
        known by then, and the number of markets with any (``active_markets``).
    """
    con.register("instants", instants.select(["ladder_id", "asof"]).rename_columns(["ladder_id", "instant"]))
    try:
        return con.execute(_ACTIVITY, {"hours": hours}).to_arrow_table()
    finally:
        con.unregister("instants")
