"""One candidate at a time through the funnel: event, snapshot, quote, belief, edge, fill.

A candidate is one leg of an event at one decision point. It stops at the first stage it does not pass, with a reason;
what passes all is a trade. So the reasons and the trades together are the candidates, and no result is without an
explanation. Not here: where candidates come from (``candidates``), and the counts (``funnel``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from kalshi_pipeline.trading.backtest.fills import MAKER_FILL_PROBABILITY, is_filled
from kalshi_pipeline.trading.backtest.sizing import contracts
from kalshi_pipeline.trading.fees import CENT, FeeSchedule

Side = Literal["yes", "no"]
Role = Literal["maker", "taker"]

#: The stages in order; a candidate's stage is the last one it reached.
STAGES = ("event", "snapshot", "quote", "priced", "edge", "filled")


class LookAhead(ValueError):
    """A candidate was given a quote from after its decision; the message names both."""


@dataclass(frozen=True)
class Rules:
    """How the backtest trades. Money is dollars.

    Attributes:
        minimum_edge: expected gain per contract, fees included, below which nothing is done.
        fill_probability: share of resting orders that are executed.
        seed: of the fills.
        bankroll: what Kelly's fraction is taken of.
        kelly_share: part of Kelly's stake that is used.
        most_dollars: largest stake in one trade.
        quote_age: how old the last bar may be at the decision.
        history: values that the belief is made of, at most and at least.
    """

    minimum_edge: Decimal = Decimal("0.03")
    fill_probability: float = MAKER_FILL_PROBABILITY
    seed: int = 20260101
    bankroll: Decimal = Decimal(1000)
    kelly_share: Decimal = Decimal("0.25")
    most_dollars: Decimal = Decimal(50)
    quote_age: timedelta = timedelta(minutes=90)
    history: tuple[int, int] = (10, 5)


@dataclass(frozen=True)
class Quote:
    """The last bar known at a decision: best prices of the YES side, NULL where a side is empty."""

    available_ts: datetime
    yes_bid: Decimal | None
    yes_ask: Decimal | None


@dataclass(frozen=True)
class Candidate:
    """One leg of an event at one decision point, with everything that was known then.

    Attributes:
        candidate_id: names it.
        event_ticker, series_ticker: where it belongs.
        point, decision_ts: the decision.
        ticker: market; ``None`` where the event has no leg.
        missing: why there is nothing to look at, where there is not.
        quote: the last bar; ``None`` where there was none.
        fair: believed probability of YES; ``None`` where too little was known.
        fees: schedule in force.
        payout: dollars a YES contract paid in the end; ``None`` where it is not known yet.
    """

    candidate_id: str
    event_ticker: str
    series_ticker: str
    point: str
    decision_ts: datetime
    ticker: str | None
    missing: str | None
    quote: Quote | None
    fair: float | None
    fees: FeeSchedule
    payout: Decimal | None


@dataclass(frozen=True)
class Order:
    """What would be done: contracts of a side at a price.

    Attributes:
        edge: expected gain per contract, fee included.
    """

    side: Side
    role: Role
    price: Decimal
    count: int
    fee: Decimal
    edge: Decimal


@dataclass(frozen=True)
class Result:
    """Where a candidate ended.

    Attributes:
        stage: last stage it reached.
        reason: why it went no further; ``None`` for a trade.
        order: the trade, or the order that was not executed.
        pnl: dollars gained, fees included; ``None`` without a trade or before settlement.
    """

    candidate: Candidate
    stage: str
    reason: str | None
    order: Order | None = field(default=None)
    pnl: Decimal | None = None


def simulate(candidates: Iterable[Candidate], rules: Rules) -> list[Result]:
    """Take every candidate as far as it goes, in the order given.

    Raises:
        LookAhead: a quote became available after the decision it is used for.
    """
    return [_result(candidate, rules) for candidate in candidates]


def _result(candidate: Candidate, rules: Rules) -> Result:
    if candidate.missing is not None or candidate.ticker is None:
        stage = "event" if candidate.ticker is None else "snapshot"
        return Result(candidate, stage, candidate.missing or "no_legs")
    quote = candidate.quote
    if quote is None:
        return Result(candidate, "snapshot", "no_bar")
    if quote.available_ts > candidate.decision_ts:
        raise LookAhead(
            f"{candidate.candidate_id} decides at {candidate.decision_ts} on a bar of {quote.available_ts}, "
            "which was not known then."
        )
    if gated := _gated(quote, candidate.decision_ts, rules):
        return Result(candidate, "quote", gated)
    if candidate.fair is None:
        return Result(candidate, "quote", "no_history")
    if not candidate.fees.known:
        return Result(candidate, "quote", "fee_unknown")
    return _traded(candidate, quote, candidate.fair, rules)


def _gated(quote: Quote, decision_ts: datetime, rules: Rules) -> str | None:
    if decision_ts - quote.available_ts > rules.quote_age:
        return "bar_too_old"
    if quote.yes_bid is None or quote.yes_ask is None:
        return "one_sided"
    if quote.yes_bid >= quote.yes_ask:
        return "crossed"
    return None


def _traded(candidate: Candidate, quote: Quote, fair: float, rules: Rules) -> Result:
    """Rest one cent above the bid; where that is not executed, take the offer if the edge still pays for it."""
    resting = _best(_orders(candidate, quote, fair, rules, "maker"))
    taking = _best(_orders(candidate, quote, fair, rules, "taker"))
    wanted = resting or taking
    if wanted is None:
        return Result(candidate, "priced", "no_edge")
    if wanted.count == 0:
        return Result(candidate, "edge", "stake_below_a_contract", wanted)
    if resting is not None and is_filled(candidate.candidate_id, seed=rules.seed, probability=rules.fill_probability):
        return _settled(candidate, resting)
    if taking is not None and taking.count:
        return _settled(candidate, taking)
    return Result(candidate, "edge", "not_filled", wanted)


def _orders(candidate: Candidate, quote: Quote, fair: float, rules: Rules, role: Role) -> list[Order]:
    assert quote.yes_bid is not None and quote.yes_ask is not None
    sides: list[tuple[Side, Decimal, Decimal, float]] = [
        ("yes", quote.yes_bid, quote.yes_ask, fair),
        ("no", 1 - quote.yes_ask, 1 - quote.yes_bid, 1.0 - fair),
    ]
    found = []
    for side, bid, ask, probability in sides:
        price = ask if role == "taker" else bid + CENT
        if role == "maker" and price >= ask:
            continue
        order = _sized(side, role, price, probability, candidate.fees, rules)
        if order is not None and order.edge >= rules.minimum_edge:
            found.append(order)
    return found


def _sized(side: Side, role: Role, price: Decimal, probability: float, fees: FeeSchedule, rules: Rules) -> Order | None:
    """The order with its size; the edge is that of the size, because fees round up per order."""
    charge = fees.taker if role == "taker" else fees.maker
    fee_of_hundred = charge(Decimal(100), price)
    if fee_of_hundred is None or not 0 < price < 1:
        return None
    belief = Decimal(repr(probability))
    count = contracts(
        probability,
        price + fee_of_hundred / 100,
        bankroll=rules.bankroll,
        kelly_share=rules.kelly_share,
        most_dollars=rules.most_dollars,
    )
    fee = charge(Decimal(count), price)
    assert fee is not None
    per_contract = fee / count if count else fee_of_hundred / 100
    return Order(side, role, price, count, fee, belief - price - per_contract)


def _best(orders: list[Order]) -> Order | None:
    return max(orders, key=lambda order: (order.edge, order.side), default=None)


def _settled(candidate: Candidate, order: Order) -> Result:
    traded = Result(candidate, "filled", None, order)
    if candidate.payout is None:
        return traded
    paid = candidate.payout if order.side == "yes" else 1 - candidate.payout
    return replace(traded, pnl=order.count * (paid - order.price) - order.fee)
