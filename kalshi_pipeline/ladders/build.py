"""Markets into ladders and legs: one row per ladder, one row per market.

Every market given comes out once, either as a leg of a ladder or with the reason why it is on none. Prices and outcomes
are not read here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import inf, isinf
from typing import Any

import pyarrow as pa

from kalshi_pipeline.ladders.classify import classify, confidence
from kalshi_pipeline.ladders.grid import Grid, infer_step
from kalshi_pipeline.ladders.registry import Registry, SeriesRule
from kalshi_pipeline.ladders.strikes import (
    STRIKE_MISSING,
    Strike,
    in_unit,
    resolve,
    resolve_from_ticker,
    unit_factor,
    words_disagree,
)
from kalshi_pipeline.ladders.tables import LADDER_SCHEMA, LEG_SCHEMA, LadderTables
from kalshi_pipeline.ladders.wording import TickerReading, read_ticker

#: More reasons why a market is on no ladder.
NEVER_PAYS = "pays_on_no_grid_point"
DUPLICATE = "same_payoff_as_another_market"

_REQUIRED = (
    "ticker",
    "event_ticker",
    "series_ticker",
    "mutually_exclusive",
    "strike_type",
    "floor_strike",
    "cap_strike",
    "open_time",
    "close_time",
    "spec_known_at",
)
_OPTIONAL = ("market_type", "title", "yes_sub_title")


@dataclass
class _Leg:
    """One market on its way to a ladder."""

    market: Mapping[str, Any]
    ticker: TickerReading
    strike: Strike | None = None
    payoff: tuple[float, float] = (-inf, inf)
    reason: str | None = None
    flags: list[str] = field(default_factory=list)


def build_ladders(markets: pa.Table, registry: Registry) -> LadderTables:
    """Build every ladder from market specifications.

    Markets are grouped by event and by the subject their tickers name (one event can hold two cities or two teams). The
    result does not depend on the order of the rows.

    Args:
        markets: one row per market with ``ticker, event_ticker, series_ticker, mutually_exclusive, strike_type,
            floor_strike, cap_strike, open_time, close_time, spec_known_at`` and, where known, ``market_type, title,
            yes_sub_title``.
        registry: what is known about each series.

    Returns:
        Ladders as ``LADDER_SCHEMA`` and one leg per market as ``LEG_SCHEMA``, both sorted by their keys.

    Raises:
        ValueError: a column is missing, or a ticker occurs twice.
    """
    groups: dict[tuple[str, str], list[_Leg]] = defaultdict(list)
    for market in _rows(markets):
        ticker = read_ticker(market["ticker"], market["event_ticker"])
        groups[market["event_ticker"], ticker.subject].append(_Leg(market, ticker))
    ladders: list[dict[str, Any]] = []
    legs: list[dict[str, Any]] = []
    for (event_ticker, subject), members in sorted(groups.items()):
        rule = registry.rule(members[0].market["series_ticker"], event_ticker)
        ladder, rows = _build(event_ticker, subject, members, rule)
        ladders.extend(ladder)
        legs.extend(rows)
    legs.sort(key=lambda row: row["ticker"])
    ladders.sort(key=lambda row: row["ladder_id"])
    return LadderTables(
        pa.Table.from_pylist(ladders, schema=LADDER_SCHEMA), pa.Table.from_pylist(legs, schema=LEG_SCHEMA)
    )


def _rows(markets: pa.Table) -> list[dict[str, Any]]:
    missing = [name for name in _REQUIRED if name not in markets.column_names]
    if missing:
        raise ValueError(f"The markets table lacks {', '.join(missing)}; ladders are built from marts.markets.")
    present = [name for name in _OPTIONAL if name in markets.column_names]
    absent = dict.fromkeys(set(_OPTIONAL) - set(present))
    rows = [{**row, **absent} for row in markets.select([*_REQUIRED, *present]).to_pylist()]
    rows.sort(key=lambda row: row["ticker"])
    for before, after in pairwise(rows):
        if before["ticker"] == after["ticker"]:
            raise ValueError(f"Market {after['ticker']} occurs twice; a ladder takes one version of each market.")
    return rows


def _build(
    event_ticker: str, subject: str, members: Sequence[_Leg], rule: SeriesRule
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The ladder of one group (none where no market is numeric) and the rows of all its markets."""
    exclusive = _agreed(leg.market["mutually_exclusive"] for leg in members)
    for leg in members:
        resolved = resolve(leg.market, leg.ticker)
        leg.strike, leg.reason = (resolved, None) if isinstance(resolved, Strike) else (None, resolved)
    step = rule.grid_step if rule.grid_step is not None else infer_step(_first_buckets(members))
    grid = Grid.of(step)
    _recover(members, grid, exclusive)
    _place(members, rule, grid)

    on_ladder = sorted((leg for leg in members if leg.reason is None), key=lambda leg: leg.payoff)
    ladder_id = f"{event_ticker}:{subject}" if subject else event_ticker
    cuts = sorted({edge for leg in on_ladder for edge in leg.payoff if not isinf(edge)})
    position = {cut: index for index, cut in enumerate(cuts)}
    index_of = {id(leg): index for index, leg in enumerate(on_ladder)}
    rows = [
        _leg_row(leg, rule, ladder_id if leg.reason is None else None, index_of.get(id(leg)), position)
        for leg in members
    ]
    if not on_ladder:
        return [], rows
    return [_ladder_row(ladder_id, event_ticker, subject, on_ladder, rule, step, cuts, exclusive)], rows


