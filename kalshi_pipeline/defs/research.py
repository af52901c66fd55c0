"""Research assets: releases, what they turned out to be, and the folds that train and test on them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.defs.metadata import picture
from kalshi_pipeline.defs.research_tables import research_asset, written
from kalshi_pipeline.report.folds import folds_picture
from kalshi_pipeline.research.folds import FoldRules, build_folds
from kalshi_pipeline.research.labels import build_labels
from kalshi_pipeline.research.panel import ACTIVITY_HOURS, build_panel
from kalshi_pipeline.research.releases import build_releases
from kalshi_pipeline.research.surprises import with_surprises
from kalshi_pipeline.schemas.research import EVENT_FEATURE_PANEL, EVENT_LABELS, RELEASES, WALKFORWARD_FOLDS
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.activity import horizon_distances, horizon_snapshots, quote_activity
from kalshi_pipeline.warehouse.frames import read_table
from kalshi_pipeline.warehouse.resource import Warehouse


@dg.asset(
    **research_asset(
        RELEASES,
        [["research", "ladders"]],
        "The publication every ladder settles on: its type, its group, its anchor and the instants known beforehand.",
    )
)
def releases(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Find the release of every ladder."""
    with warehouse.read() as con:
        ladders = read_table(con, "research.ladders")
    yield from written(context, warehouse, RELEASES, build_releases(ladders))


@dg.asset(
    **research_asset(
        EVENT_FEATURE_PANEL,
        [
            asset_key(RELEASES),
            ["research", "implied_distributions"],
            ["research", "distribution_distances"],
            ["research", "ladder_legs"],
            ["marts", "quotes"],
        ],
        "What was known of every release at each horizon before its anchor: levels, quality, changes, activity, "
        "distances.",
    )
)
def event_feature_panel(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], warehouse: Warehouse
) -> Iterator[Any]:
    """Gather the features of every release and horizon from the snapshots taken exactly then."""
    with warehouse.read() as con:
        known_releases = read_table(con, "research.releases")
        snapshots = horizon_snapshots(con)
        activity = quote_activity(con, snapshots, ACTIVITY_HOURS)
        moved = horizon_distances(con)
    panel = build_panel(known_releases, snapshots, activity, moved, settings.horizons_minutes)
    reasons = Counter(panel["missing_reason"].to_pylist())
    said = {f"rows {reason or 'with features'}": rows for reason, rows in reasons.most_common()}
    yield from written(context, warehouse, EVENT_FEATURE_PANEL, panel, **said)


@dg.asset(
    **research_asset(
        EVENT_LABELS,
        [
            asset_key(RELEASES),
            asset_key(EVENT_FEATURE_PANEL),
            ["marts", "event_outcomes"],
            ["marts", "event_outcomes_first_print"],
            ["marts", "event_outcome_rejects"],
        ],
        "What every release turned out to be, when each print became known, and how far it lay from what was expected.",
    )
)
def event_labels(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Join every release with its outcome."""
    with warehouse.read() as con:
        labels = build_labels(
            read_table(con, "research.releases"),
            read_table(con, "marts.event_outcomes"),
            read_table(con, "marts.event_outcomes_first_print"),
            read_table(con, "marts.event_outcome_rejects"),
        )
        panel = read_table(con, "research.event_feature_panel")
    yield from written(context, warehouse, EVENT_LABELS, with_surprises(labels, panel))


@dg.asset(
    **research_asset(
        WALKFORWARD_FOLDS,
        [asset_key(EVENT_LABELS)],
        "Purged and embargoed walk-forward folds per release type: one row per fold and release with its role.",
    )
)
def walkforward_folds(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], warehouse: Warehouse
) -> Iterator[Any]:
    """Cut the folds of every release type."""
    with warehouse.read() as con:
        labels = read_table(con, "research.event_labels")
    folds, sentences = build_folds(labels, FoldRules(horizons_minutes=settings.horizons_minutes))
    yield from written(
        context,
        warehouse,
        WALKFORWARD_FOLDS,
        folds,
        sentences=sentences,
        picture=picture(folds_picture(folds), "Walk-forward folds"),
    )
