"""The mapping of events to releases as assets: every version of it, and the register of versions."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key, schema_check
from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.defs.research_tables import all_written, research_spec
from kalshi_pipeline.research.mappings import InconsistentMapping, assert_consistent_mapping, map_versions
from kalshi_pipeline.schemas.research import EVENT_MARKET_MAP_VERSIONS, MAPPING_VERSIONS
from kalshi_pipeline.warehouse.frames import read_table
from kalshi_pipeline.warehouse.resource import Warehouse

CONSISTENT = "mapping_is_consistent"
_INPUTS = [["marts", "market_specifications"]]


@dg.multi_asset(
    name="event_market_map_versions",
    specs=[
        research_spec(
            EVENT_MARKET_MAP_VERSIONS,
            _INPUTS,
            "The release every event settles on, as that was known: a market that is listed or moved can move the "
            "release, and a new version closes the one before.",
        ),
        research_spec(
            MAPPING_VERSIONS,
            _INPUTS,
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

    yield dg.AssetCheckResult(check_name=CONSISTENT, asset_key=asset_key(EVENT_MARKET_MAP_VERSIONS), passed=True)
    made = [(EVENT_MARKET_MAP_VERSIONS, mappings), (MAPPING_VERSIONS, versions)]
    yield from all_written(context, warehouse, made)
