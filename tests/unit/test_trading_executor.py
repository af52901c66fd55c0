"""No order is sent that should not be, none is sent twice, and every attempt is in the journal before anything happens.

Every case below is a way in which an order could go wrong. What leaves the machine is counted at the transport.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.errors import ContractError
from kalshi_pipeline.trading.orders.executor import TradeExecutor
from kalshi_pipeline.trading.orders.gate import Environment, EnvironmentGate, KillSwitch
from kalshi_pipeline.trading.orders.intents import OrderIntent
from kalshi_pipeline.trading.orders.journal import JournalError
from kalshi_pipeline.trading.orders.limits import Limits
from kalshi_pipeline.trading.orders.receipts import Receipt, Status
from kalshi_pipeline.trading.orders.views import PlacedOrder
from tests.unit.trading_desk import DEMO, NOW, TICKER, Answer, Desk, fails, intent, says, taken

pytestmark = pytest.mark.unit

PROD = "https://external-api.kalshi.com/trade-api/v2"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def codes(receipt: Receipt) -> set[str]:
    return {objection.code for objection in receipt.objections}


def gate(environment: str, allowed: str | None, url: str = DEMO) -> EnvironmentGate:
    return EnvironmentGate(Environment(environment), Environment(allowed) if allowed else None, url)


def test_an_order_that_nothing_speaks_against_is_sent_once(desk: Desk) -> None:
    receipt = desk.executor().submit(intent())
    assert receipt.status is Status.ACCEPTED
    assert desk.steps() == ["intended", "sending", "accepted"]
    (request,) = desk.requests
    assert (request.method, request.url.path) == ("POST", "/trade-api/v2/portfolio/events/orders")
    assert json.loads(request.content) == {
        "ticker": TICKER,
        "client_order_id": intent().client_order_id("demo"),
        "side": "bid",
        "count": "10.00",
        "price": "0.4400",
        "time_in_force": "immediate_or_cancel",
        "self_trade_prevention_type": "taker_at_cross",
        "cancel_order_on_pause": True,
    }


# Environment, switch, confirmation ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "closed",
    [
        pytest.param(gate("demo", None), id="nothing allowed"),
        pytest.param(gate("prod", "demo", PROD), id="the other environment allowed"),
        pytest.param(gate("demo", "demo", PROD), id="demo with the address of prod"),
        pytest.param(gate("prod", "prod", DEMO), id="prod with the address of demo"),
        pytest.param(gate("sandbox", "sandbox", PROD), id="sandbox with the address of prod"),
        pytest.param(gate("prod", "prod", PROD.replace("https", "http")), id="prod without encryption"),
        pytest.param(gate("demo", "demo", "https://demo-api.kalshi.co.example.org/x"), id="a look-alike address"),
        pytest.param(
            gate("demo", "demo", "https://external-api.demo.kalshi.co@example.org/"), id="a user that is a host"
        ),
        pytest.param(gate("demo", "demo", ""), id="no address"),
    ],
)
def test_a_closed_environment_lets_neither_orders_nor_cancels_pass(desk: Desk, closed: EnvironmentGate) -> None:
    executor = desk.executor(gate=closed)
    assert "environment" in codes(executor.submit(intent()))
    assert "environment" in codes(executor.cancel("order-1", TICKER))
    assert desk.requests == []
    assert desk.steps() == ["intended", "refused", "cancel_intended", "cancel_refused"]


@pytest.mark.parametrize("live", [False, None, "false", "true", 1, "live"])
def test_only_true_itself_makes_an_executor_live(desk: Desk, live: Any) -> None:
    executor = desk.executor(live=live)
    assert executor.submit(intent()).status is Status.DRY_RUN
    assert executor.cancel("order-1", TICKER).status is Status.DRY_RUN
    assert desk.requests == []
    assert desk.steps() == ["intended", "dry_run", "cancel_intended", "cancel_dry_run"]


def test_a_dry_run_is_what_nobody_asked_otherwise(desk: Desk, tmp_path: Path) -> None:
    executor = desk.executor()
    plain = TradeExecutor(
        journal=executor._journal,
        gate=gate("demo", "demo"),
        kill_switch=KillSwitch(tmp_path / "KILL"),
        markets=desk,
        accounts=desk,
        run_id="r",
        clock=lambda: NOW,
    )
    assert plain.submit(intent()).status is Status.DRY_RUN


def test_the_kill_switch_stops_orders_and_lets_cancels_pass(desk: Desk) -> None:
    executor = desk.executor()
    desk.switch.touch()
    assert codes(executor.submit(intent())) == {"kill_switch"}
    desk.answer = says(200, {"order_id": "order-1", "reduced_by": "10.00", "ts_ms": 0})
    assert executor.cancel("order-1", TICKER).status is Status.ACCEPTED
    assert [request.method for request in desk.requests] == ["DELETE"]
    assert desk.steps()[-3:] == ["cancel_intended", "cancelling", "cancel_accepted"]


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "armed", " TRUE ", "nein"])
def test_the_kill_switch_is_on_for_every_word_but_off(desk: Desk, word: str) -> None:
    executor = desk.executor(kill_switch=KillSwitch(desk.switch, word))
    assert "kill_switch" in codes(executor.submit(intent()))
    assert desk.requests == []


def test_a_kill_switch_that_cannot_be_read_is_on(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    executor = desk.executor(kill_switch=KillSwitch(tmp_path / "file" / "KILL"))
    assert "kill_switch" in codes(executor.submit(intent()))


def test_a_dangling_link_turns_the_kill_switch_on(desk: Desk) -> None:
    desk.switch.symlink_to(desk.folder / "nowhere")
    assert "kill_switch" in codes(desk.executor().submit(intent()))


def test_a_switch_thrown_while_somebody_confirms_stops_the_order(desk: Desk) -> None:
    def confirm(*_: object) -> bool:
        desk.switch.touch()
        return True

    assert codes(desk.executor(confirm=confirm).submit(intent())) == {"kill_switch"}
    assert desk.requests == []


def test_a_price_that_moves_while_somebody_confirms_stops_the_order(desk: Desk) -> None:
    def confirm(*_: object) -> bool:
        desk.quoted(yes_bid=Decimal("0.10"), yes_ask=Decimal("0.12"))
        return True

    assert "fat_finger" in codes(desk.executor(confirm=confirm).submit(intent()))
    assert desk.requests == []


@pytest.mark.parametrize("answer", [False, None, "yes", 1, object()])
def test_only_true_itself_confirms(desk: Desk, answer: Any) -> None:
    assert codes(desk.executor(confirm=lambda *_: answer).submit(intent())) == {"not_confirmed"}
    assert desk.requests == []


def test_a_confirmation_that_fails_confirms_nothing(desk: Desk) -> None:
    def confirm(*_: object) -> bool:
        raise RuntimeError("nobody there")

    assert codes(desk.executor(confirm=confirm).submit(intent())) == {"confirmation_failed"}
    assert desk.requests == []


def test_a_live_order_needs_somebody_to_confirm_and_a_key_to_sign(desk: Desk) -> None:
    assert "nobody_confirms" in codes(desk.executor(confirm=None).submit(intent()))
    assert "no_signature" in codes(desk.executor(auth=None).submit(intent("d-2")))
    assert desk.requests == []


# Limits, at and over --------------------------------------------------------------------------------------------------

_WIDE = Limits(fat_finger=Decimal(1), slippage=Decimal(10))


@pytest.mark.parametrize(
    ("limits", "at", "over", "code"),
    [
        pytest.param(
            Limits(), {"limit_price": Decimal("0.462")}, {"limit_price": Decimal("0.4621")}, "slippage", id="buy"
        ),
        pytest.param(
            Limits(),
            {"action": "sell", "limit_price": Decimal("0.38")},
            {"action": "sell", "limit_price": Decimal("0.3799")},
            "slippage",
            id="sell",
        ),
        pytest.param(
            replace(Limits(), slippage=Decimal(10)),
            {"limit_price": Decimal("0.52")},
            {"limit_price": Decimal("0.5201")},
            "fat_finger",
            id="too dear",
        ),
        pytest.param(
            Limits(), {"limit_price": Decimal("0.32")}, {"limit_price": Decimal("0.3199")}, "fat_finger", id="too cheap"
        ),
        pytest.param(Limits(), {"count": Decimal(100)}, {"count": Decimal("100.01")}, "contracts", id="contracts"),
        pytest.param(
            replace(_WIDE, contracts=Decimal(1000), notional_per_run=Decimal(1000), notional_per_day=Decimal(1000)),
            # 437 lose 192.28 and a fee of 7.54, together 199.82; 438 lose 200.28.
            {"count": Decimal(437)},
            {"count": Decimal(438)},
            "order_risk",
            id="order risk",
        ),
        pytest.param(
            replace(_WIDE, contracts=Decimal(1000), order_risk=Decimal(1000), notional_per_day=Decimal(1000)),
            {"count": Decimal(400), "limit_price": Decimal("0.50")},
            {"count": Decimal("400.01"), "limit_price": Decimal("0.50")},
            "notional_per_run",
            id="notional of a run",
        ),
        pytest.param(
            replace(_WIDE, contracts=Decimal(1000), order_risk=Decimal(1000), notional_per_run=Decimal(1000)),
            {"count": Decimal(400), "limit_price": Decimal("0.50")},
            {"count": Decimal("400.01"), "limit_price": Decimal("0.50")},
            "notional_per_day",
            id="notional of a day",
        ),
    ],
)
def test_what_is_at_a_limit_passes_and_what_is_over_does_not(
    desk: Desk, limits: Limits, at: dict[str, Any], over: dict[str, Any], code: str
) -> None:
    executor = desk.executor(limits=limits)
    assert code in codes(executor.submit(intent("over", **over)))
    assert desk.requests == []
    assert executor.submit(intent("at", **at)).status is Status.ACCEPTED


def test_a_no_order_is_judged_by_the_prices_of_its_own_side(desk: Desk) -> None:
    executor = desk.executor()
    # NO is quoted 0.56 at 0.60.
    assert executor.submit(intent(side="no", limit_price=Decimal("0.60"))).status is Status.ACCEPTED
    order = json.loads(desk.requests[0].content)
    assert (order["side"], order["price"]) == ("ask", "0.4000")
    assert codes(executor.submit(intent("d-2", side="no", limit_price=Decimal("0.44")))) == {"fat_finger"}


@pytest.mark.parametrize(("of", "more"), [("run", {"orders_per_day": 99}), ("day", {"orders_per_run": 99})])
def test_the_order_after_the_last_allowed_is_refused(desk: Desk, of: str, more: dict[str, int]) -> None:
    limits = replace(_WIDE, notional_per_run=Decimal(9999), notional_per_day=Decimal(9999), **more)
    executor = desk.executor(limits=limits)
    for number in range(25):
        assert executor.submit(intent(f"d-{number}", count=Decimal(1))).status is Status.ACCEPTED
    assert codes(executor.submit(intent("d-25", count=Decimal(1)))) == {f"orders_per_{of}"}
    assert desk.orders_sent == 25


def test_a_restart_forgets_no_limit_of_the_day_and_the_next_day_begins_anew(desk: Desk) -> None:
    limits = Limits(orders_per_day=2)
    for number in range(2):
        assert desk.executor(limits=limits, run_id=f"run-{number}").submit(intent(f"d-{number}")).status == "accepted"
    assert codes(desk.executor(limits=limits, run_id="run-2").submit(intent("d-2"))) == {"orders_per_day"}
    desk.now += timedelta(days=1)
    desk.quoted(observed_at=desk.now)
    assert desk.executor(limits=limits, run_id="run-3").submit(intent("d-3")).status is Status.ACCEPTED


def test_the_days_loss_ends_the_day_when_it_is_reached(desk: Desk) -> None:
    executor = desk.executor()
    assert executor.submit(intent("first")).status is Status.ACCEPTED
    desk.holding(equity=Decimal("950.01"))
    assert executor.submit(intent("nearly")).status is Status.ACCEPTED
    desk.holding(equity=Decimal("950.00"))
    assert codes(executor.submit(intent("reached"))) == {"daily_loss"}
    assert codes(desk.executor(run_id="after a restart").submit(intent("again"))) == {"daily_loss"}


def test_a_position_with_what_rests_stays_within_the_contracts(desk: Desk) -> None:
    executor = desk.executor()
    desk.holding(position=Decimal(60), resting_yes=Decimal(30))
    assert codes(executor.submit(intent("over", count=Decimal("10.01")))) == {"position"}
    assert executor.submit(intent("at", count=Decimal(10))).status is Status.ACCEPTED


def test_an_order_that_costs_more_than_is_free_is_refused(desk: Desk) -> None:
    executor = desk.executor()
    # Ten contracts at 0.44 cost 4.40 and a fee of 0.18.
    desk.holding(balance=Decimal("4.57"))
    assert codes(executor.submit(intent("over"))) == {"over_balance"}
    desk.holding(balance=Decimal("4.58"))
    assert executor.submit(intent("at")).status is Status.ACCEPTED


# Missing and malformed data -------------------------------------------------------------------------------------------

_NAN = Decimal("NaN")


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"balance": None}, "budget_unknown"),
        ({"balance": _NAN}, "budget_unknown"),
        ({"position": None}, "position_unknown"),
        ({"position": Decimal("Infinity")}, "position_unknown"),
        ({"resting_yes": None}, "resting_unknown"),
        ({"equity": None}, "loss_unknown"),
        ({"equity": _NAN}, "loss_unknown"),
    ],
)
def test_an_account_that_lacks_something_refuses_the_order(desk: Desk, missing: dict[str, Any], code: str) -> None:
    desk.holding(**missing)
    assert codes(desk.executor().submit(intent())) == {code}
    assert desk.requests == []


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"yes_bid": None}, "price_unknown"),
        ({"yes_ask": None}, "price_unknown"),
        ({"yes_ask": _NAN}, "price_unknown"),
        ({"yes_bid": Decimal(0)}, "price_unknown"),
        ({"yes_ask": Decimal(1)}, "price_unknown"),
        ({"yes_bid": Decimal("0.44")}, "quote_crossed"),
        ({"observed_at": None}, "quote_age_unknown"),
        ({"observed_at": NOW - timedelta(seconds=31)}, "quote_stale"),
        ({"observed_at": NOW + timedelta(seconds=1)}, "quote_stale"),
        ({"status": "closed"}, "market_not_active"),
        ({"status": None}, "market_not_active"),
        ({"ticker": "KXCPI-26JUN-T0.3"}, "quote_of_another_market"),
    ],
)
def test_a_quote_that_lacks_something_refuses_the_order(desk: Desk, missing: dict[str, Any], code: str) -> None:
    desk.quoted(**missing)
    assert code in codes(desk.executor().submit(intent()))
    assert desk.requests == []


def test_a_quote_that_is_just_fresh_enough_passes(desk: Desk) -> None:
    desk.quoted(observed_at=NOW - timedelta(seconds=30))
    assert desk.executor().submit(intent()).status is Status.ACCEPTED


@pytest.mark.parametrize("provider", ["quote", "book"])
def test_data_that_cannot_be_read_refuses_the_order(desk: Desk, provider: str) -> None:
    setattr(desk, provider, ContractError("a list of numbers"))
    assert codes(desk.executor().submit(intent())) == {"data_missing"}
    assert desk.requests == []


# Answers, retries and restarts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_a_refusal_by_the_exchange_is_final_and_not_retried(desk: Desk, status: int) -> None:
    desk.answer = says(status, {"error": {"code": "insufficient_balance", "message": "no"}})
    executor = desk.executor()
    assert executor.submit(intent()).status is Status.REJECTED
    assert desk.orders_sent == 1
    assert codes(executor.submit(intent())) == {"already_sent"}


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_an_order_that_never_left_is_no_order_and_not_retried(desk: Desk, error: type[httpx.TransportError]) -> None:
    desk.answer = fails(error)
    executor = desk.executor()
    assert executor.submit(intent()).status is Status.REJECTED
    assert len(desk.requests) == 1
    assert executor.in_doubt() == []


_ID = intent().client_order_id("demo")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(fails(httpx.ReadTimeout), id="no answer in time"),
        pytest.param(fails(httpx.WriteTimeout), id="half sent"),
        pytest.param(fails(httpx.RemoteProtocolError), id="cut off"),
        pytest.param(fails(httpx.ReadError), id="reset"),
        pytest.param(says(500, {"error": "x"}), id="500"),
        pytest.param(says(502, b"<html>"), id="502"),
        pytest.param(says(503), id="503"),
        pytest.param(says(504), id="504"),
        pytest.param(says(408), id="408"),
        pytest.param(says(409, {"code": "order_already_exists"}), id="exists already"),
        pytest.param(says(307), id="sent elsewhere"),
        pytest.param(says(201, b'{"order_id": "a", "fill'), id="half an answer"),
        pytest.param(says(201, b""), id="an empty answer"),
        pytest.param(says(201, ["order"]), id="a list"),
        pytest.param(says(201, {"fill_count": "0", "remaining_count": "10"}), id="no identifier"),
        pytest.param(says(201, {"order_id": "a", "remaining_count": "10"}), id="no count"),
        pytest.param(says(201, {"order_id": "a", "fill_count": "9", "remaining_count": "9"}), id="more than ordered"),
        pytest.param(says(201, {"order_id": "a", "fill_count": "-1", "remaining_count": "9"}), id="less than nothing"),
        pytest.param(says(201, {"order_id": "a", "fill_count": "NaN", "remaining_count": "9"}), id="no number"),
        pytest.param(
            says(201, {"order_id": "a", "client_order_id": "other", "fill_count": "0", "remaining_count": "10"}),
            id="another order",
        ),
    ],
)
def test_an_order_whose_fate_is_open_is_never_repeated_and_holds_up_the_next(desk: Desk, answer: Answer) -> None:
    desk.answer = answer
    executor = desk.executor()
    assert executor.submit(intent()).status is Status.UNKNOWN
    desk.answer = taken
    assert codes(executor.submit(intent())) == {"already_sent", "order_in_doubt"}
    assert codes(executor.submit(intent("another"))) == {"order_in_doubt"}
    assert codes(desk.executor(run_id="after a restart").submit(intent("another"))) == {"order_in_doubt"}
    assert len(desk.requests) == 1


def test_an_order_in_doubt_that_the_exchange_has_is_taken_as_placed(desk: Desk) -> None:
    desk.answer = fails(httpx.ReadTimeout)
    executor = desk.executor()
    executor.submit(intent())
    desk.known_orders = [PlacedOrder("x-1", _ID, "executed", Decimal(10), Decimal(0))]
    (receipt,) = executor.reconcile()
    assert (receipt.status, receipt.order_id, receipt.filled) == (Status.ACCEPTED, "x-1", Decimal(10))
    assert desk.steps()[-1] == "resolved"
    desk.answer = taken
    assert codes(executor.submit(intent())) == {"already_sent"}
    assert executor.submit(intent("next")).status is Status.ACCEPTED
    assert desk.orders_sent == 2


def test_an_order_in_doubt_that_the_exchange_does_not_show_is_given_time_first(desk: Desk) -> None:
    desk.answer = fails(httpx.ReadTimeout)
    executor = desk.executor()
    executor.submit(intent())
    assert [receipt.status for receipt in executor.reconcile()] == [Status.UNKNOWN]
    assert executor.in_doubt() != []
    desk.now += timedelta(seconds=61)
    assert [receipt.status for receipt in executor.reconcile()] == [Status.REJECTED]
    desk.quoted(observed_at=desk.now)
    assert codes(executor.submit(intent())) == {"already_sent"}


def test_an_order_in_doubt_stays_so_while_nobody_can_look(desk: Desk) -> None:
    desk.answer = fails(httpx.ReadTimeout)
    executor = desk.executor()
    executor.submit(intent())
    desk.now += timedelta(hours=1)
    desk.known_orders = ContractError("broken")
    assert [receipt.status for receipt in executor.reconcile()] == [Status.UNKNOWN]
    assert executor.in_doubt() != []


class _Ended(BaseException):
    """The process ends here."""


def test_a_process_that_ends_before_it_sends_has_sent_nothing_and_may_try_again(desk: Desk) -> None:
    def ends(*_: object) -> bool:
        raise _Ended

    with pytest.raises(_Ended):
        desk.executor(confirm=ends).submit(intent())
    assert desk.steps() == ["intended"]
    assert desk.executor(run_id="run-2").submit(intent()).status is Status.ACCEPTED
    assert desk.orders_sent == 1


def test_a_process_that_ends_while_it_sends_leaves_the_order_in_doubt(desk: Desk) -> None:
    def ends(_: httpx.Request) -> httpx.Response:
        raise _Ended

    desk.answer = ends
    with pytest.raises(_Ended):
        desk.executor().submit(intent())
    desk.answer = taken
    again = desk.executor(run_id="run-2")
    assert codes(again.submit(intent())) == {"already_sent", "order_in_doubt"}
    assert codes(again.submit(intent("another"))) == {"order_in_doubt"}
    assert desk.orders_sent == 1


def test_a_decision_is_sent_once_also_with_another_price(desk: Desk) -> None:
    executor = desk.executor()
    assert executor.submit(intent()).status is Status.ACCEPTED
    assert codes(executor.submit(intent(limit_price=Decimal("0.45"), count=Decimal(5)))) == {"already_sent"}
    assert desk.orders_sent == 1


def test_a_decision_that_was_refused_may_come_again(desk: Desk) -> None:
    executor = desk.executor()
    desk.quoted(status="paused")
    executor.submit(intent())
    desk.quoted(status="active")
    assert executor.submit(intent()).status is Status.ACCEPTED


def test_a_dry_run_spends_no_decision_and_counts_for_its_own_limits_only(desk: Desk) -> None:
    dry = desk.executor(live=False, limits=Limits(orders_per_run=1))
    assert dry.submit(intent()).status is Status.DRY_RUN
    assert codes(dry.submit(intent("d-2"))) == {"orders_per_run"}
    assert desk.executor(limits=Limits(orders_per_run=1)).submit(intent()).status is Status.ACCEPTED


# Concurrency ----------------------------------------------------------------------------------------------------------


def _at_once(count: int, call: Callable[[int], Receipt]) -> list[Receipt]:
    start = threading.Barrier(count)

    def one(number: int) -> Receipt:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_one_decision_submitted_from_many_threads_is_one_order(desk: Desk) -> None:
    executor = desk.executor()
    receipts = _at_once(8, lambda _: executor.submit(intent()))
    assert sorted(receipt.status for receipt in receipts) == ["accepted", *["refused"] * 7]
    assert desk.orders_sent == 1


def test_threads_together_do_not_pass_a_limit(desk: Desk) -> None:
    executor = desk.executor(limits=Limits(orders_per_run=3))
    receipts = _at_once(8, lambda number: executor.submit(intent(f"d-{number}")))
    assert [receipt.status for receipt in receipts].count(Status.ACCEPTED) == 3
    assert desk.orders_sent == 3


def test_a_cancel_does_not_wait_for_somebody_to_confirm(desk: Desk) -> None:
    asked, done = threading.Event(), threading.Event()

    def confirm(*_: object) -> bool:
        asked.set()
        return done.wait(10)

    executor = desk.executor(confirm=confirm)
    with ThreadPoolExecutor(1) as pool:
        order = pool.submit(executor.submit, intent())
        assert asked.wait(10)
        desk.answer = says(200, {"order_id": "order-1", "reduced_by": "1.00", "ts_ms": 0})
        assert executor.cancel("order-1", TICKER).status is Status.ACCEPTED
        desk.answer = taken
        done.set()
        assert order.result().status is Status.ACCEPTED


# Cancels --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order_id", ["", "../positions", "a/b", "a?b", "x" * 65, "é"])
def test_a_cancel_of_what_is_no_identifier_is_not_sent(desk: Desk, order_id: str) -> None:
    assert codes(desk.executor().cancel(order_id, TICKER)) == {"no_order_id"}
    assert desk.requests == []
    assert desk.steps() == ["cancel_intended", "cancel_refused"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (says(404, {"error": {"code": "not_found"}}), Status.REJECTED),
        (says(500), Status.UNKNOWN),
        (fails(httpx.ReadTimeout), Status.UNKNOWN),
        (says(200, {"order_id": "other", "reduced_by": "1"}), Status.UNKNOWN),
        (says(200, {"order_id": "order-1"}), Status.UNKNOWN),
    ],
)
def test_a_cancel_says_what_became_of_it_and_may_be_repeated(desk: Desk, answer: Answer, status: Status) -> None:
    desk.answer = answer
    executor = desk.executor()
    assert executor.cancel("order-1", TICKER).status is status
    assert executor.cancel("order-1", TICKER).status is status
    assert len(desk.requests) == 2


# The journal comes first ----------------------------------------------------------------------------------------------


class _FullLedger:
    def __init__(self, fails_at: str) -> None:
        self.fails_at = fails_at

    def append(self, record: Any, digest: str) -> None:
        if record["step"] == self.fails_at:
            raise OSError("no space left")


@pytest.mark.parametrize("step", ["intended", "day_opened", "sending"])
def test_a_step_that_cannot_be_written_down_is_not_taken(desk: Desk, step: str) -> None:
    desk.ledger = _FullLedger(step)
    with pytest.raises(JournalError, match="no space left"):
        desk.executor().submit(intent())
    assert desk.requests == []


def test_an_outcome_that_cannot_be_written_down_leaves_no_second_order(desk: Desk) -> None:
    executor = desk.executor()
    assert executor._journal is desk.journal and desk.journal is not None
    desk.answer = lambda request: (desk.journal and desk.journal.close(), taken(request))[1]
    with pytest.raises(JournalError):
        executor.submit(intent())
    desk.answer = taken
    assert codes(desk.executor().submit(intent())) == {"already_sent", "order_in_doubt"}
    assert desk.orders_sent == 1


def test_every_attempt_of_any_kind_is_in_the_journal_with_what_it_wanted(desk: Desk) -> None:
    executor = desk.executor()
    wanted: list[OrderIntent] = [intent(f"d-{number}", count=Decimal(number * 30 + 1)) for number in range(5)]
    for each in wanted:
        executor.submit(each)
    intended = [record for record in desk.records() if record["step"] == "intended"]
    assert [(record["decision_id"], record["count"]) for record in intended] == [
        (each.decision_id, str(each.count)) for each in wanted
    ]
    outcomes = [record["step"] for record in desk.records() if record["step"] in ("accepted", "refused")]
    assert len(outcomes) == len(wanted)
