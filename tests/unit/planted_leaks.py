"""Leaks that people write: each by name, how it is planted, and the proof that must catch it.

A leak is planted in a step of production (a join, the panel, what is remembered, a fit) or in what a warehouse holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.snapshots import SnapshotTables, compute
from kalshi_pipeline.research.cases import Cases
from kalshi_pipeline.research.columns import instants, timestamps
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import build_folds
from kalshi_pipeline.research.history import History, known_labels
from kalshi_pipeline.research.labels import build_labels
from kalshi_pipeline.research.models.recalibration import fit_recalibrations
from kalshi_pipeline.research.models.ridge import Ridges, fit_ridges
from kalshi_pipeline.research.panel import FEATURES, build_panel
from kalshi_pipeline.research.proofs.fits import Fits
from kalshi_pipeline.research.proofs.joins import quote_activity, quotes_as_of
from kalshi_pipeline.research.proofs.rebuild import Steps, compare_snapshots
from kalshi_pipeline.research.proofs.world import World
from tests.unit.proof_world import RULES, STEPS

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class StepLeak:
    """A leak in a step: caught by a proof at cuts through a world."""

    name: str
    proof: str
    steps: Steps


@dataclass(frozen=True)
class RowLeak:
    """A leak in stored rows: caught by an audit."""

    name: str
    audit: str
    plant: Callable[[Tables], Tables]


# --- joins ---


def _moved(world: World, by: timedelta) -> World:
    """Quotes known earlier (or later) than they were."""
    shift = np.timedelta64(by)
    at = world.quotes.column_names.index("available_ts")
    moved = timestamps(instants(world.quotes, "available_ts") + shift)
    return replace(world, quotes=world.quotes.set_column(at, "available_ts", moved))


def _earlier(by: timedelta) -> Callable[[World, pa.Table], pa.Table]:
    def join(world: World, wanted: pa.Table) -> pa.Table:
        return _stamped(quotes_as_of(_moved(world, -by), wanted))

    return join


def _stamped(observations: pa.Table) -> pa.Table:
    """Observations that claim to have been known at their instant, as such code does to get past a check."""
    at = observations.column_names.index("available_ts")
    claimed = pc.if_else(pc.is_valid(observations["available_ts"]), observations["asof"], None)
    return observations.set_column(at, "available_ts", claimed)


def _nearest_quote(world: World, wanted: pa.Table) -> pa.Table:
    ahead = quotes_as_of(_moved(world, timedelta(minutes=-45)), wanted)
    return _stamped(ahead)


def _filled_backwards(world: World, wanted: pa.Table) -> pa.Table:
    """A missing quote takes the market's next one."""
    known = quotes_as_of(world, wanted)
    later = _stamped(quotes_as_of(_moved(world, timedelta(hours=-30)), wanted))
    gap = pc.is_null(known["available_ts"])
    columns = {name: pc.if_else(gap, later[name], known[name]) for name in known.column_names}
    return pa.table(columns, schema=known.schema)


def _filled_with_the_mean_of_all(world: World, wanted: pa.Table) -> pa.Table:
    """A volume out of the ordinary takes the mean over the whole sample."""
    known = quotes_as_of(world, wanted)
    mean = pc.mean(world.quotes["volume"])
    at = known.column_names.index("volume")
    return known.set_column(at, "volume", pc.if_else(pc.greater(known["volume"], 60), mean, known["volume"]))


def _centred_mean(world: World, wanted: pa.Table) -> pa.Table:
    """Bids smoothed with what came half a day before and after."""
    known = quotes_as_of(world, wanted)
    ahead = quotes_as_of(_moved(world, timedelta(hours=-12)), wanted)
    at = known.column_names.index("yes_bid")
    middle = pc.divide(pc.add(known["yes_bid"], pc.fill_null(ahead["yes_bid"], 0.0)), 2.0)
    return known.set_column(at, "yes_bid", middle)


