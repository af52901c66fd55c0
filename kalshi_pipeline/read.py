"""Reading results from a notebook: read-only, as pandas or Arrow.

    >>> from kalshi_pipeline import read
    >>> read.distribution("KXCPI-26JUN", asof="2026-07-10T12:00Z")  # doctest: +SKIP

Every function opens the warehouse of the environment's settings (``KALSHI_SOURCE``, ``KALSHI_DATA_DIR``), or the one
it is given, for the moment of the query only: a notebook never keeps a run waiting. Point in time is the rule: a row
is shown at an instant only if it was known by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa

from kalshi_pipeline.report.snapshots import ladder_fan, ladder_heat_map, ladder_survival
from kalshi_pipeline.settings import Settings, read_instant
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.snapshots import calibration, explanation
from kalshi_pipeline.warehouse.sql import QUOTE_PREFERENCE

Instant = datetime | str
Frame: TypeAlias = "pd.DataFrame | pa.Table"
Form = Literal["pandas", "arrow"]
Picture = Literal["belief", "cells", "curve"]
Look = Callable[[duckdb.DuckDBPyConnection, str, datetime], pa.Table]

_DISTRIBUTION = """
select *
from research.implied_distributions
where event_ticker = $event and "asof" <= $asof
qualify "asof" = max("asof") over (partition by ladder_id)
order by ladder_id
"""

_CELLS = """
with latest as (
    select ladder_id, max("asof") as "asof"
    from research.implied_distributions
    where event_ticker = $event and "asof" <= $asof
    group by ladder_id
)
select c.*
from research.implied_cells as c
inner join latest using (ladder_id, "asof")
order by c.ladder_id, c.cell_index
"""

_SNAPSHOTS = """
select * from research.implied_distributions where event_ticker = $event and "asof" <= $asof
"""

_ALL_CELLS = f"""
select c.* from research.implied_cells as c semi join ({_SNAPSHOTS}) as d using (ladder_id, "asof")
"""

_QUOTES = f"""
select q.* from research.ladder_quotes as q semi join ({_SNAPSHOTS}) as d using (ladder_id, "asof")
"""

_LEGS = """
select * from research.ladder_legs where event_ticker = $event and known_at <= $asof
"""

_LADDER = f"""
with legs as (
    select *, $asof::timestamptz as asof_ts
    from research.ladder_legs
    where event_ticker = $event and ladder_id is not null and known_at <= $asof
),
known_quotes as (
    select *
    from marts.quotes
    where ticker in (select ticker from legs)
    qualify row_number() over (partition by ticker, available_ts order by {QUOTE_PREFERENCE}) = 1
)
select
    l.ladder_id, l.leg_index, l.ticker, l.strike_type, l.floor_strike, l.cap_strike, l.low_cut, l.high_cut,
    q.yes_bid, q.yes_ask, q.mid, q.last_price, q.quote_kind, q.available_ts
