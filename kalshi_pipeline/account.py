"""The account of a warehouse: reads the tables it needs and hands them to ``research.summary``."""

from __future__ import annotations

import duckdb

from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.summary import Summary, summarise
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.bookkeeping import row_counts
from kalshi_pipeline.warehouse.frames import read_table

#: Layers whose tables are counted, in the order in which data flows.
_SHOWN = ("raw", "marts", "research", "meta")


def take_account(con: duckdb.DuckDBPyConnection, settings: Settings) -> Summary:
    """Rows per table, what became of every market, snapshots passed and gated, folds."""
    rows = row_counts(con)
    labels = read_table(con, "research.event_labels")
    return summarise(
        rows={name: rows[name] for layer in _SHOWN for name in rows if name.startswith(f"{layer}.")},
        ladders=read_table(con, "research.ladders"),
        legs=read_table(con, "research.ladder_legs"),
        distributions=con.execute(
            "select series_ticker, hard_gate_failed, gate_reasons from research.implied_distributions"
        ).to_arrow_table(),
        labels=labels,
        folds=read_table(con, "research.walkforward_folds"),
        fold_sentences=build_folds(labels, FoldRules(horizons_minutes=settings.horizons_minutes)).sentences,
    )
