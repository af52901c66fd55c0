"""The executor: takes an intent through every check, writes each step down first, and sends it or says why not.

The steps of an intent are ``intended``, then ``refused``, ``dry_run`` or ``sending``, and after that ``accepted``,
``rejected`` or ``unknown``; one whose fate is open is ``resolved`` by looking it up. A decision that reached
``sending`` is never sent again, also not after a restart, because the journal remembers it. Not here: the judgements
(``limits``, ``gate``) and the requests (``sending``).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

from kalshi_pipeline.exchange.transport import utc_now
from kalshi_pipeline.trading.orders import history
from kalshi_pipeline.trading.orders.gate import EnvironmentGate, KillSwitch
from kalshi_pipeline.trading.orders.intents import OrderIntent
from kalshi_pipeline.trading.orders.journal import Journal, Record
from kalshi_pipeline.trading.orders.limits import Limits, Objection, Used, objections
from kalshi_pipeline.trading.orders.receipts import Receipt, Status
from kalshi_pipeline.trading.orders.sending import OrderSender
from kalshi_pipeline.trading.orders.views import AccountReader, AccountView, MarketReader, MarketView

#: Asked before a live order is sent; only ``True`` itself lets it pass.
Confirm = Callable[[OrderIntent, MarketView, AccountView], bool]

_ORDER_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
#: An order that the exchange does not show this long after it was sent was not placed.
SHOWN_WITHIN = timedelta(seconds=60)


class TradeExecutor:
    """The only way to send an order. Nothing is sent unless it was made ``live``; use as a context manager.

    Args:
        journal: where every step is written before it is taken.
        gate: the environment orders go to, and whether it was allowed.
        kill_switch: stops orders, never cancels.
        markets, accounts: provide what an order is judged by; what they cannot provide refuses it.
        run_id: names the run that the limits per run are about.
        auth: signs requests; a live executor refuses everything without it.
        confirm: asked before each live order; a live executor refuses every order without it.
        limits: what may be sent at most.
        live: whether anything is sent at all; otherwise every intent ends as ``dry_run``.
        clock: now, in UTC; the same clock that stamps quotes.
        http: an httpx transport to use in place of a real socket.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        gate: EnvironmentGate,
        kill_switch: KillSwitch,
        markets: MarketReader,
        accounts: AccountReader,
        run_id: str,
        auth: httpx.Auth | None = None,
        confirm: Confirm | None = None,
        limits: Limits | None = None,
        live: bool = False,
        clock: Callable[[], datetime] = utc_now,
        http: httpx.BaseTransport | None = None,
    ) -> None:
        self._journal = journal
        self._gate = gate
        self._kill_switch = kill_switch
        self._markets = markets
        self._accounts = accounts
        self._run_id = run_id
        self._confirm = confirm
        self._limits = limits or Limits()
        # Only True itself makes it live: a setting read as text ("false") must not.
        self._live = live is True
        self._clock = clock
        self._sender = OrderSender(gate.base_url, auth, http=http) if self._live and auth is not None else None
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the journal stays open for whoever opened it."""
        if self._sender is not None:
            self._sender.close()

    # Orders -----------------------------------------------------------------------------------------------------------

    def submit(self, intent: OrderIntent) -> Receipt:
        """Judge an intent and send it, if the executor is live and nothing speaks against it. One at a time.

        Raises:
            JournalError: a step could not be written down; what would have followed it was not done.
        """
        with self._turn:
            identifier = intent.client_order_id(self._gate.environment)
            self._write("intended", identifier, intent, notional=intent.notional)
            reasons = self._standing(identifier) or self._assessed(intent, ask=self._live)
            if self._live and not reasons:
                # The confirmation may have taken its time: everything is looked at once more.
                reasons = self._standing(identifier) or self._assessed(intent, ask=False)
            if reasons:
                self._write("refused", identifier, intent, reasons=[reason.facts() for reason in reasons])
                return Receipt(identifier, Status.REFUSED, tuple(reasons))
            if self._sender is None:
                self._write("dry_run", identifier, intent, notional=intent.notional)
                return Receipt(identifier, Status.DRY_RUN)
            self._write("sending", identifier, intent, notional=intent.notional, body=intent.body(identifier))
            answer = self._sender.place(intent, identifier)
            self._write(answer.kind, identifier, intent, **answer.facts())
            return Receipt.of(identifier, answer)

    def cancel(self, order_id: str, ticker: str) -> Receipt:
        """Cancel a resting order. The kill switch and the limits do not stand in the way; a dry run sends nothing.

        Raises:
            JournalError: a step could not be written down; what would have followed it was not done.
        """
        facts = {"order_id": str(order_id), "ticker": str(ticker)}
        self._note("cancel_intended", str(order_id), **facts)
        reasons = self._barred() if self._live else []
        if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
            reasons = [*reasons, Objection("no_order_id", f"{order_id!r} is no identifier of an order.")]
        if reasons:
            self._note("cancel_refused", str(order_id), **facts, reasons=[reason.facts() for reason in reasons])
            return Receipt(str(order_id), Status.REFUSED, tuple(reasons))
        if self._sender is None:
            self._note("cancel_dry_run", order_id, **facts)
            return Receipt(order_id, Status.DRY_RUN)
        self._note("cancelling", order_id, **facts)
        answer = self._sender.cancel(order_id, ticker)
        self._note(f"cancel_{answer.kind}", order_id, **{**facts, **answer.facts(), "order_id": order_id})
        return Receipt.of(order_id, answer)

    def in_doubt(self) -> list[Record]:
        """The ``sending`` records of orders whose fate is open; while there is one, no other order is sent."""
        return history.in_doubt(self._here())

    def reconcile(self) -> list[Receipt]:
        """Look up every order in doubt on the exchange, without sending anything; what stays open stays in doubt.

        Raises:
            JournalError: a finding could not be written down.
        """
        receipts = []
        with self._turn:
            for record in self.in_doubt():
                receipt = self._looked_up(record)
                receipts.append(receipt)
                if receipt.status is not Status.UNKNOWN:
                    self._note(
                        "resolved",
                        receipt.client_order_id,
                        ticker=record["ticker"],
                        outcome=receipt.status,
                        order_id=receipt.order_id,
                        filled=receipt.filled,
                        remaining=receipt.remaining,
                    )
        return receipts

    # Judgements -------------------------------------------------------------------------------------------------------

    def _standing(self, identifier: str) -> list[Objection]:
        """What speaks against every order, or against this one whatever it holds."""
        reasons = self._barred() if self._live else []
        if stopped := self._kill_switch.objection():
            reasons.append(Objection("kill_switch", stopped))
        if self._live and self._confirm is None:
            reasons.append(Objection("nobody_confirms", "A live order needs somebody to confirm it."))
        if any(sent["client_order_id"] == identifier for sent in history.counted(self._here())):
            reasons.append(Objection("already_sent", "This decision was sent before; it is never sent twice."))
        if self.in_doubt():
            reasons.append(Objection("order_in_doubt", "The fate of an earlier order is open: reconcile first."))
        return reasons

    def _barred(self) -> list[Objection]:
        reasons = []
        if closed := self._gate.objection():
            reasons.append(Objection("environment", closed))
        if self._sender is None:
            reasons.append(Objection("no_signature", "There is no key to sign requests with."))
        return reasons

    def _assessed(self, intent: OrderIntent, *, ask: bool) -> list[Objection]:
        """What speaks against the intent as things are now; with ``ask``, whether somebody confirms it."""
        try:
            market = self._markets.market(intent.ticker)
            account = self._accounts.account(intent.ticker)
        except Exception as error:
            return [Objection("data_missing", f"Quote or account cannot be read: {error}")]
        now = self._clock()
        used = self._used(now, account)
        reasons = objections(intent, self._limits, market, account, used, now)
        if not reasons and ask and self._confirm is not None:
            try:
                confirmed = self._confirm(intent, market, account)
            except Exception as error:
                return [Objection("confirmation_failed", f"Nobody confirmed: {type(error).__name__}: {error}")]
            if confirmed is not True:
                reasons.append(Objection("not_confirmed", "The order was not confirmed."))
        return reasons

    def _used(self, now: datetime, account: AccountView) -> Used:
        today = now.astimezone(UTC).date()
        opened = history.day_opened_at(self._here(), today)
        if opened is None and account.equity is not None and account.equity.is_finite():
            opened = Decimal(self._note("day_opened", "", equity=account.equity)["equity"])
        counted = history.counted(self._here(), dry=not self._live)
        return history.used(counted, run_id=self._run_id, today=today, day_opened_at=opened)

    def _here(self) -> list[Record]:
        return [record for record in self._journal.records if record.get("environment") == self._gate.environment]

    def _looked_up(self, record: Record) -> Receipt:
        identifier = record["client_order_id"]
        try:
            orders = [o for o in self._accounts.orders(record["ticker"]) if o.client_order_id == identifier]
        except Exception as error:
            return Receipt(identifier, Status.UNKNOWN, said=f"The orders cannot be read: {error}")
        if orders:
            found = orders[0]
            return Receipt(identifier, Status.ACCEPTED, (), found.status, found.order_id, found.filled, found.remaining)
        if self._clock() - datetime.fromisoformat(record["at"]) < SHOWN_WITHIN:
            return Receipt(identifier, Status.UNKNOWN, said=f"Not shown yet; wait {SHOWN_WITHIN} after it was sent.")
        return Receipt(identifier, Status.REJECTED, said="The exchange does not have it.")

    # The journal ------------------------------------------------------------------------------------------------------

    def _write(self, step: str, identifier: str, intent: OrderIntent, **facts: Any) -> Record:
        order = {
            "decision_id": intent.decision_id,
            "ticker": intent.ticker,
            "side": intent.side,
            "action": intent.action,
            "count": intent.count,
            "limit_price": intent.limit_price,
            "time_in_force": intent.time_in_force,
        }
        return self._note(step, identifier, **order, **facts)

    def _note(self, step: str, identifier: str, **facts: Any) -> Record:
        return self._journal.append(
            step,
            self._clock(),
            client_order_id=identifier,
            run_id=self._run_id,
            environment=self._gate.environment,
            live=self._live,
            **facts,
        )