from legs as l
asof left join known_quotes as q on l.ticker = q.ticker and l.asof_ts >= q.available_ts
order by l.ladder_id, l.leg_index
"""

_OUTCOMES = """
select *
from research.event_labels
where release_type = $release_type and has_label and learned_at <= $asof
order by anchor_ts, ladder_id
"""


class NothingFound(LookupError):
    """The warehouse holds nothing under that name; the message says what it does hold."""


def distribution(
    event: str, asof: Instant | None = None, *, form: Form = "pandas", warehouse: Path | None = None
) -> Frame:
    """The latest implied distribution of every ladder of an event at an instant.

    Args:
        event: event ticker.
        asof: the instant (UTC where it has no offset); now when left out.
        form: ``pandas`` or ``arrow``.
        warehouse: path of the DuckDB file; the environment's when left out.

    Returns:
        One row per ladder: gates with reasons, moments and quantiles (missing where a gate failed), mean bounds.

    Raises:
        NothingFound: the event is not in the warehouse.
    """
    return _about_event(_DISTRIBUTION, event, asof, form, warehouse)


def cells(event: str, asof: Instant | None = None, *, form: Form = "pandas", warehouse: Path | None = None) -> Frame:
    """The cells of the latest implied distribution of every ladder of an event: probabilities and bands.

    Args, raises: as :func:`distribution`.
    """
    return _about_event(_CELLS, event, asof, form, warehouse)


def ladder(event: str, asof: Instant | None = None, *, form: Form = "pandas", warehouse: Path | None = None) -> Frame:
    """The legs of an event's ladders with their latest quotes at an instant.

    Returns:
        One row per leg: strikes, cuts, bid, ask and mid in dollars (missing where the side was empty), and since when
        the quote was known.

    Args, raises: as :func:`distribution`.
    """
    return _about_event(_LADDER, event, asof, form, warehouse)


def explain(event: str, asof: Instant | None = None, *, form: Form = "pandas", warehouse: Path | None = None) -> Frame:
    """Where the numbers of an event's latest snapshots come from, down to every market's strike and quote.

    Returns:
        One row per ladder and market: its strikes and where they were read, the quote with its kind, age and the age it
        may have, its weight and bands and what the repair made of it; and beside each the snapshot's gates with
        their reasons, its flags, the version of the method, and the run that wrote it.

    Args, raises: as :func:`distribution`.
    """
    return _of_event(explanation, event, asof, form, warehouse)


def picture(
    event: str, asof: Instant | None = None, *, kind: Picture = "belief", warehouse: Path | None = None
) -> bytes:
    """A picture of an event's first ladder as known at an instant, as PNG.

    Args:
        event: event ticker.
        asof: the instant (UTC where it has no offset); now when left out.
        kind: ``belief`` (quantiles over time), ``cells`` (the mass of every cell over time) or ``curve`` (the latest
            snapshot as a survival curve with its bands and quotes).
        warehouse: path of the DuckDB file; the environment's when left out.

    Raises:
        NothingFound: the event is not in the warehouse, or has no snapshot by then.
    """
    known = {"event": event, "asof": _instant(asof)}
    rows: pa.Table = _about_event(_SNAPSHOTS, event, asof, "arrow", warehouse)
    if not rows.num_rows:
        raise NothingFound(f"No snapshot of {event!r} by {known['asof']}.")
    ladder = min(rows["ladder_id"].to_pylist())
    if kind == "belief":
        return ladder_fan(rows, ladder)
    if kind == "cells":
        return ladder_heat_map(rows, _query(_ALL_CELLS, known, warehouse), ladder)
    cells, quotes, legs = (_query(sql, known, warehouse) for sql in (_CELLS, _QUOTES, _LEGS))
    last = max(row["asof"] for row in rows.to_pylist() if row["ladder_id"] == ladder)
    return ladder_survival(cells, quotes, legs, ladder, last)


def reliability(
    release_type: str | None = None,
    *,
    hours_before: float = 12,
    asof: Instant | None = None,
    form: Form = "pandas",
    warehouse: Path | None = None,
) -> Frame:
    """How often markets came true that were given a probability: one snapshot of every ladder that passed its gates.

    Args:
        release_type: ``CPI``, ``WEATHER``, ...; all when left out.
        hours_before: the snapshot is the latest at least this long before the ladder's anchor.
        asof: outcomes known by then (UTC where it has no offset); now when left out.
        form: ``pandas`` or ``arrow``.
        warehouse: path of the DuckDB file; the environment's when left out.

    Returns:
        One row per tenth of probability: markets, events (the independent ones among them), what was said on average
        and how often it came true.
    """
    with _opened(warehouse) as con:
        return _as(form, calibration(con, release_type, 60 * hours_before, _instant(asof)))


def outcomes(
    release_type: str, asof: Instant | None = None, *, form: Form = "pandas", warehouse: Path | None = None
) -> Frame:
    """What the releases of a type turned out to be, as known at an instant.

    Args:
        release_type: ``CPI``, ``UNEMPLOYMENT``, ``PAYROLLS``, ``FOMC``, ``WEATHER``, ...
        asof: the instant (UTC where it has no offset); now when left out.
        form: ``pandas`` or ``arrow``.
        warehouse: path of the DuckDB file; the environment's when left out.

    Returns:
        One row per ladder: first print and latest value, each with the moment it became known.

    Raises:
        NothingFound: no release of that type is in the warehouse.
    """
    known = _query("select distinct release_type from research.event_labels order by 1", {}, warehouse)
    types = known.column("release_type").to_pylist()
    if release_type not in types:
        raise NothingFound(f"No release of type {release_type!r}; the warehouse holds {', '.join(types) or 'none'}.")
    return _as(form, _query(_OUTCOMES, {"release_type": release_type, "asof": _instant(asof)}, warehouse))


def query(sql: str, *, form: Form = "pandas", warehouse: Path | None = None) -> Frame:
    """Any read-only query over the warehouse."""
    return _as(form, _query(sql, {}, warehouse))


def _about_event(sql: str, event: str, asof: Instant | None, form: Form, warehouse: Path | None) -> Frame:
    def look(con: duckdb.DuckDBPyConnection, name: str, instant: datetime) -> pa.Table:
        return con.execute(sql, {"event": name, "asof": instant}).to_arrow_table()

    return _of_event(look, event, asof, form, warehouse)


def _of_event(look: Look, event: str, asof: Instant | None, form: Form, warehouse: Path | None) -> Frame:
    with _opened(warehouse) as con:
        if not con.execute("select 1 from marts.events where event_ticker = $event", {"event": event}).fetchall():
            raise NothingFound(f"No event {event!r} in the warehouse; marts.events lists what it holds.")
        return _as(form, look(con, event, _instant(asof)))


def _query(sql: str, parameters: Mapping[str, object], path: Path | None) -> pa.Table:
    with _opened(path) as con:
        return con.execute(sql, parameters).to_arrow_table()


def _opened(path: Path | None) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return Warehouse(database=str(path or Settings.from_env(os.environ).database)).read()


def _as(form: Form, table: pa.Table) -> Frame:
    return table if form == "arrow" else table.to_pandas()


def _instant(asof: Instant | None) -> datetime:
    if asof is None:
        return datetime.now(UTC)
    if isinstance(asof, str):
        return read_instant(asof)
    return asof.replace(tzinfo=UTC) if asof.tzinfo is None else asof
