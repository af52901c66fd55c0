"""The tables of the trading boundary: what was intended, what became of it, and what the account did and holds.

Rows are only ever added. They are written by the ledger of the executor; no run of the pipeline touches them.
"""

from __future__ import annotations

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table, column, contracts, dollars, money, text, timestamp

ENVIRONMENTS = ("sandbox", "demo", "prod")
SIDES = ("yes", "no")
ACTIONS = ("buy", "sell")
TIMES_IN_FORCE = ("fill_or_kill", "immediate_or_cancel", "good_till_canceled")


_RECORD = {
    "record_id": text("SHA-256 of the record's line in the journal."),
    "number": column("BIGINT", "Number of the record in its journal, from 1.", checks=[pa.Check.ge(1)]),
    "recorded_at": timestamp("When the record was written."),
    "client_order_id": text("Our identifier of the order; empty for records that are not about one."),
    "run_id": text("Run of the executor."),
    "environment": text("Where orders of the run go.", isin=ENVIRONMENTS),
    "is_live": column("BOOLEAN", "Whether the executor would send; a dry run never does."),
}

INTENTS = Table(
    schema="trading",
    name="intents",
    grain="one order intent that reached the executor, whatever became of it",
    key=("record_id",),
    columns={
        **_RECORD,
        "decision_id": text("Decision behind the order; it is sent at most once."),
        "ticker": text("Market."),
        "side": text("Contracts traded.", isin=SIDES),
        "action": text("Whether they are bought or sold.", isin=ACTIONS),
        "count": contracts("Contracts."),
        "limit_price": dollars("Worst price per contract of the side."),
        "time_in_force": text("What becomes of the part that does not execute at once.", isin=TIMES_IN_FORCE),
    },
)

INTENT_STEPS = Table(
    schema="trading",
    name="intent_steps",
    grain="one record of the journal: a step of an intent or a cancel, written before it was taken",
    key=("record_id",),
    columns={
        **_RECORD,
        "environment": text(
            "Where orders of the run go; NULL for records about the journal itself.", nullable=True, isin=ENVIRONMENTS
        ),
        "step": text("What was about to happen, or had happened."),
        "reasons": column("VARCHAR[]", "Codes of the objections that refused it; empty where there were none."),
        "said": text("What the exchange or the connection said.", nullable=True),
        "order_id": text("The exchange's identifier of the order.", nullable=True),
        "record": column("JSON", "The whole record, as in the journal."),
    },
)

TRADES = Table(
    schema="trading",
    name="trades",
    grain="one fill of an order of the account",
    key=("trade_id",),
    columns={
        "trade_id": text("The exchange's identifier of the fill."),
        "order_id": text("The exchange's identifier of the order."),
        "ticker": text("Market."),
        "side": text("Contracts traded.", isin=SIDES),
        "action": text("Whether they were bought or sold.", isin=ACTIONS),
        "count": contracts("Contracts."),
        "price": dollars("Price per contract of the side."),
        "fee": money("Fee paid."),
        "is_taker": column("BOOLEAN", "Whether the order took liquidity."),
        "executed_at": timestamp("When it was executed."),
    },
)

POSITIONS = Table(
    schema="trading",
    name="positions",
    grain="what the account held in one market when it was looked at",
    key=("ticker", "observed_at"),
    columns={
        "ticker": text("Market."),
        "observed_at": timestamp("When the account was looked at."),
        "side": text("Side of the contracts held.", isin=SIDES),
        "count": contracts("Contracts held."),
        "exposure": money("Paid for them."),
        "realized_pnl": money("Profit and loss locked in over the position's life."),
        "fees": money("Fees paid over the position's life."),
    },
)

TRADING_TABLES: tuple[Table, ...] = (INTENTS, INTENT_STEPS, TRADES, POSITIONS)
