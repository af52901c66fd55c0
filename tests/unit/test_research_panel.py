"""The event panel: rows at exactly anchor less horizon, missing values that say why, changes looked up by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.distributions.tables import DISTANCE_SCHEMA, DISTRIBUTION_SCHEMA
from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.distance_features import DISTANCES
from kalshi_pipeline.research.panel import FEATURES, PANEL_SCHEMA, build_panel
from kalshi_pipeline.research.releases import RELEASE_SCHEMA
from kalshi_pipeline.schemas.research import EVENT_FEATURE_PANEL

pytestmark = pytest.mark.unit

ANCHOR = datetime(2026, 7, 14, 12, 30, tzinfo=UTC)
HORIZONS = (1_440, 240, 60)
ACTIVITY = pa.schema({"ladder_id": pa.string(), "asof": TIMESTAMP, "updates": pa.int64(), "active_markets": pa.int64()})
Row = dict[str, Any]


def release(ladder: str = "E", anchor: datetime = ANCHOR, opened: timedelta = timedelta(days=30)) -> Row:
    texts = {"ladder_id": ladder, "event_ticker": ladder, "series_ticker": "KXCPI", "unit": "percent"}
    where = {"release_id": f"CPI:{ladder}", "release_type": "CPI", "release_group": ladder, "climate_day": None}
    times = {"open_time": anchor - opened, "known_at": anchor - opened, "close_time": anchor}
    return {**texts, **where, **times, "anchor_ts": anchor, "release_ts": anchor}


def snapshot(horizon: int, ladder: str = "E", anchor: datetime = ANCHOR, **values: Any) -> Row:
    asof = anchor - timedelta(minutes=horizon)
    passed = {"mean": 3.0, "std": 0.2, "variance": 0.04, "entropy": 1.5, "mean_low": 2.0, "mean_high": 4.0}
    row: Row = dict.fromkeys(DISTRIBUTION_SCHEMA.names)
    row |= {"ladder_id": ladder, "asof": asof, "hard_gate_failed": False, "gate_reasons": [], "n_legs": 10}
    row |= {"method_version": "1", "quality_score": 0.9, "violations_pre": 2, **passed, **values}
    return row


def distance(horizon: int, lag: str, value: float, older: timedelta, ladder: str = "E") -> Row:
    asof = ANCHOR - timedelta(minutes=horizon)
    row: Row = dict.fromkeys(DISTANCE_SCHEMA.names)
    measures = {"kl": value, "js": value / 2, "wasserstein": value / 4}
    return {**row, "ladder_id": ladder, "asof": asof, "lag": lag, "earlier_asof": asof - older, **measures}


def panel(
    releases: list[Row],
    snapshots: list[Row],
    activity: Sequence[Row] = (),
    horizons: Sequence[int] = HORIZONS,
    distances: Sequence[Row] = (),
) -> list[Row]:
    table = build_panel(
        pa.Table.from_pylist(releases, schema=RELEASE_SCHEMA),
        pa.Table.from_pylist(snapshots, schema=DISTRIBUTION_SCHEMA),
        pa.Table.from_pylist(list(activity), schema=ACTIVITY),
        pa.Table.from_pylist(list(distances), schema=DISTANCE_SCHEMA),
        horizons,
    )
    assert table.schema == PANEL_SCHEMA
    EVENT_FEATURE_PANEL.frame_schema.validate(table.to_pandas())
    return table.to_pylist()


def at(rows: list[Row], horizon: int) -> Row:
    (row,) = [row for row in rows if row["horizon_minutes"] == horizon]
    return row


def test_every_horizon_has_a_row_at_exactly_its_distance_from_the_anchor() -> None:
    rows = panel([release()], [snapshot(60), snapshot(240)])
    assert [row["horizon_minutes"] for row in rows] == sorted(HORIZONS)
    assert all(row["asof"] == ANCHOR - timedelta(minutes=row["horizon_minutes"]) for row in rows)
    assert [row["missing_reason"] for row in rows] == [None, None, "no_snapshot"]
    assert [row["minutes_to_release"] for row in rows] == [60, 240, 1_440]


def test_six_horizons_keep_six_instants_whatever_the_purge_of_their_type() -> None:
    rows = panel([release()], [], horizons=(10_080, 1_440, 240, 60, 15, 5))
    assert len({row["asof"] for row in rows}) == 6


def test_a_gated_snapshot_is_a_missing_value_with_its_reasons() -> None:
    gated = snapshot(60, hard_gate_failed=True, gate_reasons=["coverage_low"])
    row = at(panel([release()], [gated], [{"ladder_id": "E", "asof": gated["asof"], "updates": 5}]), 60)
    assert (row["missing_reason"], row["gate_reasons"]) == ("gated", ["coverage_low"])
    assert all(row[name] is None for name in FEATURES)


def test_a_ladder_that_opened_later_was_not_trading() -> None:
    rows = panel([release(opened=timedelta(hours=5))], [snapshot(60)])
    assert at(rows, 1_440)["missing_reason"] == "not_trading"


def test_changes_are_against_the_nearest_earlier_horizon_that_passed_and_drift_against_the_earliest() -> None:
    rows = panel(
        [release()],
        [
            snapshot(1_440, mean=2.0, std=0.4, variance=0.16, entropy=2.0),
            snapshot(240, mean=9.0, hard_gate_failed=True),
            snapshot(60, mean=2.6, std=0.1, variance=0.04, entropy=0.5),
            snapshot(15, mean=2.7, std=0.1, variance=0.04, entropy=0.5),
        ],
        horizons=(1_440, 240, 60, 15),
    )
    first, hour, last = at(rows, 1_440), at(rows, 60), at(rows, 15)
    assert first["mean_delta"] is None and first["drift_minutes"] is None
    assert hour["delta_minutes"] == 1_380
    assert hour["mean_delta"] == pytest.approx(0.6)
    assert hour["mean_speed"] == pytest.approx(0.6 / 23)
    assert last["delta_minutes"] == 45
    assert last["mean_drift"] == pytest.approx(0.7)
    assert last["variance_collapse"] == pytest.approx(0.75)
    assert last["entropy_collapse"] == pytest.approx(0.75)


def test_distances_are_those_of_the_snapshot_at_the_instant_by_lag() -> None:
    hour, day = timedelta(minutes=70), timedelta(days=1)
    rows = panel(
        [release()],
        [snapshot(60), snapshot(240), snapshot(1_440, hard_gate_failed=True)],
        distances=[
            distance(60, "1h", 0.4, hour),
            distance(60, "1d", 0.8, day),
            distance(240, "1h", 0.2, hour),
            distance(1_440, "1h", 0.1, hour),
            distance(60, "1h", 9.0, hour, ladder="F"),
            distance(61, "1h", 9.0, hour),
        ],
    )
    told = {row["horizon_minutes"]: [row[name] for name in DISTANCES] for row in rows}
    assert DISTANCES == ("kl_1h", "js_1h", "wasserstein_1h", "kl_1d", "js_1d", "wasserstein_1d")
    assert told[60] == [0.4, 0.2, 0.1, 0.8, 0.4, 0.2]
    assert told[240] == [0.2, 0.1, 0.05, None, None, None]
    assert told[1_440] == [None] * 6


def test_a_distance_from_a_snapshot_less_than_a_lag_older_is_refused() -> None:
    young = distance(60, "1d", 0.4, timedelta(hours=23))
    with pytest.raises(ValueError, match="which is not 1d older"):
        panel([release()], [snapshot(60)], distances=[young])


def test_a_change_of_method_is_no_change_of_the_market() -> None:
    rows = panel([release()], [snapshot(240, mean=2.0), snapshot(60, mean=3.0, method_version="2")])
    assert at(rows, 60)["mean_delta"] is None and at(rows, 60)["mean_drift"] is None


def test_updates_are_told_per_hour_of_trading_and_markets_as_a_share() -> None:
    rows = [snapshot(60), snapshot(240)]
    counted = [{"ladder_id": "E", "asof": row["asof"], "updates": 48, "active_markets": 5} for row in rows]
    young = panel([release(opened=timedelta(hours=5))], rows, counted)
    assert (at(young, 60)["updates_per_hour"], at(young, 240)["updates_per_hour"]) == (12, 48)
    old = panel([release()], rows, counted)
    assert (at(old, 60)["updates_per_hour"], at(old, 60)["active_share"]) == (2, 0.5)


def test_a_snapshot_with_a_quote_of_its_future_is_refused() -> None:
    late = snapshot(60, latest_available_ts=ANCHOR - timedelta(minutes=59))
    with pytest.raises(ValueError, match="nothing after an instant"):
        panel([release()], [late])


def test_two_snapshots_of_one_instant_are_refused() -> None:
    with pytest.raises(ValueError, match="two snapshots"):
        panel([release()], [snapshot(60), snapshot(60, mean=1.0)])


@settings(max_examples=60)
@given(data=st.data())
def test_a_row_depends_on_nothing_after_its_instant_and_on_no_order(data: st.DataObject) -> None:
    releases = [release(f"E{n}", ANCHOR + timedelta(days=n)) for n in range(3)]
    snapshots = [
        snapshot(
            horizon,
            row["ladder_id"],
            row["anchor_ts"],
            mean=data.draw(st.floats(-5, 5)),
            hard_gate_failed=data.draw(st.booleans()),
            method_version=data.draw(st.sampled_from("1112")),
        )
        for row in releases
        for horizon in HORIZONS
        if data.draw(st.integers(0, 3))
    ]
    cut = ANCHOR + timedelta(minutes=data.draw(st.integers(-2_000, 5_000)))
    whole = panel(releases, data.draw(st.permutations(snapshots)))
    past = panel(releases, [row for row in snapshots if row["asof"] <= cut])
    assert [row for row in whole if row["asof"] <= cut] == [row for row in past if row["asof"] <= cut]
