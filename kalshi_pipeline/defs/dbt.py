"""The dbt models as assets: reference models as a whole, facts by daily partition; data tests become asset checks.

Source tests are not turned into checks: with that setting on, a blocking check of a raw asset runs after the dbt
step instead of before it. Unit tests belong to development and are left out of runs.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from kalshi_pipeline.defs.contracts import hold_contracts, stated_contracts
from kalshi_pipeline.defs.metadata import first_rows
from kalshi_pipeline.defs.partitions import DAILY, ONE_RUN, partition_days
from kalshi_pipeline.defs.resources import Dbt
from kalshi_pipeline.warehouse.bookkeeping import row_counts
from kalshi_pipeline.warehouse.previews import preview
from kalshi_pipeline.warehouse.resource import Warehouse

BUILD = ["build", "--exclude-resource-type", "unit_test"]


class Translator(DagsterDbtTranslator):
    """Asset keys are ``schema/table``, so a model, its table and its asset bear one name."""

    def __init__(self) -> None:
        super().__init__(
            settings=DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=False)
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """``[schema, name]`` of the relation."""
        return dg.AssetKey(
            [dbt_resource_props["schema"], dbt_resource_props.get("identifier") or _alias(dbt_resource_props)]
        )

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """A mart also depends on the raw tables behind it.

        A run may select raw tables and marts without the views between them; it still has to load before it builds,
        and to stop where a load is blocked.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id.startswith("model") and spec.key.path[0] == "marts":
            known = {dep.asset_key for dep in spec.deps}
            raw = {self.get_asset_spec(manifest, source, project).key for source in _raw_sources(manifest, unique_id)}
            return spec.merge_attributes(deps=sorted(raw - known))
        return spec

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer: staging, intermediate or marts."""
        return str(dbt_resource_props["schema"])

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The layer as a tag; dbt's own tags only steer selection."""
        return {"layer": str(dbt_resource_props["schema"])}


def _raw_sources(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    """The sources of schema ``raw`` that a model is made of, however far up."""
    if unique_id.startswith("source"):
        return {unique_id} if manifest["sources"][unique_id]["schema"] == "raw" else set()
    above = (_raw_sources(manifest, parent) for parent in manifest["parent_map"].get(unique_id, []))
    return set().union(*above)


def _alias(props: Mapping[str, Any]) -> str:
    return str(props.get("alias") or props["name"])


def build_dbt_assets(manifest: Path) -> list[dg.AssetsDefinition]:
    """Three groups of assets over one manifest: reference models, facts (tagged ``daily``, partitioned), and health."""
    translator = Translator()
    contracts = stated_contracts(manifest)

    def group(name: str, *, held: bool = True, **chosen: Any) -> dg.AssetsDefinition:
        """The models that are chosen; ``held`` says whether some of them are kept between builds, under a contract."""

        @dbt_assets(
            manifest=manifest,
            name=name,
            dagster_dbt_translator=translator,
            # Lets models that are not partitioned join a run over a range.
            backfill_policy=ONE_RUN,
            **chosen,
        )
        def models(context: dg.AssetExecutionContext, dbt: Dbt, warehouse: Warehouse) -> Iterator[Any]:
            if held:
                hold_contracts(context, dbt, warehouse, contracts)
            yield from _build(context, dbt, warehouse)

        return models

    return [
        group("dbt_reference", exclude="tag:daily tag:health"),
        group("dbt_daily", select="tag:daily", partitions_def=DAILY),
        group("dbt_health", select="tag:health", held=False),
    ]


def _build(context: dg.AssetExecutionContext, dbt: Dbt, warehouse: Warehouse) -> Iterator[Any]:
    """Run ``dbt build`` for the selected models, and say how many rows each table has now and which come first,
    of the run's days where the models have partitions.

    The rows are counted here: dagster-dbt would count them in threads that change the working directory of the whole
    process. The artifacts of a successful call are not kept.
    """
    invocation = dbt.cli(BUILD, context=context)
    failed: Exception | None = None
    events: list[Any] = []
    try:
        events.extend(invocation.stream())
    except Exception as error:  # what was built before the failure is reported first
        failed = error
    names = [_table_of(context, event) for event in events]
    days = partition_days(context) if context.assets_def.partitions_def else []
    with warehouse.read() as con:
        rows = row_counts(con)
        shown = {name: first_rows(preview(con, name, days)) for name in rows.keys() & set(names)}
    for event, name in zip(events, names, strict=True):
        if name in rows:
            event = event.with_metadata({**event.metadata, "dagster/row_count": rows[name], **shown[name]})
        yield event
    if failed:
        raise failed
    shutil.rmtree(invocation.target_path, ignore_errors=True)


def _table_of(context: dg.AssetExecutionContext, event: Any) -> str:
    """The table an event materialises, as ``schema.table``; empty for other events."""
    key = context.assets_def.keys_by_output_name.get(getattr(event, "output_name", ""))
    return ".".join(key.path) if key else ""
