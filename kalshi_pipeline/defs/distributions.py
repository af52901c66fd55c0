"""Distribution assets: markets into ladders, quotes as they were known into implied distributions."""

import os
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

import dagster as dg
import pyarrow as pa

from kalshi_pipeline.defs.checks import asset_key, checked, schema_check
from kalshi_pipeline.defs.method_check import method_check, method_result
from kalshi_pipeline.defs.partitions import DAILY, ONE_RUN, partition_days
from kalshi_pipeline.defs.research_tables import all_written, research_spec
from kalshi_pipeline.defs.snapshot_runs import SnapshotAccount, day_chunks, within_observed
from kalshi_pipeline.distributions.asof import observations_as_of
from kalshi_pipeline.distributions.method import COMPARED, MethodAccount
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.snapshots import compute
from kalshi_pipeline.ladders.build import build_ladders
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.research.horizons import snapshot_instants
from kalshi_pipeline.schemas.distributions import (
    IMPLIED_CELLS,
    IMPLIED_DISTRIBUTIONS,
    LADDER_LEGS,
    LADDER_QUOTES,
    LADDERS,
)
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.frames import read_table, write_table
from kalshi_pipeline.warehouse.reading import observed_until, quotes_of_legs
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.snapshots import published_snapshots
from kalshi_pipeline.warehouse.writing import WriteReport


class SnapshotConfig(dg.Config):
    """When ladders are looked at, besides the horizons of their releases.

    Attributes:
        grid_minutes: distance of the regular snapshots; 0 takes the setting (KALSHI_GRID_MINUTES), -1 takes none.
    """

    grid_minutes: int = 0

    def grid(self, settings: Settings) -> int | None:
        """The grid in minutes, ``None`` for horizons only."""
        return {0: settings.grid_minutes, -1: None}.get(self.grid_minutes, self.grid_minutes)


#: The specification of an asset of this group that writes a table.
spec_of = partial(research_spec, group="distributions")

_MARKETS = [["marts", "markets"]]
_INPUTS = [["marts", "quotes"], asset_key(LADDERS), asset_key(LADDER_LEGS)]
_SNAPSHOT_TABLES = (IMPLIED_DISTRIBUTIONS, IMPLIED_CELLS, LADDER_QUOTES)


@dg.multi_asset(
    name="ladders",
    specs=[
        spec_of(LADDERS, _MARKETS, "Sets of numeric markets that settle on one number, cut into elementary cells."),
        spec_of(
            LADDER_LEGS, _MARKETS, "Every market: its payoff interval on its ladder, or the reason why it is on none."
        ),
    ],
    check_specs=[schema_check(LADDERS), schema_check(LADDER_LEGS)],
    backfill_policy=ONE_RUN,
)
def ladders(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """Build every ladder from the current market specifications."""
    with warehouse.read() as con:
        markets = read_table(con, "marts.markets")
    built = build_ladders(markets, Registry.load())
    yield from all_written(context, warehouse, [(LADDERS, built.ladders), (LADDER_LEGS, built.legs)])


@dg.multi_asset(
    name="implied_distributions",
    specs=[
        spec_of(
            IMPLIED_DISTRIBUTIONS,
            _INPUTS,
            "One row per ladder and instant: gates with their reasons, moments and quantiles of the implied "
            "distribution (NULL where a gate failed), no-arbitrage bounds of its mean.",
        ),
        spec_of(
            IMPLIED_CELLS,
            _INPUTS,
            "One row per ladder, instant and elementary cell: its probability and its bands.",
        ),
        spec_of(
            LADDER_QUOTES,
            _INPUTS,
            "One row per ladder, instant and market: the quote as it was known, its bands, weight and repaired value.",
        ),
    ],
    check_specs=[*(schema_check(table) for table in _SNAPSHOT_TABLES), method_check()],
    partitions_def=DAILY,
    backfill_policy=ONE_RUN,
)
def implied_distributions(
    context: dg.AssetExecutionContext,
    config: SnapshotConfig,
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> Iterator[Any]:
    """Compute the snapshots of the days from quotes as they were known, and replace the days' rows."""
    days = partition_days(context)
    with warehouse.read() as con:
        known_ladders = read_table(con, "research.ladders")
        known_legs = read_table(con, "research.ladder_legs")
        until = observed_until(con, days)
    account, method = SnapshotAccount(), MethodAccount()

    def instants_of(some: Sequence[date]) -> pa.Table:
        grid, horizons = config.grid(settings), settings.horizons_minutes
        instants = snapshot_instants(known_ladders, some, grid_minutes=grid, horizons_minutes=horizons)
        return within_observed(instants, until)

    def write() -> dict[str, WriteReport]:
        totals = {table.name: WriteReport.empty(table) for table in _SNAPSHOT_TABLES}
        for chunk_days, chunk in day_chunks(instants_of, days, known_ladders):
            with warehouse.read() as con:
                observations = observations_as_of(known_legs, chunk, partial(quotes_of_legs, con))
                published = published_snapshots(con, chunk_days, COMPARED)
            made = compute(known_ladders, known_legs, observations, Rules(), threads=os.cpu_count() or 1)
            account.add(made)
            method.add(published, made.distributions)
            with warehouse.write() as con:
                for table, rows in zip(_SNAPSHOT_TABLES, made, strict=True):
                    totals[table.name] += write_table(
                        con, table, rows, partitions=chunk_days, run_id=context.run.run_id
                    )
        return totals

    def metadata() -> dict[str, dict[str, Any]]:
        return {IMPLIED_DISTRIBUTIONS.name: account.as_metadata(len(days), known_legs)}

    yield from checked(warehouse, _SNAPSHOT_TABLES, write, metadata, days)
    yield method_result(method)