def _first_buckets(members: Iterable[_Leg]) -> list[tuple[float, float]]:
    """Buckets of the markets listed first: what is inferred from them never changes when more are listed."""
    listed = list(members)
    first = min(leg.market["spec_known_at"] for leg in listed)
    return [
        (leg.strike.floor_strike, leg.strike.cap_strike)
        for leg in listed
        if leg.strike is not None
        and leg.strike.floor_strike is not None
        and leg.strike.cap_strike is not None
        and leg.market["spec_known_at"] == first
    ]


def _recover(members: Sequence[_Leg], grid: Grid, exclusive: bool | None) -> None:
    """Find the strikes of markets of which only the ticker is left, or say that they are missing."""
    centres = [leg.ticker.number for leg in members if leg.ticker.letter == "B" and leg.ticker.number is not None]
    for leg in members:
        if leg.strike is None and leg.reason is None:
            leg.strike = resolve_from_ticker(leg.ticker, centres, grid, exclusive=exclusive)
            leg.reason = None if leg.strike is not None else STRIKE_MISSING


def _place(members: Sequence[_Leg], rule: SeriesRule, grid: Grid) -> None:
    """Evaluate every payoff on the grid; set aside what never pays and what repeats another market's payoff."""
    factor = unit_factor([leg.strike for leg in members if leg.strike is not None], rule)
    seen: set[tuple[float, float]] = set()
    for leg in members:
        if leg.strike is None:
            continue
        leg.strike = in_unit(leg.strike, factor)
        leg.payoff = grid.payoff(leg.strike.strike_type, leg.strike.floor_strike, leg.strike.cap_strike)
        leg.flags.extend(leg.strike.flags)
        if leg.strike.source == "fields" and words_disagree(leg.market, leg.payoff, grid):
            leg.flags.append("words_disagree")
        if leg.payoff[0] >= leg.payoff[1]:
            leg.reason = NEVER_PAYS
        elif leg.payoff in seen:
            leg.reason = DUPLICATE
        else:
            seen.add(leg.payoff)


def _leg_row(
    leg: _Leg, rule: SeriesRule, ladder_id: str | None, leg_index: int | None, position: Mapping[float, int]
) -> dict[str, Any]:
    low, high = leg.payoff
    placed = ladder_id is not None
    return {
        "ticker": leg.market["ticker"],
        "ladder_id": ladder_id,
        "event_ticker": leg.market["event_ticker"],
        "series_ticker": rule.series_ticker,
        "leg_index": leg_index,
        "strike_type": leg.strike.strike_type if leg.strike else leg.market["strike_type"] or None,
        "floor_strike": leg.strike.floor_strike if leg.strike else None,
        "cap_strike": leg.strike.cap_strike if leg.strike else None,
        "strike_source": leg.strike.source if leg.strike else None,
        "low_cut": None if isinf(low) else low,
        "high_cut": None if isinf(high) else high,
        "first_cell": (0 if isinf(low) else position[low] + 1) if placed else None,
        "last_cell": (len(position) if isinf(high) else position[high]) if placed else None,
        "confidence": leg.strike.confidence if leg.strike else None,
        "known_at": leg.market["spec_known_at"],
        "reason": leg.reason,
        "flags": leg.flags,
    }


def _ladder_row(
    ladder_id: str,
    event_ticker: str,
    subject: str,
    legs: Sequence[_Leg],
    rule: SeriesRule,
    step: float | None,
    cuts: Sequence[float],
    exclusive: bool | None,
) -> dict[str, Any]:
    payoffs = [leg.payoff for leg in legs]
    close_time: datetime = max(leg.market["close_time"] for leg in legs)
    release_ts = rule.release_ts(close_time)
    return {
        "ladder_id": ladder_id,
        "event_ticker": event_ticker,
        "series_ticker": rule.series_ticker,
        "subject": subject or None,
        "release_type": rule.release_type,
        "kind": classify(payoffs, exclusive),
        "confidence": confidence(payoffs, exclusive, [leg.strike.confidence for leg in legs if leg.strike]),
        "mutually_exclusive": exclusive,
        "grid_step": step,
        "unit": rule.unit,
        "support_low": rule.support_low,
        "support_high": rule.support_high,
        "tail_ratio": rule.tail_ratio,
        "tail_thresholds": list(rule.tail_thresholds),
        "fee_multiplier": rule.fee_multiplier,
        "stale_profile": rule.stale_profile,
        "registered": rule.registered,
        "n_legs": len(legs),
        "n_cells": len(cuts) + 1,
        "cuts": list(cuts),
        "open_time": min(leg.market["open_time"] for leg in legs),
        "close_time": close_time,
        "anchor": rule.anchor,
        "anchor_ts": release_ts if release_ts is not None else close_time,
        "release_ts": release_ts,
        "known_at": min(leg.market["spec_known_at"] for leg in legs),
        "flags": _ladder_flags(legs, rule, step, cuts),
    }


def _ladder_flags(legs: Sequence[_Leg], rule: SeriesRule, step: float | None, cuts: Sequence[float]) -> list[str]:
    outside = (rule.support_low is not None and cuts[0] <= rule.support_low) or (
        rule.support_high is not None and cuts[-1] >= rule.support_high
    )
    flags = {
        "series_not_registered": not rule.registered,
        "grid_inferred": rule.grid_step is None and step is not None,
        "grid_unknown": step is None,
        "strike_outside_support": outside,
        "strike_recovered": any("strike_recovered" in leg.flags for leg in legs),
        "unit_repaired": any("unit_repaired" in leg.flags for leg in legs),
        "words_disagree": any("words_disagree" in leg.flags for leg in legs),
    }
    return [name for name, raised in flags.items() if raised]


def _agreed(values: Iterable[bool | None]) -> bool | None:
    """The value on which all that are known agree; ``None`` where none is known or they differ."""
    known = {value for value in values if value is not None}
    return known.pop() if len(known) == 1 else None
