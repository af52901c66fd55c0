"""The table of the readiness backtest: what became of every leg at every decision."""

from __future__ import annotations

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table, column, dollars, money, text, timestamp

DECISION_POINTS = ("day_before_10", "same_day_10")
STAGES = ("event", "snapshot", "quote", "priced", "edge", "filled")


HYBRID_BACKTEST = Table(
    schema="research",
    name="hybrid_backtest",
    grain="one leg of an event about a climate day at one decision, with the stage it reached and why it stopped",
    key=("candidate_id",),
    columns={
        "candidate_id": text("Event, decision point and market; without a market where the event has no leg."),
        "event_ticker": text("Event."),
        "series_ticker": text("Series."),
        "decision_point": text("10:00 local time of the day before, or of the climate day.", isin=DECISION_POINTS),
        "decision_ts": timestamp("Instant of the decision: nothing that was not known by then went into it."),
        "ticker": text("Market; NULL where the event has no leg.", nullable=True),
        "stage": text("Last stage of the funnel that was reached.", isin=STAGES),
        "reason": text("Why it went no further; NULL for a trade.", nullable=True),
        "available_ts": timestamp("When the last bar before the decision became known.", nullable=True),
        "yes_bid": dollars("Best YES bid in that bar; NULL where the side is empty.", nullable=True),
        "yes_ask": dollars("Best YES ask in that bar; NULL where the side is empty.", nullable=True),
        "fair_probability": column(
            "DOUBLE",
            "Believed probability of YES: a normal through the last known values.",
            unit="probability",
            nullable=True,
            checks=[pa.Check.in_range(0, 1)],
        ),
        "side": text("Contracts bought, or that would have been.", nullable=True, isin=("yes", "no")),
        "role": text("Resting order (maker) or taken offer (taker).", nullable=True, isin=("maker", "taker")),
        "price": dollars("Price per contract of the side.", nullable=True),
        "contracts": column("BIGINT", "Contracts.", unit="contracts", nullable=True, checks=[pa.Check.ge(0)]),
        "fee": money("Fee of the whole order.", nullable=True),
        "edge": column("DOUBLE", "Expected gain per contract, fee included.", unit="dollars", nullable=True),
        "yes_payout": dollars("What a YES contract paid; NULL where it is not known yet.", nullable=True),
        "pnl": money("Gain of the trade, fee included; NULL without a trade or before settlement.", nullable=True),
    },
)

BACKTEST_TABLES: tuple[Table, ...] = (HYBRID_BACKTEST,)
