"""What the account says is read exactly, and an answer that lacks something is refused, never taken for zero."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.trading.orders.account import ExchangeAccount

pytestmark = pytest.mark.unit

SINCE = datetime(2026, 7, 1, tzinfo=UTC)

POSITION = {
    "ticker": "T",
    "position_fp": "-3.00",
    "market_exposure_dollars": "1.2000",
    "realized_pnl_dollars": "0.1000",
    "fees_paid_dollars": "0.0500",
}
ORDER = {
    "order_id": "o1",
    "client_order_id": "c1",
    "status": "resting",
    "book_side": "bid",
    "fill_count_fp": "1.00",
    "remaining_count_fp": "4.00",
}
FILL = {
    "fill_id": "f1",
    "order_id": "o1",
    "ticker": "T",
    "outcome_side": "no",
    "count_fp": "2.00",
    "yes_price_dollars": "0.4000",
    "no_price_dollars": "0.6000",
    "fee_cost_dollars": "0.0200",
    "is_taker": True,
    "created_time": "2026-07-01T12:00:00Z",
}
BODIES: dict[str, dict[str, Any]] = {
    "balance": {"balance": 10_000, "portfolio_value": 500},
    "positions": {"market_positions": [POSITION]},
    "orders": {"orders": [ORDER]},
    "fills": {"fills": [FILL]},
}

Ask = Callable[[ExchangeAccount], object]


def asked(ask: Ask, **changed: Any) -> Any:
    """What the account answers where some bodies are others."""

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        return httpx.Response(200, json=changed.get(name, BODIES[name]))

    with KalshiClient("http://127.0.0.1", pace=Pace(10_000.0), http=httpx.MockTransport(answer)) as client:
        return ask(ExchangeAccount(client))


def account(reader: ExchangeAccount) -> Any:
    return reader.account("T")


def test_money_positions_orders_and_fills_are_read_exactly() -> None:
    seen = asked(account)
    assert (seen.balance, seen.equity, seen.position) == (Decimal(100), Decimal(105), Decimal(-3))
    assert (seen.resting_yes, seen.resting_no) == (Decimal(4), Decimal(0))
    (held,) = asked(lambda reader: reader.positions())
    assert (held.side, held.count, held.exposure) == ("no", Decimal(3), Decimal("1.2"))
    (order,) = asked(lambda reader: reader.orders("T"))
    assert (order.filled, order.remaining) == (Decimal(1), Decimal(4))


def test_a_fill_has_the_side_it_was_placed_with_where_that_is_known() -> None:
    (unknown,) = asked(lambda reader: reader.trades(SINCE, {}))
    assert (unknown.side, unknown.action, unknown.price) == ("no", "buy", Decimal("0.6"))
    (known,) = asked(lambda reader: reader.trades(SINCE, {"o1": ("yes", "sell")}))
    assert (known.side, known.action, known.price) == ("yes", "sell", Decimal("0.4"))


@pytest.mark.parametrize("lacking", ["balance", "portfolio_value"])
def test_money_that_is_not_said_is_unknown(lacking: str) -> None:
    body = {**BODIES["balance"], lacking: None}
    assert asked(account, balance=body).equity is None


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize(
    ("ask", "name", "body"),
    [
        pytest.param(account, "positions", {"market_positions": [without(POSITION, "position_fp")]}, id="position"),
        pytest.param(account, "positions", {"market_positions": {"T": POSITION}}, id="no list"),
        pytest.param(account, "positions", {"market_positions": ["T"]}, id="no objects"),
        pytest.param(account, "positions", {"positions": []}, id="another answer"),
        pytest.param(account, "orders", {"orders": [without(ORDER, "remaining_count_fp")]}, id="remaining"),
        pytest.param(account, "orders", {"orders": [{**ORDER, "book_side": "yes"}]}, id="an unknown side of the book"),
        pytest.param(account, "orders", {"orders": [without(ORDER, "book_side")]}, id="no side of the book"),
        pytest.param(
            lambda reader: reader.positions(),
            "positions",
            {"market_positions": [without(POSITION, "market_exposure_dollars")]},
            id="exposure",
        ),
        *(
            pytest.param(lambda reader: reader.trades(SINCE, {}), "fills", {"fills": [fill]}, id=label)
            for label, fill in (
                ("no side of a fill", {**FILL, "outcome_side": "maybe"}),
                ("no time of a fill", {**FILL, "created_time": None}),
                ("no count of a fill", without(FILL, "count_fp")),
                ("no price of a fill", without(FILL, "no_price_dollars")),
                ("no fee of a fill", without(FILL, "fee_cost_dollars")),
            )
        ),
    ],
)
def test_an_answer_that_lacks_something_is_refused(ask: Ask, name: str, body: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        asked(ask, **{name: body})
