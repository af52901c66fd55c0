"""What the journal says about the past: what was sent, what is in doubt, and how much of the limits is used.

Pure functions on records of one environment, oldest first. They make a restart forget nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from kalshi_pipeline.trading.orders.intents import Action, Side
from kalshi_pipeline.trading.orders.journal import Record
from kalshi_pipeline.trading.orders.limits import Used


def counted(records: Iterable[Record], *, dry: bool = False) -> list[Record]:
    """The orders that count towards limits: all that were sent, whatever became of them; with ``dry``, dry ones too."""
    steps = ("sending", "dry_run") if dry else ("sending",)
    return [record for record in records if record["step"] in steps]


def in_doubt(records: Iterable[Record]) -> list[Record]:
    """The ``sending`` records without an outcome: the process ended, or the exchange's answer left it open."""
    open_orders: dict[str, Record] = {}
    for record in records:
        if record["step"] == "sending":
            open_orders[record["client_order_id"]] = record
        elif record["step"] in ("accepted", "rejected", "resolved"):
            open_orders.pop(record["client_order_id"], None)
    return list(open_orders.values())


def day_opened_at(records: Iterable[Record], today: date) -> Decimal | None:
    """The account's equity at the first look of a UTC day; ``None`` where nobody has looked yet."""
    return next((Decimal(record["equity"]) for record in records if _is(record, "day_opened", today)), None)


def used(orders: Iterable[Record], *, run_id: str, today: date, day_opened_at: Decimal | None) -> Used:
    """How much of the limits counted orders have used."""
    orders = list(orders)
    of_run = [Decimal(record["notional"]) for record in orders if record["run_id"] == run_id]
    of_day = [Decimal(record["notional"]) for record in orders if record["at"].startswith(today.isoformat())]
    return Used(
        orders_run=len(of_run),
        orders_day=len(of_day),
        notional_run=sum(of_run, Decimal(0)),
        notional_day=sum(of_day, Decimal(0)),
        day_opened_at=day_opened_at,
    )


def placed(records: Iterable[Record]) -> dict[str, tuple[Side, Action]]:
    """How the orders that the exchange took were placed, by the exchange's identifier."""
    intents: dict[str, tuple[Side, Action]] = {}
    found: dict[str, tuple[Side, Action]] = {}
    for record in records:
        if record["step"] == "sending":
            intents[record["client_order_id"]] = (record["side"], record["action"])
        elif record["step"] in ("accepted", "resolved") and record["order_id"]:
            found[record["order_id"]] = intents[record["client_order_id"]]
    return found


def _is(record: Record, step: str, day: date) -> bool:
    return bool(record["step"] == step and record["at"].startswith(day.isoformat()))
