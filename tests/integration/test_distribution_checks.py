"""Each check of published snapshots passes on what the pipeline makes and fires on what is planted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pytest

from kalshi_pipeline.defs import method_check
from kalshi_pipeline.defs.distribution_checks import RULES, broken_rows
from kalshi_pipeline.distributions import method, publish, snapshots
from kalshi_pipeline.schemas.distributions import LADDER_LEGS
from tests.integration.snapshot_warehouse import SnapshotWarehouse, checks_of, quote
from tests.unit.distribution_kit import thresholds

pytestmark = pytest.mark.integration

DAY = datetime(2026, 7, 6, tzinfo=UTC)
MARKETS = thresholds([2.8, 3.0, 3.2, 3.4, 3.6], close_time=DAY + timedelta(days=1, hours=12))
#: Means of the markets: not monotone, so that weights matter.
VALUES = (0.9, 0.7, 0.72, 0.3, 0.1)


def quotes() -> list[dict[str, Any]]:
    """Quotes of every half hour of two days; on the second day three hours are missing."""
    rows = []
    for half_hour in range(96):
        at = DAY + timedelta(minutes=15 + 30 * half_hour)
        for leg, (market, value) in enumerate(zip(MARKETS, VALUES, strict=True)):
            half = 0.02 if leg % 2 else 0.01
            shift = 0.02 * np.sin(half_hour / 5 + leg)
            if not 60 <= half_hour < 66:
                rows.append(quote(market["ticker"], at, round(value + shift - half, 2), round(value + shift + half, 2)))
    return rows


#: The number came out as 3.2, so the markets above 2.8 and 3.0 settled yes.
SETTLED = """
insert into marts.event_outcomes values ('KXCPIYOY-26JUN', 3.2, true, timestamptz '2026-07-08 12:30:00+00');
insert into marts.market_settlements
select ticker, case when floor_strike < 3.2 then 'yes' else 'no' end from research.ladder_legs;
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotWarehouse]:
    with SnapshotWarehouse.at(tmp_path_factory.mktemp("checks"), MARKETS, quotes()) as warehouse:
        warehouse.execute(SETTLED)
        warehouse.run(DAY.date(), DAY.date() + timedelta(days=1))
        yield warehouse


def test_what_the_pipeline_makes_passes_every_check(made: SnapshotWarehouse) -> None:
    result = made.run(DAY.date(), DAY.date() + timedelta(days=1))
    found = checks_of(result)
    of_these_assets = {rule.name for rule in RULES if rule.table is not LADDER_LEGS}
    assert of_these_assets | {"schema", "method"} == set(found)
    assert all(check.passed for check in found.values())
    assert made.value("select count(*) from research.implied_distributions where hard_gate_failed") > 0
    assert made.value("select count(*) from research.distribution_distances where js is not null") > 10


PLANTED = {
    "no_violation_after_repair": [
        "update research.implied_distributions set violations_post = 1 where {one}",
        "update research.implied_cells set survival = survival + 0.01 where cell_index = 2 and {one}",
        "update research.implied_cells set probability = probability / 2 where cell_index = 1 and {one}",
        "delete from research.implied_cells where cell_index = 1 and {one}",
    ],
    "failed_snapshots_say_nothing": [
        "update research.implied_distributions set mean = 3.1 where hard_gate_failed",
        "update research.implied_distributions set q90_edge = 3.1 where hard_gate_failed",
        "update research.implied_distributions set tail_probabilities = [0.5] where hard_gate_failed",
    ],
    "gates_have_reasons": [
        "update research.implied_distributions set gate_reasons = [] where hard_gate_failed",
        "update research.implied_distributions set coverage = 0.79 where {one}",
        "update research.implied_distributions set hard_gate_failed = true where {one}",
    ],
    "one_probability_per_threshold": [
        "update research.implied_distributions set tail_probabilities = [0.5, 0.4, 0.3, 0.2] where {one}",
        "update research.implied_distributions set tail_probabilities = [0.5, 0.6, null] where {one}",
    ],
    "no_quote_from_the_future": [
        """update research.ladder_quotes set available_ts = "asof" + interval 1 second where {one}""",
    ],
    "results_lie_where_markets_pay": [
        "update marts.market_settlements set outcome_kind = 'no' where outcome_kind = 'yes'",
        "update research.ladder_legs set low_cut = low_cut + 0.2 where strike_type = 'greater'",
        "update research.ladder_legs set low_cut = null, high_cut = low_cut where floor_strike = 3.0",
    ],
    "distances_hold": [
        "update research.distribution_distances set js = null where {one}",
        "update research.distribution_distances set wasserstein = abs(mean_change) / 2 where {one}",
        "update research.distribution_distances set earlier_asof = earlier_asof + interval 1 hour where {one}",
        "update research.implied_distributions set hard_gate_failed = true where {one}",
    ],
}
ONE = """ "asof" = timestamptz '2026-07-07 04:00:00+00' """


