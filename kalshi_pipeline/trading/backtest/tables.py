"""Rows in and out of the backtest: tables of the warehouse to events and what is known, results to a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import pyarrow as pa

from kalshi_pipeline.trading.backtest.belief import KnownValue
from kalshi_pipeline.trading.backtest.candidates import Event, Known, Leg
from kalshi_pipeline.trading.backtest.simulate import Quote, Result
from kalshi_pipeline.trading.fees import STANDARD, FeeChange, FeeOverride, FeeSchedule

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_PRICE, _MONEY = pa.decimal128(10, 6), pa.decimal128(18, 6)

WANTED_QUOTES = pa.schema({"ticker": pa.string(), "decision_ts": _TIMESTAMP})
RESULTS = pa.schema(
    {
        "candidate_id": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "decision_point": pa.string(),
        "decision_ts": _TIMESTAMP,
        "ticker": pa.string(),
        "stage": pa.string(),
        "reason": pa.string(),
        "available_ts": _TIMESTAMP,
        "yes_bid": _PRICE,
        "yes_ask": _PRICE,
        "fair_probability": pa.float64(),
        "side": pa.string(),
        "role": pa.string(),
        "price": _PRICE,
        "contracts": pa.int64(),
        "fee": _MONEY,
        "edge": pa.float64(),
        "yes_payout": _PRICE,
        "pnl": _MONEY,
    }
)


def events_of(legs: pa.Table, timezone_of: Callable[[str], str]) -> list[Event]:
    """Events with their legs, from rows that are sorted by event."""
    found = []
    for ticker, group in groupby(legs.to_pylist(), key=lambda row: row["event_ticker"]):
        rows = list(group)
        first = rows[0]
        found.append(
            Event(
                event_ticker=ticker,
                series_ticker=first["series_ticker"],
                climate_day=first["climate_day"],
                timezone=timezone_of(first["series_ticker"]),
                grid_step=first["grid_step"] or 1.0,
                legs=tuple(_leg(row) for row in rows if row["ticker"] is not None),
            )
        )
    return found


def known_of(values: pa.Table, fees: pa.Table, fee_changes: pa.Table, fee_overrides: pa.Table) -> Known:
    """What is known besides the events: outcomes, fee schedules, and the scheduled changes of both kinds."""
    by_series: dict[str, list[KnownValue]] = {}
    for row in values.to_pylist():
        known = KnownValue(row["label_value"], row["anchor_ts"], row["learned_at"])
        by_series.setdefault(row["series_ticker"], []).append(known)
    changes: dict[str, list[FeeChange]] = {}
    for row in fee_changes.to_pylist():
        changes.setdefault(row["series_ticker"], []).append(FeeChange(row["scheduled_ts"], _schedule(row)))
    overrides: dict[str, list[FeeOverride]] = {}
    for row in fee_overrides.to_pylist():
        multiplier = _decimal(row["fee_multiplier_override"])
        override = FeeOverride(row["scheduled_ts"], row["fee_type_override"], multiplier)
        overrides.setdefault(row["event_ticker"], []).append(override)
    return Known(by_series, {row["series_ticker"]: _schedule(row) for row in fees.to_pylist()}, changes, overrides)


def quotes_of(quotes: pa.Table) -> dict[tuple[str, datetime], Quote]:
    """Quotes by market and decision."""
    return {
        (row["ticker"], row["decision_ts"]): Quote(row["available_ts"], row["yes_bid"], row["yes_ask"])
        for row in quotes.to_pylist()
    }


def table_of(results: Sequence[Result]) -> pa.Table:
    """Results as rows of ``research.hybrid_backtest``."""
    return pa.Table.from_pylist([_row(result) for result in results], schema=RESULTS)


def _leg(row: Mapping[str, Any]) -> Leg:
    return Leg(
        ticker=row["ticker"],
        low_cut=row["low_cut"],
        high_cut=row["high_cut"],
        open_time=row["open_time"],
        close_time=row["close_time"],
        payout=row["yes_payout"],
    )


def _schedule(row: Mapping[str, Any]) -> FeeSchedule:
    """The schedule of a row; what a series does not say is the standard."""
    multiplier = _decimal(row["fee_multiplier"])
    return FeeSchedule(row["fee_type"] or STANDARD.fee_type, STANDARD.multiplier if multiplier is None else multiplier)


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _row(result: Result) -> dict[str, Any]:
    candidate, order, quote = result.candidate, result.order, result.candidate.quote
    return {
        "candidate_id": candidate.candidate_id,
        "event_ticker": candidate.event_ticker,
        "series_ticker": candidate.series_ticker,
        "decision_point": candidate.point,
        "decision_ts": candidate.decision_ts,
        "ticker": candidate.ticker,
        "stage": result.stage,
        "reason": result.reason,
        "available_ts": quote.available_ts if quote else None,
        "yes_bid": quote.yes_bid if quote else None,
        "yes_ask": quote.yes_ask if quote else None,
        "fair_probability": candidate.fair,
        "side": order.side if order else None,
        "role": order.role if order else None,
        "price": order.price if order else None,
        "contracts": order.count if order else None,
        "fee": order.fee if order else None,
        "edge": float(order.edge) if order else None,
        "yes_payout": candidate.payout,
        "pnl": result.pnl,
    }
