"""The mapping of events to releases as assets: every version of it, and the register of versions."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key, checked, schema_check
from kalshi_pipeline.defs.metadata import table_metadata
from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.research.mappings import InconsistentMapping, assert_consistent_mapping, map_versions
from kalshi_pipeline.schemas.research import EVENT_MARKET_MAP_VERSIONS, MAPPING_VERSIONS
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.frames import read_table, write_table
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import WriteReport

CONSISTENT = "mapping_is_consistent"


def _spec(table: Table, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(table),
        deps=[["marts", "market_specifications"]],
        group_name="research",
        kinds={"python", "duckdb"},
        owners=["team:research"],
        tags={"layer": "research"},
        metadata=table_metadata(table),
        description=description,
    )


@dg.multi_asset(
    name="event_market_map_versions",
    specs=[
        _spec(
            EVENT_MARKET_MAP_VERSIONS,
            "The release every event settles on, as that was known: a market that is listed or moved can move the "
            "release, and a new version closes the one before.",
        ),
        _spec(
            MAPPING_VERSIONS,
            "The versions of that mapping over all events, each with the instant it could be known.",
        ),
    ],
    check_specs=[
        schema_check(EVENT_MARKET_MAP_VERSIONS),
        schema_check(MAPPING_VERSIONS),
        dg.AssetCheckSpec(
            CONSISTENT,
            asset=asset_key(EVENT_MARKET_MAP_VERSIONS),
            blocking=True,
            description="An event has one release at every instant, no version is used before it was known, and the "
            "numbers of versions follow time.",
        ),
    ],
    backfill_policy=ONE_RUN,
)
def event_market_map_versions(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Follow the release of every event through the specifications of its markets."""
    with warehouse.read() as con:
        mappings, versions = map_versions(read_table(con, "marts.market_specifications"))
    try:
        assert_consistent_mapping(mappings, versions)
    except InconsistentMapping as fault:
        key = asset_key(EVENT_MARKET_MAP_VERSIONS)
        yield dg.AssetCheckResult(check_name=CONSISTENT, asset_key=key, passed=False, description=str(fault))
        raise dg.Failure(str(fault), allow_retries=False) from fault

    def write() -> dict[str, WriteReport]:
        with warehouse.write() as con:
            return {
                table.name: write_table(con, table, rows, run_id=context.run.run_id)
                for table, rows in ((EVENT_MARKET_MAP_VERSIONS, mappings), (MAPPING_VERSIONS, versions))
            }

    yield dg.AssetCheckResult(check_name=CONSISTENT, asset_key=asset_key(EVENT_MARKET_MAP_VERSIONS), passed=True)
    yield from checked(warehouse, [EVENT_MARKET_MAP_VERSIONS, MAPPING_VERSIONS], write)