def test_every_rule_is_planted() -> None:
    assert set(PLANTED) == {rule.name for rule in RULES}


@pytest.mark.parametrize(("name", "change"), [(name, change) for name in PLANTED for change in PLANTED[name]])
def test_a_planted_fault_is_found(made: SnapshotWarehouse, name: str, change: str) -> None:
    (rule,) = (rule for rule in RULES if rule.name == name)
    with made.warehouse.write() as con:
        assert broken_rows(con, rule) == (0, "")
        con.execute(change.format(one=ONE))
        rows, first = broken_rows(con, rule)
        assert rows >= 1
        assert first.startswith("KXCPIYOY-26JUN at 2026-07-0")
        con.rollback()
        con.begin()


def test_violations_after_the_repair_warn_and_stop_nothing(made: SnapshotWarehouse) -> None:
    """The check's own way through Dagster: the snapshot counts a violation, the run goes on."""
    made.execute("update research.implied_distributions set violations_post = 2 where partition_date = '2026-07-07'")
    result = made.run(DAY.date())
    found = checks_of(result)["no_violation_after_repair"]
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN
    assert "2 counted when it was made" in str(found.description)
    made.run(DAY.date() + timedelta(days=1))


def equal_weights(bands: Any, age: Any, cutoff: Any, rules: Any) -> Any:
    """A planted change of the method: every target counts alike."""
    return np.where(np.isnan(bands.mid), 0.0, 1.0)


@pytest.mark.parametrize("version", [method.METHOD_VERSION, "next"])
def test_a_changed_method_shows_how_far_the_means_moved(
    made: SnapshotWarehouse, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    day = DAY.date()
    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "repair_weights", equal_weights)
        for module in (publish, method, method_check):
            patched.setattr(module, "METHOD_VERSION", version)
        found = checks_of(made.run(day))["method"]
        again = checks_of(made.run(day))["method"]
    made.run(day)
    assert not found.passed
    said = str(found.description)
    assert "means moved, by up to" in said
    assert "standard deviations (KXCPIYOY-26JUN at 2026-07-06" in said
    moved = found.metadata[f"version {method.METHOD_VERSION}: means moved"].value
    assert moved and moved <= found.metadata[f"version {method.METHOD_VERSION}: compared"].value
    if version == method.METHOD_VERSION:
        assert found.severity == dg.AssetCheckSeverity.ERROR
        assert "Change METHOD_VERSION" in said
    else:
        assert found.severity == dg.AssetCheckSeverity.WARN
        assert said.startswith(f"Since version {method.METHOD_VERSION}: ")
    assert again.passed, "the same method over its own rows moves nothing"


def test_other_quotes_are_no_change_of_method(made: SnapshotWarehouse) -> None:
    """A late row moves the means of its instants, and the method is not to blame."""
    day = DAY.date()
    at = DAY + timedelta(hours=8, minutes=50)
    before = made.value("select count(mean) from research.implied_distributions where partition_date = '2026-07-06'")
    made.add_quotes([quote(MARKETS[2]["ticker"], at, 0.5, 0.52)])
    found = checks_of(made.run(day))["method"]
    assert found.passed
    assert found.metadata[f"version {method.METHOD_VERSION}: of other quotes"].value == 1
    assert before > 10
    made.execute(f"delete from marts.quotes where available_ts = timestamptz '{at.isoformat()}'")
    made.run(day)
