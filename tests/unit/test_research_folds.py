"""Walk-forward folds against an oracle that decides release by release, and against an outside audit of leakage."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import FOLD_SCHEMA, build_folds
from kalshi_pipeline.schemas.research import WALKFORWARD_FOLDS

pytestmark = pytest.mark.unit

START = datetime(2020, 1, 15, 13, 30, tzinfo=UTC)
HORIZONS = (10_080, 1_440, 60)
SCHEMA = pa.schema(
    {
        "release_id": pa.string(),
        "release_type": pa.string(),
        "release_group": pa.string(),
        "has_label": pa.bool_(),
        "learned_at": TIMESTAMP,
        "anchor_ts": TIMESTAMP,
        "open_time": TIMESTAMP,
        "close_time": TIMESTAMP,
        "known_at": TIMESTAMP,
    }
)
Row = dict[str, Any]


def label(
    release: str,
    anchor: datetime,
    *,
    kind: str = "CPI",
    group: str | None = None,
    learned: timedelta | None = timedelta(hours=1),
    open_for: timedelta = timedelta(days=40),
) -> Row:
    return {
        "release_id": release,
        "release_type": kind,
        "release_group": group or anchor.isoformat(),
        "has_label": learned is not None,
        "learned_at": None if learned is None else anchor + learned,
        "anchor_ts": anchor,
        "open_time": anchor - open_for,
        "close_time": anchor,
        "known_at": anchor - open_for,
    }


def monthly(count: int, kind: str = "CPI", **more: Any) -> list[Row]:
    return [label(f"{kind}:{n:03d}", START + timedelta(days=30 * n), kind=kind, **more) for n in range(count)]


def folds(labels: list[Row], rules: FoldRules) -> tuple[list[Row], dict[str, str]]:
    table, sentences = build_folds(pa.Table.from_pylist(labels, schema=SCHEMA), rules)
    assert table.schema == FOLD_SCHEMA
    return table.to_pylist(), sentences


def by_fold(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["role"] != "not_built":
            found[row["fold_id"]].append(row)
    return found


def block_of(rows: list[Row]) -> list[str]:
    return [row["release_id"] for row in rows if row["role"] == "test"]


# --- the oracle: one pool, plain lists, one decision at a time ---


def first_asof(row: Row) -> datetime:
    candidates = [row["anchor_ts"] - timedelta(minutes=minutes) for minutes in HORIZONS]
    open_then = [asof for asof in candidates if max(row["open_time"], row["known_at"]) <= asof <= row["close_time"]]
    return min(open_then, default=row["anchor_ts"])


def after_rule(groups: list[list[Row]], instant: datetime, purge: timedelta, gap: int) -> tuple[list[int], list[int]]:
    """Indices of the groups that stay and of the groups dropped as the gap."""
    allowed = [n for n, group in enumerate(groups) if all(row["learned_at"] <= instant - purge for row in group)]
    return allowed[: max(len(allowed) - gap, 0)], allowed[max(len(allowed) - gap, 0) :]


def oracle(labels: list[Row], rules: FoldRules, purge: timedelta) -> dict[tuple[int, str], str]:
    """Role by fold number and release; only of folds that can be built."""
    together: dict[str, list[Row]] = defaultdict(list)
    for row in labels:
        if row["has_label"]:
            together[row["release_group"]].append(row)
    groups = sorted(together.values(), key=lambda group: min(row["anchor_ts"] for row in group))
    roles: dict[tuple[int, str], str] = {}
    number, start, begun = 0, 0, False
    while start < len(groups):
        block = groups[start : start + rules.test_groups]
        instant = min(first_asof(row) for group in block for row in group)
        train, dropped = after_rule(groups[:start], instant, purge, rules.embargo_events)
        begun = begun or len(train) >= rules.min_train_groups
        if not begun:
            start += 1
            continue
        if len(block) == rules.test_groups and len(train) >= rules.min_train_groups:
            role = {n: "purged" for n in range(start)} | {n: "embargoed" for n in dropped}
            role |= {n: "test" for n in range(start, start + rules.test_groups)}
            cut = len(train) * 4 // 5
            inner, validation = train[:cut], train[cut:]
            inner_instant = min(first_asof(row) for n in validation for row in groups[n])
            kept, _ = after_rule([groups[n] for n in inner], inner_instant, purge, max(1, rules.embargo_events))
            if len(kept) >= 5:
                role |= {n: "inner_purged" for n in inner} | {n: "inner_val" for n in validation}
                role |= {inner[n]: "inner_train" for n in kept}
            else:
                role |= {n: "train" for n in train}
            roles |= {(number, row["release_id"]): what for n, what in role.items() for row in groups[n]}
        if len(block) < rules.test_groups:
            break
        start, number = start + rules.step_groups, number + 1
    return roles


# --- random calendars ---


@st.composite
def calendars(draw: st.DrawFn) -> list[Row]:
    """10 to 60 groups of one to three tied ladders on one to three releases, labels learned up to three months late."""
    labels: list[Row] = []
    anchor = START
    for number in range(draw(st.integers(10, 60))):
        anchor += timedelta(hours=draw(st.sampled_from([1, 24, 30, 24 * 7, 24 * 30])))
        shared = draw(st.integers(1, 3))
        for tie in range(draw(st.sampled_from([1, 1, 2, 3]))):
            late = draw(st.sampled_from([1, 1, 9, 24, 24 * 10, 24 * 90]))
            opened = draw(st.sampled_from([timedelta(minutes=30), timedelta(hours=36), timedelta(days=40)]))
            learned = None if draw(st.integers(0, 9)) == 0 else timedelta(hours=late)
            labels.append(
                label(f"{number:02d}/{tie % shared}", anchor, group=f"g{number:02d}", learned=learned, open_for=opened)
            )
    return draw(st.permutations(labels))


@st.composite
def fold_rules(draw: st.DrawFn) -> FoldRules:
    return FoldRules(
        HORIZONS,
        min_train_groups=draw(st.integers(1, 20)),
        test_groups=draw(st.integers(1, 8)),
        step_groups=draw(st.integers(1, 8)),
        embargo_events=draw(st.integers(0, 10)),
        purge_days={"CPI": draw(st.sampled_from([0, 1, 3, 20]))},
    )


def purge_of(rules: FoldRules) -> timedelta:
    return timedelta(days=rules.purge_days["CPI"])


@settings(max_examples=80, deadline=None)
@given(labels=calendars(), rules=fold_rules())
def test_roles_are_those_decided_one_release_at_a_time(labels: list[Row], rules: FoldRules) -> None:
    rows, _ = folds(labels, rules)
    got = {(row["fold_number"], row["release_id"]): row["role"] for row in rows if row["role"] != "not_built"}
    assert got == oracle(labels, rules, purge_of(rules))


@settings(max_examples=80, deadline=None)
@given(labels=calendars(), rules=fold_rules())
def test_no_role_overlaps_and_no_gap_is_shorter_than_planned(labels: list[Row], rules: FoldRules) -> None:
    rows, _ = folds(labels, rules)
    assert len({(row["fold_id"], row["release_id"]) for row in rows}) == len(rows)
    for fold in by_fold(rows).values():
        roles_of_group = defaultdict(set)
        for row in fold:
            roles_of_group[row["release_group"]].add(row["role"])
        assert all(len(roles) == 1 for roles in roles_of_group.values()), "a release group was split"
        one = fold[0]
        train = [row for row in fold if row["is_train"]]
        assert len({row["release_group"] for row in train}) == one["train_groups"] >= rules.min_train_groups
        assert one["t_fold"] == min(row["first_asof"] for row in fold if row["role"] == "test")
        assert one["actual_gap_groups"] >= one["planned_gap_groups"] == rules.embargo_events
        assert one["actual_gap_seconds"] >= one["planned_gap_seconds"] == purge_of(rules).total_seconds()
        assert max(row["learned_at"] for row in train) + purge_of(rules) <= one["t_fold"]
        inner = [row for row in train if row["role"] != "train"]
        assert bool(one["inner_fallback_reason"]) == (not inner)
        if inner:
            assert len({row["release_group"] for row in inner if row["role"] == "inner_train"}) >= 5
            assert one["inner_actual_gap_groups"] >= one["inner_planned_gap_groups"] == max(1, rules.embargo_events)
            assert one["inner_actual_gap_seconds"] >= one["inner_planned_gap_seconds"]


@settings(max_examples=40, deadline=None)
@given(labels=calendars(), rules=fold_rules())
def test_an_outside_audit_finds_no_leaky_label(labels: list[Row], rules: FoldRules) -> None:
    diagnostics = pytest.importorskip("purgedcv.diagnostics", reason="purgedcv is not installed")
    rows, _ = folds(labels, rules)
    for fold in by_fold(rows).values():
        frame = pd.DataFrame(fold)
        times = {"prediction_times": frame["first_asof"], "evaluation_times": frame["learned_at"]}
        groups = frame["release_group"].to_numpy()
        splits = [(frame["is_train"], frame["role"] == "test")]
        splits.append((frame["role"] == "inner_train", frame["role"] == "inner_val"))
        for train, test in splits:
            train_rows, test_rows = np.flatnonzero(train), np.flatnonzero(test)
            diagnostics.assert_no_temporal_leakage(train_rows, test_rows, **times, purge_horizon=purge_of(rules))
            diagnostics.assert_groups_disjoint(train_rows, test_rows, groups)


def test_the_outside_audit_does_catch_a_label_known_too_late() -> None:
    purgedcv = pytest.importorskip("purgedcv", reason="purgedcv is not installed")
    rows, _ = folds(monthly(70), FoldRules(HORIZONS))
    frame = pd.DataFrame(rows).query("fold_id == 'CPI-000'").reset_index(drop=True)
    train, test = np.flatnonzero(frame["is_train"]), np.flatnonzero(frame["role"] == "test")
    late = frame["learned_at"].mask(frame.index == train[-1], frame["t_fold"] - timedelta(days=2))
    with pytest.raises(purgedcv.TemporalLeakageError):
        purgedcv.diagnostics.assert_no_temporal_leakage(
            train, test, frame["first_asof"], late, purge_horizon=timedelta(days=3)
        )


# --- statements, one at a time ---


def test_the_order_of_the_labels_does_not_matter() -> None:
    labels = monthly(70) + monthly(65, "GDP")
    assert folds(labels, FoldRules(HORIZONS)) == folds(labels[::-1], FoldRules(HORIZONS))


def test_later_releases_do_not_change_the_folds_before_them() -> None:
    for count in range(61, 90):
        short = by_fold(folds(monthly(count), FoldRules(HORIZONS))[0])
        long = by_fold(folds(monthly(120), FoldRules(HORIZONS))[0])
        assert short and short == {fold: long[fold] for fold in short}


def test_default_folds_train_on_forty_groups_or_more_and_test_on_the_next_twenty() -> None:
    rows, sentences = folds(monthly(101), FoldRules(HORIZONS))
    assert [(fold[0]["train_groups"], block_of(fold)[0], block_of(fold)[-1]) for fold in by_fold(rows).values()] == [
        (40, "CPI:041", "CPI:060"),
        (60, "CPI:061", "CPI:080"),
        (80, "CPI:081", "CPI:100"),
    ]
    assert sentences == {
        "CPI": "CPI: 3 folds: 40 to 80 to train on and 20 to test on, of 101 release groups with an outcome."
    }


def test_folds_are_built_per_release_type_and_each_purges_by_its_own_days() -> None:
    rows, _ = folds(monthly(61) + monthly(61, "FOMC") + monthly(61, "RATES"), FoldRules(HORIZONS))
    days = {row["pool"]: row["planned_gap_seconds"] / 86_400 for row in rows}
    assert days == {"CPI": 3, "FOMC": 1, "RATES": 2}
    assert all(row["release_type"] == row["pool"] for row in rows)


def test_a_pooled_scheme_keeps_releases_of_one_instant_together_and_purges_by_the_longest_days() -> None:
    labels = monthly(61, "UNEMPLOYMENT") + monthly(61, "PAYROLLS") + monthly(20, "CPI")
    rows, sentences = folds(labels, FoldRules(HORIZONS, pooled=True))
    assert list(sentences) == ["ALL"]
    assert {row["planned_gap_seconds"] for row in rows} == {3 * 86_400}
    (fold,) = by_fold(rows).values()
    assert {row["release_id"].split(":")[0] for row in fold if row["role"] == "test"} == {"UNEMPLOYMENT", "PAYROLLS"}
    assert len(block_of(fold)) == 40 and fold[0]["test_groups"] == 20


def test_a_label_known_only_weeks_later_purges_its_group() -> None:
    labels = monthly(63)
    labels[38] |= {"learned_at": labels[38]["anchor_ts"] + timedelta(days=200)}
    (fold,) = by_fold(folds(labels, FoldRules(HORIZONS))[0]).values()
    assert [row["release_id"] for row in fold if row["role"] == "purged"] == ["CPI:038"]
    assert [row["release_id"] for row in fold if row["role"] == "embargoed"] == ["CPI:041"]


def test_the_purge_counts_from_the_first_features_of_the_test_block_not_from_its_release() -> None:
    daily = [label(f"{n:03d}", START + timedelta(days=n), kind="WEATHER") for n in range(90)]
    for horizons, purged in (((60,), 1), ((1_440,), 2), ((10_080,), 8)):
        fold = by_fold(folds(daily, FoldRules(horizons))[0])["WEATHER-000"]
        assert fold[0]["purged_groups"] == purged


def test_a_ladder_that_opened_yesterday_has_no_features_a_week_ago() -> None:
    opened = timedelta(hours=38)
    daily = [label(f"{n:03d}", START + timedelta(days=n), kind="WEATHER", open_for=opened) for n in range(90)]
    fold = by_fold(folds(daily, FoldRules(HORIZONS))[0])["WEATHER-000"]
    assert fold[0]["purged_groups"] == 2


def test_one_ladder_without_an_outcome_does_not_cost_its_release() -> None:
    labels = monthly(61)
    labels.append({**labels[10], "has_label": False, "learned_at": None})
    rows, sentences = folds(labels, FoldRules(HORIZONS))
    assert len(by_fold(rows)) == 1 and "without an outcome left out" not in sentences["CPI"]


def test_too_few_releases_give_no_fold_and_a_sentence() -> None:
    rows, sentences = folds(monthly(16), FoldRules(HORIZONS))
    assert rows == []
    assert sentences["CPI"] == (
        "CPI: 0 folds from 16 release groups with an outcome: "
        "a fold needs 61 (40 to train on, 1 embargoed, 20 to test on)."
    )


def test_releases_without_an_outcome_give_no_fold_and_a_sentence() -> None:
    rows, sentences = folds(monthly(70, learned=None), FoldRules(HORIZONS))
    assert rows == []
    assert sentences["CPI"].endswith("; 70 releases without an outcome left out.")


def test_labels_never_known_in_time_give_no_fold_and_a_sentence() -> None:
    rows, sentences = folds(monthly(80, learned=timedelta(days=9_999)), FoldRules(HORIZONS))
    assert rows == []
    assert "never were 40 of them known early enough to train on" in sentences["CPI"]


def test_no_label_at_all_gives_an_empty_table() -> None:
    assert folds([], FoldRules(HORIZONS)) == ([], {})


def test_a_fold_that_cannot_be_built_is_one_row_with_its_reason() -> None:
    labels = monthly(73)
    labels += [{**labels[61], "release_id": "CPI:061b"}]
    rows, sentences = folds(labels, FoldRules(HORIZONS))
    (row,) = [row for row in rows if row["role"] == "not_built"]
    assert (row["release_id"], row["fold_number"], row["is_train"]) == ("CPI:061", 1, False)
    assert row["not_built_reason"] == "only 12 of 20 release groups to test on"
    assert "; 1 fold not built (only 12 of 20 release groups to test on)" in sentences["CPI"]


def test_a_block_whose_features_begin_too_early_is_not_built_and_the_next_one_is() -> None:
    months = [
        label(f"CPI:{n:03d}", START + timedelta(days=30 * n), open_for=timedelta(days=200 if n == 8 else 1))
        for n in range(11)
    ]
    horizons = (150 * 1440, 60)
    rows, sentences = folds(months, FoldRules(horizons, min_train_groups=5, test_groups=1, step_groups=1))
    reasons = {row["release_id"]: row["not_built_reason"] for row in rows if row["role"] in ("test", "not_built")}
    assert reasons == {
        "CPI:006": None,
        "CPI:007": None,
        "CPI:008": "only 2 of 5 release groups to train on",
        "CPI:009": None,
        "CPI:010": None,
    }
    assert "1 fold not built (only 2 of 5 release groups to train on)" in sentences["CPI"]


def test_the_inner_gap_is_not_shortened_when_little_remains() -> None:
    """Ten training groups, an embargo of five: three remain before the cut, and the split is given up."""
    rules = FoldRules(HORIZONS, min_train_groups=10, test_groups=1, step_groups=1, embargo_events=5)
    rows, _ = folds(monthly(16), rules)
    fold = by_fold(rows)["CPI-000"]
    assert fold[0]["inner_fallback_reason"] == (
        "only 3 of 5 release groups for inner training, after purging and a gap of 5"
    )
    assert (fold[0]["inner_planned_gap_groups"], fold[0]["inner_actual_gap_groups"]) == (5, 5)
    assert {row["role"] for row in fold if row["is_train"]} == {"train"}


def test_a_single_training_group_leaves_none_to_train_inside() -> None:
    rows, _ = folds(monthly(4), FoldRules(HORIZONS, min_train_groups=1, test_groups=1, step_groups=1, embargo_events=0))
    fold = by_fold(rows)["CPI-000"]
    assert fold[0]["inner_fallback_reason"].startswith("only 0 of 5")
    assert fold[0]["inner_actual_gap_seconds"] is None


@settings(max_examples=20, deadline=None)
@given(labels=calendars(), rules=fold_rules())
def test_the_rows_fit_their_table(labels: list[Row], rules: FoldRules) -> None:
    assert FOLD_SCHEMA.names == list(WALKFORWARD_FOLDS.columns)
    table = build_folds(pa.Table.from_pylist(labels, schema=SCHEMA), rules).table
    WALKFORWARD_FOLDS.frame_schema.validate(table.to_pandas(), lazy=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_train_groups": 0},
        {"step_groups": 0},
        {"embargo_events": -1},
        {"inner_train_share": 1.0},
        {"default_purge_days": -1},
        {"purge_days": {"CPI": -3}},
    ],
)
def test_a_rule_out_of_range_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).removeprefix("default_")):
        FoldRules(HORIZONS, **wrong)
