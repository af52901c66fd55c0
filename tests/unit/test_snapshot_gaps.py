"""Snapshots that were due and not taken are counted, day by day; nothing is due before the first or after the last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kalshi_pipeline.defs.snapshot_gaps import SNAPSHOT_GAP_CHECKS
from kalshi_pipeline.landing.collect import land_quotes
from kalshi_pipeline.landing.gaps import Ticks, ticks_of
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.settings import Settings
from tests.exchange_double import Exchange, at

pytestmark = pytest.mark.unit

QUARTER = timedelta(minutes=15)
FIRST = datetime(2026, 6, 1, 23, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def collect(settings: Settings, *instants: datetime) -> LandingStore:
    """Snapshots of the quotes of two series at some instants, entered as order books too."""
    store, exchange = LandingStore(settings.landing_dir), Exchange()
    for series in ("KXA", "KXB"):
        exchange.list(f"{series}-1-T0", "2026-06-01T00:00", "2026-06-10T00:00", series=series)
    for instant in instants:
        exchange.now = instant
        with exchange.client() as client:
            land_quotes(client, store, ["KXA", "KXB"], [instant.date()], run_id=f"run-{instant}")
    for day in store.partitions("quotes"):
        if manifest := store.manifest("quotes", day):
            store.write_manifest(replace(manifest, dataset="orderbooks"))
    return store


def found(store: LandingStore, dataset: str = "quotes", every: timedelta = QUARTER) -> Ticks:
    return ticks_of([m for day in store.partitions(dataset) if (m := store.manifest(dataset, day))], every)


def test_ticks_between_the_first_and_the_last_snapshot_are_due(settings: Settings) -> None:
    late = timedelta(minutes=14, seconds=59)
    store = collect(settings, FIRST, FIRST + QUARTER + late, FIRST + 5 * QUARTER)
    assert found(store) == Ticks(6, (FIRST + 2 * QUARTER, FIRST + 3 * QUARTER, FIRST + 4 * QUARTER))


def test_one_snapshot_or_none_has_missed_nothing(settings: Settings) -> None:
    assert found(collect(settings)) == Ticks(0, ())
    assert found(collect(settings, FIRST)) == Ticks(1, ())


def test_a_past_day_without_snapshots_lies_within_the_gap(settings: Settings) -> None:
    store = collect(settings, FIRST, FIRST + timedelta(days=2))
    with Exchange(now=at("2026-06-05")).client() as client:
        land_quotes(client, store, ["KXA"], [date(2026, 6, 2)], run_id="later")
    assert len(found(store).missed) == 2 * 96 - 1


@pytest.mark.parametrize("missing", [False, True])
def test_the_check_of_each_snapshot_counts_what_was_missed_by_day(settings: Settings, missing: bool) -> None:
    ticks = [FIRST + n * QUARTER for n in range(9) if not (missing and 0 < n < 8)]
    collect(settings, *ticks)
    said = {result.asset_key.path[1]: result for result in evaluated(settings)}
    assert {name: result.passed for name, result in said.items()} == {"quotes": not missing, "orderbooks": not missing}
    if missing:
        assert all(result.severity == dg.AssetCheckSeverity.WARN for result in said.values())
        quotes = {name: value.value for name, value in said["quotes"].metadata.items()}
        assert quotes == {"ticks due": 9, "ticks missed": 7, "missed on 2026-06-01": 3, "missed on 2026-06-02": 4}
        assert said["orderbooks"].metadata["ticks missed"].value == 1


def evaluated(settings: Settings) -> list[Any]:
    """What the checks say when Dagster runs them."""
    tables = [dg.AssetSpec(["raw", name]) for name in ("quotes", "orderbooks")]
    definitions = dg.Definitions(
        assets=tables,
        asset_checks=SNAPSHOT_GAP_CHECKS,
        jobs=[dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())],
        resources={"settings": settings},
        executor=dg.in_process_executor,
    )
    return definitions.resolve_job_def("checks").execute_in_process().get_asset_check_evaluations()
