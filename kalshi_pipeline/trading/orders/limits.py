"""The limits an order is held to: intent, quote, account and what was used go in, objections come out.

Everything unknown is an objection. An amount equal to its limit passes, one above it does not; a day's loss that has
reached its limit ends the day. Not here: environment and kill switch (``gate``), the order of the steps (``executor``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from kalshi_pipeline.trading.fees import STANDARD, FeeSchedule
from kalshi_pipeline.trading.orders.intents import ONE, OrderIntent
from kalshi_pipeline.trading.orders.views import AccountView, MarketView

V = TypeVar("V", MarketView, AccountView)


@dataclass(frozen=True)
class Limits:
    """What may be sent at most. Money is dollars.

    Attributes:
        orders_per_run, orders_per_day: orders sent, whatever became of them.
        order_risk: what one order can lose, fees included.
        notional_per_run, notional_per_day: price times contracts of the orders sent.
        contracts: contracts of one order, and of the position it can lead to with everything that rests.
        daily_loss: fall of the account's equity since the first look of the UTC day.
        fat_finger: distance of the limit price from the middle of the quote.
        slippage: share by which the limit price may be worse than the best opposite price.
        quote_age: how old the quote may be.
        fees: schedule that the fee in the risk is computed with.
    """

    orders_per_run: int = 25
    orders_per_day: int = 25
    order_risk: Decimal = Decimal(200)
    notional_per_run: Decimal = Decimal(200)
    notional_per_day: Decimal = Decimal(200)
    contracts: Decimal = Decimal(100)
    daily_loss: Decimal = Decimal(50)
    fat_finger: Decimal = Decimal("0.10")
    slippage: Decimal = Decimal("0.05")
    quote_age: timedelta = timedelta(seconds=30)
    fees: FeeSchedule = field(default=STANDARD)


@dataclass(frozen=True)
class Used:
    """What has been sent before.

    Attributes:
        orders_run, orders_day: orders sent in this run, and on this UTC day.
        notional_run, notional_day: dollars of their notional.
        day_opened_at: equity at the first look of the day; ``None`` where there was none yet.
    """

    orders_run: int = 0
    orders_day: int = 0
    notional_run: Decimal = Decimal(0)
    notional_day: Decimal = Decimal(0)
    day_opened_at: Decimal | None = None


@dataclass(frozen=True)
class Objection:
    """A reason why an order is not sent: a code to count by, and a sentence."""

    code: str
    sentence: str

    def facts(self) -> dict[str, str]:
        """What the journal keeps of it."""
        return {"code": self.code, "sentence": self.sentence}


def objections(
    intent: OrderIntent, limits: Limits, market: MarketView, account: AccountView, used: Used, now: datetime
) -> list[Objection]:
    """Every reason why the intent may not be sent; empty where there is none."""
    market, account = _finite(market), _finite(account)
    return [
        *_of_market(intent, limits, market, now),
        *_of_price(intent, limits, market),
        *_of_risk(intent, limits, account),
        *_of_position(intent, limits, account),
        *_of_loss(limits, account, used),
        *_of_volume(intent, limits, used),
    ]


def order_risk(intent: OrderIntent, position: Decimal, fees: FeeSchedule = STANDARD) -> Decimal | None:
    """Dollars the order can lose, fees included; contracts that only reduce the position carry none but their fee.

    ``None`` where the fee is unknown.
    """
    reducing = min(abs(position), intent.count) if position * intent.yes_change < 0 else Decimal(0)
    price = intent.limit_price if intent.action == "buy" else ONE - intent.limit_price
    fee = fees.taker(intent.count, intent.limit_price)
    return None if fee is None else (intent.count - reducing) * price + fee


def _of_market(intent: OrderIntent, limits: Limits, market: MarketView, now: datetime) -> list[Objection]:
    found = []
    if market.ticker != intent.ticker:
        found.append(Objection("quote_of_another_market", f"The quote is of {market.ticker}, not of {intent.ticker}."))
    if market.status != "active":
        found.append(Objection("market_not_active", f"{intent.ticker} is {market.status or 'of unknown status'}."))
    if market.observed_at is None:
        found.append(Objection("quote_age_unknown", "Nobody knows when the quote was received."))
    elif not timedelta(0) <= now - market.observed_at <= limits.quote_age:
        found.append(
            Objection(
                "quote_stale",
                f"The quote is of {market.observed_at}, more than {limits.quote_age} before {now} or after it.",
            )
        )
    return found


def _of_price(intent: OrderIntent, limits: Limits, market: MarketView) -> list[Objection]:
    bid, ask = market.bid(intent.side), market.ask(intent.side)
    if bid is None or ask is None or not (0 < bid < ONE and 0 < ask < ONE):
        return [Objection("price_unknown", f"{intent.ticker} is not quoted on both sides (bid {bid}, ask {ask}).")]
    if bid >= ask:
        return [Objection("quote_crossed", f"The quote of {intent.ticker} is crossed (bid {bid}, ask {ask}).")]
    found = []
    distance = abs(intent.limit_price - (bid + ask) / 2)
    if distance > limits.fat_finger:
        found.append(
            Objection("fat_finger", f"The limit is {distance} from the middle; {limits.fat_finger} is allowed.")
        )
    buying = intent.action == "buy"
    worst = ask * (1 + limits.slippage) if buying else bid * (1 - limits.slippage)
    if intent.limit_price > worst if buying else intent.limit_price < worst:
        found.append(Objection("slippage", f"The limit {intent.limit_price} is worse than {worst}."))
    return found


def _of_risk(intent: OrderIntent, limits: Limits, account: AccountView) -> list[Objection]:
    # With an unknown position nothing reduces it.
    risk = order_risk(intent, account.position or Decimal(0), limits.fees)
    if risk is None:
        return [Objection("fee_unknown", f"Fees of type {limits.fees.fee_type} have no formula.")]
    found = []
    if risk > limits.order_risk:
        found.append(Objection("order_risk", f"The order can lose {risk} dollars; {limits.order_risk} are allowed."))
    if account.balance is None:
        found.append(Objection("budget_unknown", "The free balance is unknown."))
    elif risk > account.balance:
        found.append(Objection("over_balance", f"The order can lose {risk} dollars; {account.balance} are free."))
    return found


def _of_position(intent: OrderIntent, limits: Limits, account: AccountView) -> list[Objection]:
    upwards = intent.yes_change > 0
    resting = account.resting_yes if upwards else account.resting_no
    found = []
    if intent.count > limits.contracts:
        found.append(Objection("contracts", f"{intent.count} contracts; {limits.contracts} are allowed in an order."))
    if account.position is None:
        found.append(Objection("position_unknown", f"The position in {intent.ticker} is unknown."))
    if resting is None:
        found.append(Objection("resting_unknown", f"The resting orders in {intent.ticker} are unknown."))
    if account.position is not None and resting is not None:
        reached = (account.position if upwards else -account.position) + resting + intent.count
        if reached > limits.contracts:
            found.append(Objection("position", f"It can lead to {reached} contracts; {limits.contracts} are allowed."))
    return found


def _of_loss(limits: Limits, account: AccountView, used: Used) -> list[Objection]:
    if account.equity is None or used.day_opened_at is None:
        return [Objection("loss_unknown", "The account's equity, now or at the start of the day, is unknown.")]
    lost = used.day_opened_at - account.equity
    if lost >= limits.daily_loss:
        return [Objection("daily_loss", f"The day has lost {lost} dollars; it ends at {limits.daily_loss}.")]
    return []


def _of_volume(intent: OrderIntent, limits: Limits, used: Used) -> list[Objection]:
    orders = {
        "orders_per_run": (used.orders_run + 1, limits.orders_per_run),
        "orders_per_day": (used.orders_day + 1, limits.orders_per_day),
    }
    dollars = {
        "notional_per_run": (used.notional_run + intent.notional, limits.notional_per_run),
        "notional_per_day": (used.notional_day + intent.notional, limits.notional_per_day),
    }
    return [
        *(
            Objection(code, f"It would be order {number}; {allowed} are allowed.")
            for code, (number, allowed) in orders.items()
            if number > allowed
        ),
        *(
            Objection(code, f"It would bring the notional to {amount} dollars; {allowed} are allowed.")
            for code, (amount, allowed) in dollars.items()
            if amount > allowed
        ),
    ]


def _finite(view: V) -> V:
    """The view with amounts that are no numbers (NaN, infinite) unknown."""
    broken: dict[str, Any] = {
        item.name: None
        for item in fields(view)
        if isinstance(value := getattr(view, item.name), Decimal) and not value.is_finite()
    }
    return replace(view, **broken)
