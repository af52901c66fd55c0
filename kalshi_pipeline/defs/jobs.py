"""Jobs: the runs that people and schedules start."""

from __future__ import annotations

from typing import Any

import dagster as dg

from kalshi_pipeline.defs.canary import canary_job
from kalshi_pipeline.defs.proofs import PROOF_CHECKS
from kalshi_pipeline.defs.reconciliation import RECONCILIATION_CHECKS
from kalshi_pipeline.defs.retention import retention
from kalshi_pipeline.defs.upkeep import checkpoint_job

#: Loading everything a second time is a job of its own.
_RECONCILIATION = dg.AssetSelection.checks(*(key for check in RECONCILIATION_CHECKS for key in check.check_keys))
_FACT_MODELS = dg.AssetSelection.assets(["marts", "quotes"], ["marts", "candles"], ["marts", "trades"])
_REFERENCE_MODELS = dg.AssetSelection.groups("staging", "intermediate", "marts") - _FACT_MODELS

reference = dg.define_asset_job(
    "reference",
    selection=(dg.AssetSelection.groups("reference") | _REFERENCE_MODELS) - _RECONCILIATION,
    description="Series, events, markets and settlements as the exchange shows them now, and the models over them.",
)
ingest = dg.define_asset_job(
    "ingest",
    selection=(dg.AssetSelection.groups("facts", "health") | _FACT_MODELS) - _RECONCILIATION,
    description="Quotes, candles and trades of the chosen days, the models over them, and what is odd about them.",
)
quote_snapshot = dg.define_asset_job(
    "quote_snapshot",
    selection=dg.AssetSelection.assets(["landing", "quotes"], ["raw", "quotes"], ["marts", "quotes"]) - _RECONCILIATION,
    description="The top of book of every open market of the universe, now.",
)
orderbook_snapshot = dg.define_asset_job(
    "orderbook_snapshot",
    selection=dg.AssetSelection.assets(["landing", "orderbooks"], ["raw", "orderbooks"]) - _RECONCILIATION,
    description="The order books of every open market of the universe, now.",
)
research = dg.define_asset_job(
    "research",
    selection=dg.AssetSelection.groups("distributions", "research", "published") - PROOF_CHECKS,
    description="Ladders, implied distributions of the chosen days, labels, walk-forward folds, and all published.",
)
publish = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.groups("published"),
    description="Every mart and research table as Parquet beside the warehouse; only changed months are written.",
)
verify = dg.define_asset_job(
    "verify",
    selection=dg.AssetSelection.assets(["research", "hybrid_backtest"], ["report", "verification"]),
    description="The readiness backtest, and what the warehouse holds against what it should; repairs nothing.",
)
reconcile = dg.define_asset_job(
    "reconcile",
    selection=_RECONCILIATION,
    description="Hold the raw tables against the landed responses: nothing lost, repeated, delayed or altered since.",
)
everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all() - PROOF_CHECKS - _RECONCILIATION,
    description="Every asset, for the chosen days.",
)
proofs = dg.define_asset_job(
    "proofs",
    selection=PROOF_CHECKS,
    description="Proofs on the data there is that nothing looked ahead; they take minutes, so no other job runs them.",
)

#: Asset jobs, and the jobs of plain steps.
JOBS: list[Any] = [
    reference,
    ingest,
    quote_snapshot,
    orderbook_snapshot,
    research,
    publish,
    verify,
    reconcile,
    checkpoint_job,
    proofs,
    retention,
    canary_job,
    everything,
]
