"""As-of joins as a search through single rows: the oracle that production's are held against.

Plain loops over single rows, on purpose: nothing here shares a line with what it checks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.proofs.world import World

_QUOTE = ("yes_bid", "yes_ask", "last_price", "volume", "open_interest")
OBSERVATION_SCHEMA = pa.schema(
    {
        "ladder_id": pa.string(),
        "asof": TIMESTAMP,
        "snapshot_kind": pa.string(),
        "leg_index": pa.int32(),
        "ticker": pa.string(),
        "quote_kind": pa.string(),
        "available_ts": TIMESTAMP,
        "period_minutes": pa.int32(),
        **dict.fromkeys(_QUOTE, pa.float64()),
    }
)
_READ = ["ticker", "available_ts", "quote_kind", "period_minutes", "source", *_QUOTE]
ACTIVITY_SCHEMA = pa.schema(
    {"ladder_id": pa.string(), "asof": TIMESTAMP, "updates": pa.int64(), "active_markets": pa.int64()}
)
#: How far back a quote counts.
LOOKBACK = timedelta(days=7)

_Row = dict[str, Any]


def quotes_as_of(world: World, wanted: pa.Table) -> pa.Table:
    """The latest quote known at each instant, of every leg known by then.

    Args:
        world: quotes and legs.
        wanted: ``ladder_id, asof, snapshot_kind``.
    """
    timelines, legs = _timelines(world.quotes), _legs(world.legs)
    asked = wanted.to_pylist()
    rows = []
    for row in asked:
        for leg in legs[row["ladder_id"]]:
            if leg["known_at"] > row["asof"]:
                continue
            quote = _latest(timelines[leg["ticker"]], row["asof"])
            if quote is not None and quote["available_ts"] < row["asof"] - LOOKBACK:
                quote = None
            rows.append({**row, **leg, **(quote or {}), "ticker": leg["ticker"]})
    return pa.Table.from_pylist(rows, schema=OBSERVATION_SCHEMA)


def quote_activity(world: World, wanted: pa.Table, hours: int) -> pa.Table:
    """Changes of a bid or an ask within ``(asof - hours, asof]`` over the legs known by then."""
    timelines, legs = _timelines(world.quotes), _legs(world.legs)
    changes = {ticker: _changes(timeline) for ticker, timeline in timelines.items()}
    rows = []
    for row in wanted.to_pylist():
        counts = []
        for leg in legs[row["ladder_id"]]:
            if leg["known_at"] <= row["asof"]:
                when = changes.get(leg["ticker"], [])
                counts.append(
                    bisect_right(when, row["asof"]) - bisect_right(when, row["asof"] - timedelta(hours=hours))
                )
        if counts:
            active = sum(count > 0 for count in counts)
            rows.append({**row, "updates": sum(counts), "active_markets": active})
    return pa.Table.from_pylist(rows, schema=ACTIVITY_SCHEMA)


def _timelines(quotes: pa.Table) -> dict[str, list[_Row]]:
    """Quotes of every market in order of time; of one instant the order book, then the shorter bar."""
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for quote in quotes.select(_READ).to_pylist():
        # Exactly rounded, unlike a cast of the column; an instant keeps the one zone that all of them have.
        numbers = {name: None if quote[name] is None else float(quote[name]) for name in _QUOTE}
        found[quote["ticker"]].append({**quote, **numbers, "available_ts": quote["available_ts"].astimezone(UTC)})
    for ticker, timeline in found.items():
        timeline.sort(key=lambda quote: (quote["available_ts"], *_preference(quote)))
        found[ticker] = [
            quote
            for before, quote in zip([None, *timeline], timeline, strict=False)
            if before is None or before["available_ts"] != quote["available_ts"]
        ]
    return found


def _preference(quote: _Row) -> tuple[bool, float, str]:
    period = -1.0 if quote["period_minutes"] is None else float(quote["period_minutes"])
    return quote["quote_kind"] != "order_book", period, quote["source"]


def _latest(timeline: list[_Row], asof: datetime) -> _Row | None:
    known = [quote for quote in timeline if quote["available_ts"] <= asof]
    return known[-1] if known else None


def _changes(timeline: list[_Row]) -> list[datetime]:
    before: tuple[object, object] | None = None
    found = []
    for quote in timeline:
        now = (quote["yes_bid"], quote["yes_ask"])
        if now != before:
            found.append(quote["available_ts"])
        before = now
    return found


def _legs(legs: pa.Table) -> dict[str, list[_Row]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for leg in legs.select(["ladder_id", "leg_index", "ticker", "known_at"]).to_pylist():
        found[leg["ladder_id"]].append(leg)
    for own in found.values():
        own.sort(key=lambda leg: leg["leg_index"])
    return found
