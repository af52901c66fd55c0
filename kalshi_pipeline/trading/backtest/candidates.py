"""Candidates from tables: every leg of every event with a climate day, at both decisions, with what was known then.

Pure: Arrow tables go in. The quote of a candidate comes from the caller, who joins bars to decisions (as-of, backward);
``simulate`` refuses one from the future. A decision that lies after ``now`` is no candidate yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from kalshi_pipeline.trading.backtest.belief import KnownValue, belief_at
from kalshi_pipeline.trading.backtest.decisions import decisions
from kalshi_pipeline.trading.backtest.simulate import Candidate, Quote, Rules
from kalshi_pipeline.trading.fees import STANDARD, FeeChange, FeeOverride, FeeSchedule, overridden_at, schedule_at


@dataclass(frozen=True)
class Leg:
    """A market of an event.

    Attributes:
        low_cut, high_cut: ends of its cell range, in the unit of the number; ``None`` is open.
        open_time, close_time: when it trades.
        payout: dollars a YES contract paid; ``None`` before settlement.
    """

    ticker: str
    low_cut: float | None
    high_cut: float | None
    open_time: datetime
    close_time: datetime
    payout: Decimal | None


@dataclass(frozen=True)
class Event:
    """An event about one climate day of one city.

    Attributes:
        grid_step: step of the published number; the belief is never sharper.
    """

    event_ticker: str
    series_ticker: str
    climate_day: date
    timezone: str
    grid_step: float
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Known:
    """What is known besides the events.

    Attributes:
        values: outcomes by series, with the moment each was known.
        fees: schedule by series as it is now.
        fee_changes: scheduled changes by series.
        fee_overrides: scheduled overrides by event.
    """

    values: Mapping[str, list[KnownValue]]
    fees: Mapping[str, FeeSchedule]
    fee_changes: Mapping[str, list[FeeChange]] = field(default_factory=dict)
    fee_overrides: Mapping[str, list[FeeOverride]] = field(default_factory=dict)


def candidates(
    events: Iterable[Event], known: Known, quotes: Mapping[tuple[str, datetime], Quote], rules: Rules, now: datetime
) -> Iterator[Candidate]:
    """Every candidate whose decision has been reached, by event and decision.

    Args:
        events: the events with their legs.
        known: outcomes and fees.
        quotes: the last bar of a market at a decision, by ticker and instant of the decision.
        rules: how much history the belief takes.
        now: end of what can be looked at.
    """
    most, least = rules.history
    for event in events:
        for decision in decisions(event.climate_day, event.timezone):
            if decision.at > now:
                continue
            belief = belief_at(
                decision.at,
                known.values.get(event.series_ticker, []),
                most=most,
                least=least,
                floor_std=event.grid_step,
            )
            for leg in event.legs or (None,):
                ticker = leg.ticker if leg else None
                yield Candidate(
                    candidate_id=f"{event.event_ticker}/{decision.point}/{ticker or '-'}",
                    event_ticker=event.event_ticker,
                    series_ticker=event.series_ticker,
                    point=decision.point,
                    decision_ts=decision.at,
                    ticker=ticker,
                    missing=_missing(leg, decision.at),
                    quote=quotes.get((ticker, decision.at)) if ticker else None,
                    fair=belief.probability(leg.low_cut, leg.high_cut) if belief and leg else None,
                    fees=_fees(event, known, decision.at),
                    payout=leg.payout if leg else None,
                )


def wanted_quotes(events: Iterable[Event], now: datetime) -> Iterator[tuple[str, datetime]]:
    """The markets and instants that the candidates need a quote for."""
    for event in events:
        for decision in decisions(event.climate_day, event.timezone):
            if decision.at <= now:
                yield from ((leg.ticker, decision.at) for leg in event.legs)


def _fees(event: Event, known: Known, at: datetime) -> FeeSchedule:
    of_series = known.fees.get(event.series_ticker, STANDARD)
    in_force = schedule_at(at, of_series, known.fee_changes.get(event.series_ticker, []))
    return overridden_at(at, in_force, known.fee_overrides.get(event.event_ticker, []))


def _missing(leg: Leg | None, at: datetime) -> str | None:
    if leg is None:
        return "no_legs"
    if at < leg.open_time:
        return "not_open_yet"
    if at >= leg.close_time:
        return "closed"
    return None
