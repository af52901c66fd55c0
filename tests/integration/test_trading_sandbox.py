"""The executor over a socket, at the sandbox exchange: orders, cancels, lost answers, the account, and the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.server import serve_in_thread
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.trading.orders import history
from kalshi_pipeline.trading.orders.account import ExchangeAccount
from kalshi_pipeline.trading.orders.executor import TradeExecutor
from kalshi_pipeline.trading.orders.gate import Environment, EnvironmentGate, KillSwitch
from kalshi_pipeline.trading.orders.intents import OrderIntent
from kalshi_pipeline.trading.orders.journal import Journal, JournalError
from kalshi_pipeline.trading.orders.receipts import Status
from kalshi_pipeline.warehouse.ledger import TradeLedger
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.unit.trading_desk import Signature

pytestmark = pytest.mark.integration

NOW = datetime(2026, 7, 1, 14, tzinfo=UTC)


class Floor:
    """An executor at a sandbox exchange, with the exchange, the account and the warehouse at hand."""

    def __init__(self, app: SandboxApp, client: KalshiClient, url: str, folder: Path) -> None:
        self.app, self.client = app, client
        self.account = ExchangeAccount(client)
        self.warehouse = Warehouse(database=str(folder / "kalshi.duckdb"), lock_timeout=0.2)
        migrate(Path(self.warehouse.database))
        self.journal = Journal(folder / "journal.jsonl", TradeLedger(self.warehouse))
        self.executor = TradeExecutor(
            journal=self.journal,
            gate=EnvironmentGate(Environment.SANDBOX, Environment.SANDBOX, url),
            kill_switch=KillSwitch(folder / "KILL"),
            markets=self.account,
            accounts=self.account,
            run_id="run-1",
            auth=Signature(),
            confirm=lambda *_: True,
            live=True,
            clock=client.now,
        )
        markets = client.markets("KXHIGHCHI", "open")
        tickers = [row["ticker"] for page in markets for row in page.document["markets"]]
        quotes = [self.account.market(ticker) for ticker in tickers]
        self.quote = next(
            quote
            for quote in quotes
            if quote.yes_bid is not None and quote.yes_ask is not None and 0.2 < quote.yes_bid < 0.8
        )

    @property
    def bid(self) -> Decimal:
        assert self.quote.yes_bid is not None
        return self.quote.yes_bid

    @property
    def ask(self) -> Decimal:
        assert self.quote.yes_ask is not None
        return self.quote.yes_ask

    def intent(self, decision: str, **fields: Any) -> OrderIntent:
        values: dict[str, Any] = {"side": "yes", "action": "buy", "count": Decimal(2), "limit_price": self.ask}
        return OrderIntent(decision_id=decision, ticker=self.quote.ticker, **{**values, **fields})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.read() as con:
            return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def world() -> SimulatedWorld:
    return SimulatedWorld(20260101)


@pytest.fixture
def floor(world: SimulatedWorld, tmp_path: Path) -> Iterator[Floor]:
    app = build_app(world, now=NOW)
    with serve_in_thread(app) as root:
        url = f"{root}/trade-api/v2"
        with KalshiClient(url, pace=Pace(10_000.0), auth=Signature(), clock=lambda: NOW, concurrency=1) as client:
            floor = Floor(app, client, url, tmp_path)
            yield floor
            floor.executor.close()
            floor.journal.close()


def test_an_order_is_executed_and_shows_in_the_account_and_in_the_tables(floor: Floor) -> None:
    receipt = floor.executor.submit(floor.intent("d-1"))
    assert (receipt.status, receipt.filled) == (Status.ACCEPTED, Decimal("2.00"))
    account = floor.account.account(floor.quote.ticker)
    assert account.position == 2
    assert account.balance is not None and account.balance < 1000 - 2 * floor.ask
    ledger = TradeLedger(floor.warehouse)
    trades = floor.account.trades(NOW - timedelta(days=1), history.placed(floor.journal.records))
    assert ledger.keep_trades(map(asdict, trades)) == len(trades) > 0
    assert ledger.keep_trades(map(asdict, trades)) == 0
    assert ledger.keep_positions(map(asdict, floor.account.positions()), NOW) == 1
    assert floor.rows("SELECT DISTINCT side, action, order_id FROM trading.trades") == [
        ("yes", "buy", receipt.order_id)
    ]
    assert floor.rows("SELECT side, count FROM trading.positions") == [("yes", Decimal(2))]
    assert floor.rows("SELECT decision_id, count FROM trading.intents") == [("d-1", Decimal(2))]


def test_the_table_holds_every_record_of_the_journal(floor: Floor) -> None:
    floor.executor.submit(floor.intent("d-1"))
    floor.executor.submit(floor.intent("d-1"))
    floor.executor.cancel("no-such-order", floor.quote.ticker)
    stored = floor.rows("SELECT number, step, reasons FROM trading.intent_steps ORDER BY number")
    assert [(number, step) for number, step, _ in stored] == [(r["number"], r["step"]) for r in floor.journal.records]
    assert ["already_sent"] in [reasons for _, _, reasons in stored]
    assert stored[-1][1] == "cancel_rejected"


def test_selling_closes_what_was_bought(floor: Floor) -> None:
    floor.executor.submit(floor.intent("open"))
    receipt = floor.executor.submit(floor.intent("close", action="sell", limit_price=floor.bid))
    assert receipt.status is Status.ACCEPTED
    assert floor.account.account(floor.quote.ticker).position == 0
    balance = floor.account.account(floor.quote.ticker).balance
    assert balance is not None and balance < 1000


def test_an_order_that_rests_counts_for_the_position_until_it_is_cancelled(floor: Floor) -> None:
    resting = floor.intent("rests", limit_price=floor.bid, time_in_force="good_till_canceled", count=Decimal(3))
    receipt = floor.executor.submit(resting)
    assert floor.account.account(floor.quote.ticker).resting_yes == 3
    floor.executor._kill_switch.path.touch()
    assert receipt.order_id is not None
    assert floor.executor.cancel(receipt.order_id, floor.quote.ticker).status is Status.ACCEPTED
    assert floor.account.account(floor.quote.ticker).resting_yes == 0


def test_an_order_whose_answer_is_lost_is_found_again_and_never_doubled(floor: Floor) -> None:
    send = floor.executor._sender
    assert send is not None
    plain = send.place

    def spoiled(*arguments: Any) -> Any:
        floor.app.faults.set(Faults(truncated=1.0))
        try:
            return plain(*arguments)
        finally:
            floor.app.faults.set(Faults())

    send.place = spoiled  # type: ignore[method-assign]
    assert floor.executor.submit(floor.intent("d-1")).status is Status.UNKNOWN
    send.place = plain  # type: ignore[method-assign]
    assert [o.code for o in floor.executor.submit(floor.intent("d-2")).objections] == ["order_in_doubt"]
    (receipt,) = floor.executor.reconcile()
    assert (receipt.status, receipt.filled) == (Status.ACCEPTED, Decimal(2))
    assert floor.executor.submit(floor.intent("d-2")).status is Status.ACCEPTED
    assert len(floor.app.desk.orders) == 2


def test_an_order_the_exchange_refuses_twice_over_is_refused_once(floor: Floor) -> None:
    floor.app.faults.set(Faults(requests_per_second=0.001, burst=1_000_000))
    body = floor.intent("d-1").body("same")
    headers = {f"KALSHI-ACCESS-{name}": "x" for name in ("KEY", "TIMESTAMP", "SIGNATURE")}
    url = f"{floor.executor._gate.base_url}/portfolio/events/orders"
    answers = [httpx.post(url, json=body, headers=headers).status_code for _ in range(2)]
    assert answers == [201, 409]
    assert httpx.post(url, json={**body, "client_order_id": "new"}).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"price": "0.005"}, {"price": 0.5}, {"count": "0"}, {"count": "x"}, {"side": "yes"}, {"time_in_force": "gtt"}],
)
def test_the_sandbox_takes_no_order_that_the_exchange_would_not(floor: Floor, change: dict[str, Any]) -> None:
    headers = {f"KALSHI-ACCESS-{name}": "x" for name in ("KEY", "TIMESTAMP", "SIGNATURE")}
    url = f"{floor.executor._gate.base_url}/portfolio/events/orders"
    assert httpx.post(url, json={**floor.intent("d-1").body("one"), **change}, headers=headers).status_code == 400
    assert floor.app.desk.orders == {}


def test_a_warehouse_that_somebody_holds_stops_orders(floor: Floor) -> None:
    with duckdb.connect(floor.warehouse.database, read_only=True), pytest.raises(JournalError, match="held by"):
        floor.executor.submit(floor.intent("d-1"))
    assert floor.app.desk.orders == {}


@pytest.mark.parametrize(
    "values",
    [
        "('t', 'o', 'T', 'maybe', 'buy', 1, 0.5, 0, true, now())",
        "('t', 'o', 'T', 'yes', 'short', 1, 0.5, 0, true, now())",
        "('t', 'o', 'T', NULL, 'buy', 1, 0.5, 0, true, now())",
        "('t', 'o', 'T', 'yes', NULL, 1, 0.5, 0, true, now())",
        "('t', 'o', 'T', 'yes', 'buy', -1, 0.5, 0, true, now())",
    ],
)
def test_the_tables_refuse_a_trade_that_is_none(floor: Floor, values: str) -> None:
    with pytest.raises(duckdb.ConstraintException), floor.warehouse.write() as con:
        con.execute(f"INSERT INTO trading.trades VALUES {values}")


def test_the_example_of_the_manual_places_an_order(
    floor: Floor, repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(
        r"```python\n(.*?)```", (repo_root / "docs" / "how-to" / "send-an-order.md").read_text("utf-8"), re.S
    )
    # The world stands still, and so do the clocks of the example.
    monkeypatch.setattr("kalshi_pipeline.exchange.client.KalshiClient.__init__", _pinned(KalshiClient.__init__))
    monkeypatch.setattr(
        "kalshi_pipeline.trading.orders.executor.TradeExecutor.__init__", _pinned(TradeExecutor.__init__)
    )
    monkeypatch.setattr("builtins.input", lambda _: floor.quote.ticker)
    given = {
        "database": floor.warehouse.database,
        "folder": tmp_path / "example",
        "url": floor.executor._gate.base_url,
        "signer": Signature(),
        "ticker": floor.quote.ticker,
        "limit": floor.ask,
    }
    exec(compile(example, "send-an-order.md", "exec"), given)
    assert "accepted []" in capsys.readouterr().out
    assert [order.count for order in floor.app.desk.orders.values()] == [1]


def _pinned(init: Any) -> Any:
    def made(self: Any, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **named, clock=lambda: NOW)

    return made