def _last_row(world: World, wanted: pa.Table) -> pa.Table:
    """The row that comes last in the table instead of the one known last."""
    place = pa.array(np.arange(len(world.quotes)).astype("timedelta64[us]") + np.datetime64("2025-12-31", "us"))
    at = world.quotes.column_names.index("available_ts")
    ordered = world.quotes.set_column(at, "available_ts", place.cast(pa.timestamp("us", tz="UTC")))
    return _stamped(quotes_as_of(replace(world, quotes=ordered), wanted))


def _markets_of_today(world: World, wanted: pa.Table) -> pa.Table:
    """Legs from before they were listed; only those measured are kept, but their neighbours' quotes went in."""
    at = world.legs.column_names.index("known_at")
    long_ago = timestamps(np.full(len(world.legs), np.datetime64("2025-01-01", "us")))
    everyone = replace(world, legs=world.legs.set_column(at, "known_at", long_ago))
    listed = quotes_as_of(everyone, wanted)
    count = listed.group_by(["ladder_id", "asof"]).aggregate([("leg_index", "count")])
    known = quotes_as_of(world, wanted)
    size = known.join(count, ["ladder_id", "asof"]).sort_by(
        [("ladder_id", "ascending"), ("asof", "ascending"), ("leg_index", "ascending")]
    )["leg_index_count"]
    return known.set_column(known.column_names.index("volume"), "volume", size.cast(pa.float64()))


def _lifetime_volume(world: World, wanted: pa.Table) -> pa.Table:
    known = quotes_as_of(world, wanted)
    total = world.quotes.group_by("ticker").aggregate([("volume", "sum")])
    of_leg = pc.index_in(known["ticker"], value_set=total["ticker"].combine_chunks())
    return known.set_column(known.column_names.index("volume"), "volume", total["volume_sum"].take(of_leg))


def _look_back_from_the_first_instant(world: World, wanted: pa.Table) -> pa.Table:
    """How old a quote may be depends on what else is asked for."""
    known = quotes_as_of(world, wanted)
    newest = instants(wanted, "asof").max(initial=np.datetime64("2025-01-01", "us"))
    old = pa.array(newest - instants(known, "asof") > np.timedelta64(2, "D"))
    at = known.column_names.index("yes_bid")
    return known.set_column(at, "yes_bid", pc.if_else(old, None, known["yes_bid"]))


# --- strikes and measures ---


def _strikes_of_today(ladders: pa.Table, legs: pa.Table, observations: pa.Table) -> Any:
    """Cells cut by markets that were listed later."""
    made = compute(ladders, legs, observations)
    latest = legs.group_by("ladder_id").aggregate([("low_cut", "max")])
    of_row = pc.index_in(made.distributions["ladder_id"], value_set=latest["ladder_id"].combine_chunks())
    at = made.distributions.column_names.index("cut_high")
    widest = made.distributions.set_column(at, "cut_high", latest["low_cut_max"].take(of_row))
    return made._replace(distributions=widest)


def _normalised_by_all(ladders: pa.Table, legs: pa.Table, observations: pa.Table) -> Any:
    """A quality score as its rank among all snapshots ever."""
    made = compute(ladders, legs, observations)
    rank = pc.divide(pc.rank(made.distributions["quality_score"]).cast(pa.float64()), float(len(made.distributions)))
    at = made.distributions.column_names.index("quality_score")
    return made._replace(distributions=made.distributions.set_column(at, "quality_score", rank))


def _distance_to_the_next(ladders: pa.Table, made: SnapshotTables) -> pa.Table:
    """Every snapshot against the later one of its ladder, claimed to be the earlier."""
    moved = compare_snapshots(ladders, made)
    keys = zip(moved["ladder_id"].to_pylist(), moved["lag"].to_pylist(), strict=True)
    following = {key: place for place, key in enumerate(keys)}
    last = [following[key] for key in zip(moved["ladder_id"].to_pylist(), moved["lag"].to_pylist(), strict=True)]
    at = moved.column_names.index("js")
    return moved.set_column(at, "js", moved["js"].take(pa.array(last)))


