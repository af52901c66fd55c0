"""A trading desk for tests of the executor: a quote, an account and an exchange that does what it is told, and counts.

The exchange is an httpx transport, so what reaches it is what would have left the machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from kalshi_pipeline.trading.orders.executor import TradeExecutor
from kalshi_pipeline.trading.orders.gate import Environment, EnvironmentGate, KillSwitch
from kalshi_pipeline.trading.orders.intents import OrderIntent
from kalshi_pipeline.trading.orders.journal import Journal, Ledger, Record
from kalshi_pipeline.trading.orders.limits import Limits
from kalshi_pipeline.trading.orders.views import AccountView, MarketView, PlacedOrder

NOW = datetime(2026, 7, 1, 15, tzinfo=UTC)
TICKER = "KXHIGHCHI-26JUL02-B85.5"
DEMO = "https://external-api.demo.kalshi.co/trade-api/v2"

Answer = Callable[[httpx.Request], httpx.Response]


def intent(decision: str = "d-1", **fields: Any) -> OrderIntent:
    """An order that nothing speaks against at the desk's quote, which is 0.40 at 0.44."""
    values: dict[str, Any] = {
        "ticker": TICKER,
        "side": "yes",
        "action": "buy",
        "count": Decimal(10),
        "limit_price": Decimal("0.44"),
        **fields,
    }
    return OrderIntent(decision_id=decision, **values)


class Signature(httpx.Auth):
    """Signs as the exchange expects it, without a key."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for name in ("KEY", "TIMESTAMP", "SIGNATURE"):
            request.headers[f"KALSHI-ACCESS-{name}"] = "x"
        yield request


def taken(request: httpx.Request) -> httpx.Response:
    """The exchange takes the order and it rests."""
    order = json.loads(request.content)
    body = {
        "order_id": f"order-{order['client_order_id'][:8]}",
        "client_order_id": order["client_order_id"],
        "fill_count": "0.00",
        "remaining_count": order["count"],
        "ts_ms": 0,
    }
    return httpx.Response(201, json=body)


def says(status: int, body: Any = None) -> Answer:
    """The exchange answers with a status and a body."""

    def answer(_: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(status, json=body) if not isinstance(body, bytes) else httpx.Response(status, content=body)
        )

    return answer


def fails(error: type[httpx.TransportError]) -> Answer:
    """The connection fails."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return answer


@dataclass
class Desk:
    """Everything an executor is given, with what it did at hand.

    Attributes:
        requests: what would have left the machine.
        answer: what the exchange does with it.
        quote, book: what is provided; an exception is raised instead.
        known_orders: what the exchange shows when it is looked up.
    """

    folder: Path
    quote: MarketView | Exception = field(
        default_factory=lambda: MarketView(TICKER, "active", Decimal("0.40"), Decimal("0.44"), NOW)
    )
    book: AccountView | Exception = field(
        default_factory=lambda: AccountView(Decimal(1000), Decimal(1000), Decimal(0), Decimal(0), Decimal(0))
    )
    known_orders: Sequence[PlacedOrder] | Exception = ()
    answer: Answer = taken
    now: datetime = NOW
    requests: list[httpx.Request] = field(default_factory=list)
    asked: list[OrderIntent] = field(default_factory=list)
    ledger: Ledger | None = None
    journal: Journal | None = None

    def market(self, ticker: str) -> MarketView:
        if isinstance(self.quote, Exception):
            raise self.quote
        return self.quote

    def account(self, ticker: str) -> AccountView:
        if isinstance(self.book, Exception):
            raise self.book
        return self.book

    def orders(self, ticker: str) -> Sequence[PlacedOrder]:
        if isinstance(self.known_orders, Exception):
            raise self.known_orders
        return self.known_orders

    def confirm(self, wanted: OrderIntent, market: MarketView, account: AccountView) -> bool:
        self.asked.append(wanted)
        return True

    def quoted(self, **changes: Any) -> None:
        """Change the quote."""
        assert isinstance(self.quote, MarketView)
        self.quote = replace(self.quote, **changes)

    def holding(self, **changes: Any) -> None:
        """Change the account."""
        assert isinstance(self.book, AccountView)
        self.book = replace(self.book, **changes)

    @property
    def switch(self) -> Path:
        return self.folder / "KILL"

    def executor(self, **changes: Any) -> TradeExecutor:
        """A live executor at the demo exchange, over the desk's journal (opened again, as after a restart)."""
        if self.journal is not None:
            self.journal.close()
        self.journal = Journal(self.folder / "journal.jsonl", self.ledger)
        arguments: dict[str, Any] = {
            "gate": EnvironmentGate(Environment.DEMO, Environment.DEMO, DEMO),
            "kill_switch": KillSwitch(self.switch),
            "run_id": "run-1",
            "auth": Signature(),
            "confirm": self.confirm,
            "limits": Limits(),
            "live": True,
            **changes,
        }
        return TradeExecutor(
            journal=self.journal,
            markets=self,
            accounts=self,
            clock=lambda: self.now,
            http=httpx.MockTransport(self._received),
            **arguments,
        )

    def records(self) -> list[Record]:
        """What the journal's file holds."""
        return [json.loads(line) for line in (self.folder / "journal.jsonl").read_text().splitlines()]

    def steps(self) -> list[str]:
        """The steps in the journal's file, looks at the account left out."""
        return [record["step"] for record in self.records() if record["step"] != "day_opened"]

    @property
    def orders_sent(self) -> int:
        return sum(request.method == "POST" for request in self.requests)

    def _received(self, request: httpx.Request) -> httpx.Response:
        # What leaves the machine was in the journal before.
        assert self.records()[-1]["step"] in ("sending", "cancelling")
        self.requests.append(request)
        return self.answer(request)
