"""An intent is exact and complete, or it is none; on the wire it is one order in the one book of its market."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.trading.fees import STANDARD, FeeSchedule
from kalshi_pipeline.trading.orders.intents import InvalidIntent, OrderIntent
from kalshi_pipeline.trading.orders.limits import order_risk
from tests.unit.trading_desk import intent

pytestmark = pytest.mark.unit

_COUNTS = st.decimals("0.01", "100", places=2)
_PRICES = st.decimals("0.0001", "0.9999", places=4)
_INTENTS = st.builds(
    lambda side, action, count, price: intent(side=side, action=action, count=count, limit_price=price),
    st.sampled_from(["yes", "no"]),
    st.sampled_from(["buy", "sell"]),
    _COUNTS,
    _PRICES,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 10),
        ("count", 10.0),
        ("count", Decimal(0)),
        ("count", Decimal(-1)),
        ("count", Decimal("0.005")),
        ("count", Decimal("NaN")),
        ("count", Decimal("Infinity")),
        ("limit_price", 0.44),
        ("limit_price", Decimal(0)),
        ("limit_price", Decimal(1)),
        ("limit_price", Decimal(44)),
        ("limit_price", Decimal("0.44001")),
        ("limit_price", Decimal("NaN")),
        ("side", "YES"),
        ("side", None),
        ("action", "short"),
        ("ticker", ""),
        ("ticker", "../orders"),
        ("ticker", None),
        ("time_in_force", "day"),
    ],
)
def test_what_is_no_order_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidIntent, match=field):
        intent(**{field: value})


def test_a_decision_needs_a_name() -> None:
    with pytest.raises(InvalidIntent, match="decision_id"):
        intent("")


@given(_INTENTS)
def test_buying_one_side_is_selling_the_other_at_the_opposite_price(wanted: OrderIntent) -> None:
    mirrored = intent(
        side="no" if wanted.side == "yes" else "yes",
        action="sell" if wanted.action == "buy" else "buy",
        count=wanted.count,
        limit_price=1 - wanted.limit_price,
    )
    assert wanted.body("x") == mirrored.body("x")
    assert wanted.yes_change == mirrored.yes_change
    assert order_risk(wanted, Decimal(0)) == order_risk(mirrored, Decimal(0))


@given(_INTENTS, st.decimals("-200", "200", places=2))
def test_the_risk_is_the_worst_that_settlement_can_bring(wanted: OrderIntent, position: Decimal) -> None:
    """Against the plain account: what is owned after settlement, with and without the order, at either outcome."""
    body = wanted.body("x")
    price, sign = Decimal(body["price"]), 1 if body["side"] == "bid" else -1
    fee = STANDARD.taker(wanted.count, wanted.limit_price)
    assert fee is not None
    gains = [sign * wanted.count * (outcome - price) - fee for outcome in (Decimal(0), Decimal(1))]
    risk = order_risk(wanted, position)
    assert risk is not None
    if position * sign >= 0:
        assert risk == -min(gains)
    else:
        assert fee <= risk <= -min(gains)


def test_a_fee_without_a_formula_leaves_the_risk_unknown() -> None:
    assert order_risk(intent(), Decimal(0), FeeSchedule("flat", Decimal(1))) is None


def test_a_decision_has_one_identifier_per_environment() -> None:
    assert intent().client_order_id("demo") == intent(limit_price=Decimal("0.1")).client_order_id("demo")
    assert intent().client_order_id("demo") != intent().client_order_id("prod")
    assert intent("d-1").client_order_id("demo") != intent("d-2").client_order_id("demo")