# --- activity and panel ---


def _centred_activity(world: World, wanted: pa.Table, hours: int) -> pa.Table:
    return quote_activity(_moved(world, timedelta(hours=-hours / 2)), wanted, hours)


def _activity_of_the_day(world: World, wanted: pa.Table, hours: int) -> pa.Table:
    """Changes up to the end of the instant's day."""
    return quote_activity(_moved(world, timedelta(hours=-6)), wanted, hours)


def _with_column(panel: pa.Table, name: str, values: np.ndarray[Any, Any]) -> pa.Table:
    return panel.set_column(panel.column_names.index(name), name, pa.array(values, mask=~np.isfinite(values)))


def _floats(panel: pa.Table, name: str) -> np.ndarray[Any, Any]:
    return np.asarray(panel[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _change_to_the_next(
    releases: pa.Table, made: pa.Table, activity: pa.Table, moved: pa.Table, horizons: Sequence[int]
) -> pa.Table:
    """A delta that looks forward: the next horizon's mean less this one's."""
    panel = build_panel(releases, made, activity, moved, horizons)
    mean = _floats(panel, "mean").reshape(-1, len(set(horizons)))
    ahead = np.concatenate([np.full((len(mean), 1), np.nan), mean[:, :-1]], axis=1) - mean
    return _with_column(panel, "mean_delta", ahead.ravel())


def _filled_from_the_next(
    releases: pa.Table, made: pa.Table, activity: pa.Table, moved: pa.Table, horizons: Sequence[int]
) -> pa.Table:
    """A gated horizon takes the value of the one after it."""
    panel = build_panel(releases, made, activity, moved, horizons)
    mean = _floats(panel, "mean").reshape(-1, len(set(horizons)))
    later = np.concatenate([np.full((len(mean), 1), np.nan), mean[:, :-1]], axis=1)
    return _with_column(panel, "mean", np.where(np.isnan(mean), later, mean).ravel())


def _ranked_by_all(
    releases: pa.Table, made: pa.Table, activity: pa.Table, moved: pa.Table, horizons: Sequence[int]
) -> pa.Table:
    """A feature as its distance from the mean over all releases."""
    panel = build_panel(releases, made, activity, moved, horizons)
    values = _floats(panel, "std")
    known = values[np.isfinite(values)]
    return _with_column(panel, "std", values - (known.mean() if known.size else 0.0))


def _drift_to_the_last(
    releases: pa.Table, made: pa.Table, activity: pa.Table, moved: pa.Table, horizons: Sequence[int]
) -> pa.Table:
    panel = build_panel(releases, made, activity, moved, horizons)
    mean = _floats(panel, "mean").reshape(-1, len(set(horizons)))
    return _with_column(panel, "mean_drift", (mean[:, :1] - mean).ravel())


# --- what is remembered ---


def _all_labels_known(labels: pa.Table, queries: pa.Table, window: int) -> History:
    """Outcomes in order of their anchors, whether or not they had been learned."""
    at = labels.column_names.index("learned_at")
    return known_labels(labels.set_column(at, "learned_at", labels["open_time"]), queries, window)


def _own_outcome(labels: pa.Table, queries: pa.Table, window: int) -> History:
    """A release that remembers itself."""
    later = pc.add(queries["anchor_ts"], pa.scalar(timedelta(days=1)))
    asked = queries.set_column(queries.column_names.index("anchor_ts"), "anchor_ts", later)
    asked = asked.set_column(asked.column_names.index("asof"), "asof", later)
    return known_labels(labels, asked, window)


def _climate_of_all_years(labels: pa.Table, queries: pa.Table, window: int) -> History:
    """Climatology over the whole sample."""
    rows = np.flatnonzero(labels["has_label"].to_numpy())
    return History(np.arange(len(queries) + 1) * rows.size, np.tile(rows, len(queries)))


def _known_at_the_anchor(labels: pa.Table, queries: pa.Table, window: int) -> History:
    """Outcomes as of the anchor, used at every horizon before it."""
    asked = queries.set_column(queries.column_names.index("asof"), "asof", queries["anchor_ts"])
    return known_labels(labels, asked, window)


# --- labels ---


def _revised_as_first(releases: pa.Table, outcomes: pa.Table, first: pa.Table, rejects: Any = None) -> pa.Table:
    """The newest value takes the first print's place, with the first print's moment."""
    newest = outcomes.group_by("event_ticker").aggregate([("value", "max")])
    place = pc.index_in(first["event_ticker"], value_set=newest["event_ticker"].combine_chunks())
    at = first.column_names.index("value")
    return build_labels(releases, outcomes, first.set_column(at, "value", newest["value_max"].take(place)), rejects)


def _learned_with_the_close(releases: pa.Table, outcomes: pa.Table, first: pa.Table, rejects: Any = None) -> pa.Table:
    """Results visible as soon as trading closes."""
    labels = build_labels(releases, outcomes, first, rejects)
    at = labels.column_names.index("learned_at")
    early = pc.if_else(pc.is_valid(labels["learned_at"]), labels["close_time"], None)
    return labels.set_column(at, "learned_at", early)


STEP_LEAKS = [
    StepLeak("bar known at its start", "truncation", replace(STEPS, join=_earlier(timedelta(hours=1)))),
    StepLeak("nearest quote, before or after", "truncation", replace(STEPS, join=_nearest_quote)),
    StepLeak("UTC-labelled Eastern day", "future poison", replace(STEPS, join=_earlier(timedelta(hours=5)))),
    StepLeak("missing quote filled backwards", "truncation", replace(STEPS, join=_filled_backwards)),
    StepLeak("fill with the mean of the sample", "truncation", replace(STEPS, join=_filled_with_the_mean_of_all)),
    StepLeak("centred moving average", "future poison", replace(STEPS, join=_centred_mean)),
    StepLeak("last row instead of latest quote", "row order", replace(STEPS, join=_last_row)),
    StepLeak("markets listed later", "truncation", replace(STEPS, join=_markets_of_today)),
    StepLeak("volume of the whole life", "truncation", replace(STEPS, join=_lifetime_volume)),
    StepLeak("look-back from the batch", "partitions", replace(STEPS, join=_look_back_from_the_first_instant)),
    StepLeak("join ahead of its instant", "as-of joins", replace(STEPS, join=_earlier(timedelta(minutes=61)))),
    StepLeak("late quote seen before it came", "late arrival", replace(STEPS, join=_earlier(timedelta(minutes=2)))),
    StepLeak("strike from the future", "truncation", replace(STEPS, measure=_strikes_of_today)),
    StepLeak("rank among all snapshots", "partitions", replace(STEPS, measure=_normalised_by_all)),
    StepLeak("activity counted around the instant", "truncation", replace(STEPS, activity=_centred_activity)),
    StepLeak("activity of the whole day", "as-of joins", replace(STEPS, activity=_activity_of_the_day)),
    StepLeak("change to the next horizon", "truncation", replace(STEPS, gather=_change_to_the_next)),
    StepLeak("gated value filled from the next horizon", "truncation", replace(STEPS, gather=_filled_from_the_next)),
    StepLeak("feature centred over all releases", "partitions", replace(STEPS, gather=_ranked_by_all)),
    StepLeak("distance to a later snapshot", "truncation", replace(STEPS, compare=_distance_to_the_next)),
    StepLeak("drift to the last horizon", "truncation", replace(STEPS, gather=_drift_to_the_last)),
    StepLeak("outcomes before they were learned", "truncation", replace(STEPS, remember=_all_labels_known)),
    StepLeak("release remembers itself", "truncation", replace(STEPS, remember=_own_outcome)),
    StepLeak("climatology of the whole sample", "truncation", replace(STEPS, remember=_climate_of_all_years)),
    StepLeak("outcomes as of the anchor", "truncation", replace(STEPS, remember=_known_at_the_anchor)),
    StepLeak("revised value as first print", "truncation", replace(STEPS, label=_revised_as_first)),
    StepLeak("result visible at the close", "truncation", replace(STEPS, label=_learned_with_the_close)),
]


# --- stored rows ---


def _set(tables: Tables, name: str, column: str, values: Any) -> Tables:
    table = tables[name]
    at = table.column_names.index(column)
    return {**tables, name: table.set_column(at, table.schema.field(at), values)}


def _shift(tables: Tables, name: str, column: str, by: timedelta) -> Tables:
    moved = pc.add(tables[name][column], pa.scalar(by))
    return _set(tables, name, column, moved.cast(tables[name].schema.field(column).type))


def _daily_bars_in_utc(tables: Tables) -> Tables:
    """Bars of a day that end at midnight UTC."""
    days = {name: tables["candles"][name] for name in tables["candles"].column_names}
    days["bucket_end"] = pc.ceil_temporal(days["bucket_end"], unit="day").cast(days["bucket_end"].type)
    days["period_minutes"] = pa.array([1440] * len(tables["candles"]), pa.int32())
    return {**tables, "candles": pa.table(days)}


def _snapshot_stamped_at_the_start_of_the_sweep(tables: Tables) -> Tables:
    """Every page of a sweep bears the moment it began, three minutes before the last response."""
    quotes = tables["quotes"]
    live = _set(tables, "quotes", "period_minutes", pa.nulls(len(quotes), pa.int32()))
    received = pc.add(quotes["available_ts"], pa.scalar(timedelta(minutes=3)))
    return {**live, "snapshots": pa.table({"ticker": quotes["ticker"], "observed_at": received})}


def _first_print_is_the_last(tables: Tables) -> Tables:
    outcomes = tables["outcomes"]
    revised = outcomes.filter(pc.equal(outcomes["revision_number"], 1))
    return {**tables, "settled_first_prints": revised.drop_columns(["revision_number"])}


def _labels_of_revisions(tables: Tables) -> Tables:
    outcomes = tables["outcomes"]
    newest = outcomes.group_by("event_ticker").aggregate([("value", "max")])
    place = pc.index_in(tables["labels"]["event_ticker"], value_set=newest["event_ticker"].combine_chunks())
    return _set(tables, "labels", "label_value", newest["value_max"].take(place))


def _silent_fallback(tables: Tables) -> Tables:
    return _set(tables, "labels", "label_mode", pa.array(["latest"] * len(tables["labels"])))


def _legs_before_their_listing(tables: Tables) -> Tables:
    return _shift(tables, "legs", "known_at", timedelta(days=5))


def _gated_rows_with_features(tables: Tables) -> Tables:
    return _set(tables, "panel", "missing_reason", pa.array(["gated"] * len(tables["panel"])))


def _gated_rows_as_zeros(tables: Tables) -> Tables:
    """The old habit of filling what is missing with 0."""
    panel = tables["panel"]
    for name in FEATURES:
        panel = panel.set_column(panel.column_names.index(name), name, pc.fill_null(panel[name], 0.0))
    return {**tables, "panel": panel}


def _recut(tables: Tables, rules: FoldRules, labels: pa.Table | None = None) -> Tables:
    """Folds cut by other rules that claim the project's gap."""
    folds = build_folds(tables["labels"] if labels is None else labels, rules).table
    gap = pa.array([86_400.0] * len(folds))
    folds = folds.set_column(folds.column_names.index("planned_gap_seconds"), "planned_gap_seconds", gap)
    groups = pa.array([1] * len(folds), pa.int32())
    return {
        **tables,
        "folds": folds.set_column(folds.column_names.index("planned_gap_groups"), "planned_gap_groups", groups),
    }


def _unpurged_folds(tables: Tables) -> Tables:
    late = _shift(tables, "labels", "learned_at", timedelta(days=20))["labels"]
    folds = build_folds(tables["labels"], RULES).table
    known = dict(zip(late["release_id"].to_pylist(), late["learned_at"].to_pylist(), strict=True))
    learned = pa.array([known[name] for name in folds["release_id"].to_pylist()], folds.schema.field("learned_at").type)
    return {**tables, "folds": folds.set_column(folds.column_names.index("learned_at"), "learned_at", learned)}


def _unembargoed_folds(tables: Tables) -> Tables:
    return _recut(tables, replace(RULES, embargo_events=0))


def _shuffled_folds(tables: Tables) -> Tables:
    """Cross-validation that knows no time: every third release is tested."""
    folds = tables["folds"].filter(pc.equal(tables["folds"]["fold_number"], 1))
    test = np.arange(len(folds)) % 3 == 0
    role = pa.array(np.where(test, "test", "train"))
    folds = folds.set_column(folds.column_names.index("role"), "role", role)
    return {**tables, "folds": folds.set_column(folds.column_names.index("is_train"), "is_train", pa.array(~test))}


def _split_groups(tables: Tables) -> Tables:
    return _set(tables, "folds", "release_group", pa.array(["one group"] * len(tables["folds"])))


def _tuned_without_a_gap(tables: Tables) -> Tables:
    folds = tables["folds"]
    role = pc.if_else(pc.equal(folds["role"], "inner_purged"), "inner_train", folds["role"])
    learned = pc.if_else(
        pc.equal(folds["role"], "inner_purged"),
        pc.add(folds["learned_at"], pa.scalar(timedelta(days=9))),
        folds["learned_at"],
    )
    return _set(
        _set(tables, "folds", "role", role), "folds", "learned_at", learned.cast(folds.schema.field("learned_at").type)
    )


_HOUR = timedelta(hours=1)
ROW_LEAKS = [
    RowLeak(
        "bar stored at its start",
        "quotes not before their source",
        lambda t: _shift(t, "quotes", "available_ts", -_HOUR),
    ),
    RowLeak("daily bar in UTC", "quotes not before their source", _daily_bars_in_utc),
    RowLeak(
        "page stamped at the sweep's start",
        "quotes not before their source",
        _snapshot_stamped_at_the_start_of_the_sweep,
    ),
    RowLeak(
        "outcome stored before settlement",
        "outcomes not before they were learned",
        lambda t: _shift(t, "settled_outcomes", "learned_at", -_HOUR),
    ),
    RowLeak("first print overwritten by a revision", "outcomes not before they were learned", _first_print_is_the_last),
    RowLeak("label of the revised value", "labels are first prints", _labels_of_revisions),
    RowLeak(
        "label learned an hour early", "labels are first prints", lambda t: _shift(t, "labels", "learned_at", -_HOUR)
    ),
    RowLeak("fallback that does not say so", "labels are first prints", _silent_fallback),
    RowLeak(
        "snapshot with a later quote",
        "nothing newer than its instant",
        lambda t: _shift(t, "ladder_quotes", "available_ts", 3 * _HOUR),
    ),
    RowLeak(
        "panel with a later quote",
        "nothing newer than its instant",
        lambda t: _shift(t, "panel", "latest_available_ts", 3 * _HOUR),
    ),
    RowLeak("mapping from the future", "nothing newer than its instant", _legs_before_their_listing),
    RowLeak(
        "features of a later instant", "nothing newer than its instant", lambda t: _shift(t, "panel", "asof", 2 * _HOUR)
    ),
    RowLeak(
        "distance to a snapshot too young",
        "distances look back",
        lambda t: _shift(t, "distances", "earlier_asof", timedelta(days=2)),
    ),
    RowLeak("distance of another instant", "distances look back", lambda t: _shift(t, "distances", "asof", _HOUR)),
    RowLeak("gated row with features", "gated rows are missing", _gated_rows_with_features),
    RowLeak("gated row filled with zeros", "gated rows are missing", _gated_rows_as_zeros),
    RowLeak("training without purging", "folds learn before they are tested", _unpurged_folds),
    RowLeak("training without embargo", "folds learn before they are tested", _unembargoed_folds),
    RowLeak("folds that know no time", "folds learn before they are tested", _shuffled_folds),
    RowLeak("release group split", "folds learn before they are tested", _split_groups),
    RowLeak("tuning without a gap", "folds learn before they are tested", _tuned_without_a_gap),
]


# --- fits ---


@dataclass(frozen=True)
class FitLeak:
    """A leak in a fit: caught by poisoning what is not trained on."""

    name: str
    fits: Fits


def _scaled_over_all(panel: pa.Table, labels: pa.Table, folds: pa.Table) -> Ridges:
    """Features scaled with the rows of the test block."""
    for name in FEATURES:
        values = _floats(panel, name)
        known = values[np.isfinite(values)]
        if known.size:
            panel = _with_column(panel, name, (values - known.mean()) / known.std())
    return fit_ridges(panel, labels, folds)


def _filled_over_all(panel: pa.Table, labels: pa.Table, folds: pa.Table) -> Ridges:
    """Missing values filled with medians of all rows."""
    for name in FEATURES:
        values = _floats(panel, name)
        known = values[np.isfinite(values)]
        if known.size:
            panel = _with_column(panel, name, np.where(np.isnan(values), np.median(known), values))
    return fit_ridges(panel, labels, folds)


def _alpha_by_the_test_block(panel: pa.Table, labels: pa.Table, folds: pa.Table) -> Ridges:
    """The penalty that does best on the test block."""
    value = dict(zip(labels["ladder_id"].to_pylist(), labels["label_value"].to_pylist(), strict=True))

    def loss(made: Ridges) -> float:
        rows = made.predictions.to_pylist()
        return sum(abs(row["predicted_value"] - value[row["ladder_id"]]) for row in rows)

    return min((fit_ridges(panel, labels, folds, alphas=(alpha,)) for alpha in (1.0, 1e2, 1e4, 1e6)), key=loss)


def _trained_on_the_test_block(panel: pa.Table, labels: pa.Table, folds: pa.Table) -> Ridges:
    return fit_ridges(panel, labels, _all_trained(folds))


def _recalibrated_on_the_test_block(cases: Cases, folds: pa.Table) -> pa.Table:
    return fit_recalibrations(cases, _all_trained(folds))


def _mean_outcome_as_feature(panel: pa.Table, labels: pa.Table, folds: pa.Table) -> Ridges:
    """The mean outcome of the series over all of time as a feature."""
    mean = pc.mean(labels["label_value"]).as_py()
    speed = _floats(panel, "mean_speed") * mean
    return fit_ridges(_with_column(panel, "mean_speed", speed), labels, folds)


def _all_trained(folds: pa.Table) -> pa.Table:
    everyone = pa.array([True] * len(folds))
    return folds.set_column(folds.column_names.index("is_train"), "is_train", everyone)


FIT_LEAKS = [
    FitLeak("features scaled over all rows", Fits(ridge=_scaled_over_all)),
    FitLeak("missing values filled over all rows", Fits(ridge=_filled_over_all)),
    FitLeak("penalty chosen on the test block", Fits(ridge=_alpha_by_the_test_block)),
    FitLeak("ridge trained on the test block", Fits(ridge=_trained_on_the_test_block)),
    FitLeak("recalibration trained on the test block", Fits(recalibrate=_recalibrated_on_the_test_block)),
    FitLeak("mean outcome of all time as a feature", Fits(ridge=_mean_outcome_as_feature)),
]
