"""Ladders and quotes made by hand, for the tests of ladders and distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.snapshots import SnapshotTables, compute
from kalshi_pipeline.ladders.build import build_ladders
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.ladders.tables import LadderTables

OPEN = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
CLOSE = datetime(2026, 7, 14, 12, 25, tzinfo=UTC)

#: A Tuesday, a week before the close: far from the weekly pause, far from the release.
ASOF = datetime(2026, 7, 7, 12, 0, tzinfo=UTC)

#: Bid and ask in dollars; None where the side is empty.
Quote = tuple[float | None, float | None]

_TIME = pa.timestamp("us", tz="UTC")
MARKET_SCHEMA = pa.schema(
    {
        "ticker": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "mutually_exclusive": pa.bool_(),
        "market_type": pa.string(),
        "title": pa.string(),
        "yes_sub_title": pa.string(),
        "strike_type": pa.string(),
        "floor_strike": pa.float64(),
        "cap_strike": pa.float64(),
        "open_time": _TIME,
        "close_time": _TIME,
        "spec_known_at": _TIME,
    }
)
OBSERVATION_SCHEMA = pa.schema(
    {
        "ladder_id": pa.string(),
        "asof": _TIME,
        "snapshot_kind": pa.string(),
        "leg_index": pa.int32(),
        "ticker": pa.string(),
        "yes_bid": pa.float64(),
        "yes_ask": pa.float64(),
        "last_price": pa.float64(),
        "quote_kind": pa.string(),
        "available_ts": _TIME,
        "period_minutes": pa.int32(),
        "volume": pa.float64(),
        "open_interest": pa.float64(),
    }
)


def market(
    suffix: str,
    strike_type: str | None = None,
    floor: float | None = None,
    cap: float | None = None,
    *,
    event: str = "KXCPIYOY-26JUN",
    series: str | None = None,
    exclusive: bool | None = False,
    **more: Any,
) -> dict[str, Any]:
    """One market of an event, as ``marts.markets`` holds it."""
    return {
        "ticker": f"{event}-{suffix}",
        "event_ticker": event,
        "series_ticker": series or event.partition("-")[0],
        "mutually_exclusive": exclusive,
        "market_type": "binary",
        "title": "",
        "yes_sub_title": "",
        "strike_type": strike_type,
        "floor_strike": floor,
        "cap_strike": cap,
        "open_time": OPEN,
        "close_time": CLOSE,
        "spec_known_at": OPEN,
        **more,
    }


def ladders_of(markets: Sequence[Mapping[str, Any]], registry: Registry | None = None) -> LadderTables:
    """Ladders of markets made by hand."""
    return build_ladders(pa.Table.from_pylist(list(markets), schema=MARKET_SCHEMA), registry or Registry.load())


def thresholds(strikes: Sequence[float], *, strike_type: str = "greater", **more: Any) -> list[dict[str, Any]]:
    """Markets of a threshold ladder."""
    floored = strike_type.startswith("greater")
    return [
        market(f"T{strike:g}", strike_type, strike if floored else None, None if floored else strike, **more)
        for strike in strikes
    ]


def buckets(
    cap_below: float | None, ranges: Sequence[tuple[float, float]], floor_above: float | None, **more: Any
) -> list[dict[str, Any]]:
    """Markets of a bucket ladder: a tail below, ranges with both ends inside, a tail above."""
    more = {"exclusive": True, **more}
    made = [market(f"B{(low + high) / 2:g}", "between", low, high, **more) for low, high in ranges]
    if cap_below is not None:
        made.insert(0, market(f"T{cap_below:g}", "less", None, cap_below, **more))
    if floor_above is not None:
        made.append(market(f"T{floor_above:g}", "greater", floor_above, **more))
    return made


def observe(
    tables: LadderTables,
    quotes: Mapping[str, Quote],
    asof: datetime = ASOF,
    *,
    age: timedelta | None = None,
    **more: Any,
) -> list[dict[str, Any]]:
    """Observations of the legs known at an instant.

    Args:
        tables: ladders and legs.
        quotes: bid and ask by ticker; a leg without an entry has no quote.
        asof: the instant.
        age: of every quote; a minute if not given.
        more: further columns of every quoted leg.
    """
    rows = []
    for leg in tables.legs.to_pylist():
        if leg["ladder_id"] is None or leg["known_at"] > asof:
            continue
        row: dict[str, Any] = dict.fromkeys(OBSERVATION_SCHEMA.names)
        row |= {"ladder_id": leg["ladder_id"], "asof": asof, "snapshot_kind": "grid", "leg_index": leg["leg_index"]}
        row["ticker"] = leg["ticker"]
        if leg["ticker"] in quotes:
            bid, ask = quotes[leg["ticker"]]
            row |= {"yes_bid": bid, "yes_ask": ask, "quote_kind": "order_book", "volume": 100.0, "open_interest": 100.0}
            row |= {"available_ts": asof - (timedelta(minutes=1) if age is None else age), **more}
        rows.append(row)
    return rows


def computed(
    tables: LadderTables, observations: Sequence[Mapping[str, Any]], rules: Rules | None = None
) -> SnapshotTables:
    """Snapshots of observations made by hand."""
    return compute(
        tables.ladders, tables.legs, pa.Table.from_pylist(list(observations), schema=OBSERVATION_SCHEMA), rules
    )


def snapshot(
    markets: Sequence[Mapping[str, Any]], quotes: Mapping[str, Quote], *, rules: Rules | None = None, **more: Any
) -> dict[str, Any]:
    """The one distribution of one ladder, its cells under ``cells`` and its quotes under ``quotes``."""
    tables = ladders_of(markets)
    made = computed(tables, observe(tables, quotes, **more), rules)
    (row,) = made.distributions.to_pylist()
    return {**row, "cells": made.cells.to_pylist(), "quotes": made.quotes.to_pylist()}


def around(markets: Sequence[Mapping[str, Any]], values: Sequence[float], half: float = 0.01) -> dict[str, Quote]:
    """Two-sided quotes of a given half spread around the values of the markets, in their order."""
    return {
        row["ticker"]: (round(value - half, 4), round(value + half, 4))
        for row, value in zip(markets, values, strict=True)
    }
