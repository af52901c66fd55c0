"""Days of candles and trades that no run has landed are named, between the first and the last that have."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.defs.day_gaps import DAY_GAP_CHECKS
from kalshi_pipeline.landing.gaps import days_missed
from kalshi_pipeline.landing.manifests import Manifest
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.settings import Settings

pytestmark = pytest.mark.unit

FIRST = date(2026, 6, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@given(st.sets(st.integers(0, 40)))
def test_missed_and_landed_days_are_one_unbroken_range(numbers: set[int]) -> None:
    missed = days_missed(map(day, numbers), 41)
    between = range(min(numbers), max(numbers) + 1) if numbers else range(0)
    assert missed == [day(number) for number in between if number not in numbers]


def test_days_long_before_the_newest_were_never_wanted() -> None:
    assert days_missed([day(0), day(58), day(61)], 60) == [day(59), day(60)]
    assert days_missed([day(0), day(99)], 60) == []


@pytest.mark.parametrize("missing", [False, True])
def test_the_check_of_each_fact_names_the_days(tmp_path: Path, missing: bool) -> None:
    settings = Settings(data_dir=tmp_path)
    store = LandingStore(settings.landing_dir)
    for dataset, number in [(name, n) for name in ("candles", "trades") for n in range(4)]:
        if not (missing and dataset == "trades" and number in (1, 2)):
            store.write_manifest(Manifest(dataset, day(number).isoformat(), True, "run", "2026-06-10T00:00:00+00:00"))
    definitions = dg.Definitions(
        assets=[dg.AssetSpec(["raw", name]) for name in ("candles", "trades")],
        asset_checks=DAY_GAP_CHECKS,
        jobs=[dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())],
        resources={"settings": settings},
        executor=dg.in_process_executor,
    )
    done = definitions.resolve_job_def("checks").execute_in_process().get_asset_check_evaluations()
    said = {result.asset_key.path[1]: result for result in done}
    assert {name: result.passed for name, result in said.items()} == {"candles": True, "trades": not missing}
    if missing:
        trades = said["trades"]
        assert trades.severity == dg.AssetCheckSeverity.WARN
        assert {name: value.value for name, value in trades.metadata.items()} == {
            "days missed": 2,
            "days": "2026-06-02, 2026-06-03",
        }
