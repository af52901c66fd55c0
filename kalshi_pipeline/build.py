"""Puts the definitions together; every argument can be replaced, which is how tests run the same assets elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from kalshi_pipeline.defs import (
    backtest,
    distances,
    distributions,
    evaluation,
    landing,
    mappings,
    raw,
    report,
    research,
    verification,
)
from kalshi_pipeline.defs.alerts import notifier_of
from kalshi_pipeline.defs.day_gaps import DAY_GAP_CHECKS
from kalshi_pipeline.defs.dbt import build_dbt_assets
from kalshi_pipeline.defs.dbt_project import manifest_path
from kalshi_pipeline.defs.distribution_checks import CHECKS as DISTRIBUTION_CHECKS
from kalshi_pipeline.defs.jobs import JOBS
from kalshi_pipeline.defs.proofs import PROVEN, proofs
from kalshi_pipeline.defs.reconciliation import RECONCILIATION_CHECKS
from kalshi_pipeline.defs.resources import Dbt, RunWarehouse, exchange_resource
from kalshi_pipeline.defs.schedules import build_schedules
from kalshi_pipeline.defs.sensors import build_sensors
from kalshi_pipeline.defs.snapshot_gaps import SNAPSHOT_GAP_CHECKS
from kalshi_pipeline.defs.surface import dress
from kalshi_pipeline.defs.upkeep import build_published
from kalshi_pipeline.settings import Settings


def build_resources(settings: Settings) -> dict[str, Any]:
    """The resources of a run under these settings."""
    return {
        "settings": settings,
        "exchange": exchange_resource(settings),
        "warehouse": RunWarehouse.of(settings),
        "dbt": Dbt.of(settings),
        "notifier": notifier_of(settings),
    }


def build_defs(
    settings: Settings, *, resources: Mapping[str, Any] | None = None, manifest: Path | None = None
) -> dg.Definitions:
    """Assemble assets, checks, jobs, schedules and resources.

    Args:
        settings: what the user set.
        resources: resources to use instead of the ones made from ``settings``, by name.
        manifest: dbt manifest to read the models from; the project's own (parsed if need be) when left out.

    Raises:
        DbtUnavailable: dbt is missing or the dbt project does not parse.
    """
    modules = [landing, raw, mappings, distributions, distances, research, evaluation, backtest, report, verification]
    loaded = [asset for asset in dg.load_assets_from_modules(modules) if isinstance(asset, dg.AssetsDefinition)]
    assets = [*loaded, *build_dbt_assets(manifest or manifest_path(settings.database))]
    tables = [key for asset in assets for key in asset.keys]
    return dg.Definitions(
        assets=[*dress([*assets, build_published(tables)], settings), PROVEN],
        asset_checks=[*DISTRIBUTION_CHECKS, *RECONCILIATION_CHECKS, *SNAPSHOT_GAP_CHECKS, *DAY_GAP_CHECKS, proofs],
        jobs=JOBS,
        schedules=build_schedules(settings),
        sensors=build_sensors(settings),
        resources={**build_resources(settings), **(resources or {})},
        # One DuckDB file has one writer at a time: steps of a run take turns inside one process.
        executor=dg.in_process_executor,
    )
