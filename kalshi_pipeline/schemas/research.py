"""The research tables: what a ladder settles on, what was known before, what it settled at, which fold uses it.

Here stand columns, units and ranges only; how the rows come about is in ``research``. None of the tables is
partitioned: they are small, derived from everything known, and replaced whole.
"""

from __future__ import annotations

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table, column, text, timestamp

#: Where the value of a label comes from: the first print, or the latest one where no first print is on record.
LABEL_MODES = ("first_print", "latest")

#: Why a row of the panel has no features.
MISSING_REASONS = ("not_trading", "no_snapshot", "gated")

#: What a release does in a fold. ``not_built`` marks the single row of a fold that could not be built.
FOLD_ROLES = ("train", "inner_train", "inner_purged", "inner_val", "purged", "embargoed", "test", "not_built")


def _count(description: str, unit: str, *, nullable: bool = False) -> pa.Column:
    return column("INTEGER", description, unit=unit, nullable=nullable, checks=[pa.Check.ge(0)])


def _seconds(description: str) -> pa.Column:
    return column("DOUBLE", description, unit="seconds", nullable=True)


def _feature(description: str, unit: str | None = None) -> pa.Column:
    return column("DOUBLE", description, unit=unit, nullable=True)


def _level(description: str) -> pa.Column:
    return _feature(description, "unit of the ladder")


_LADDER = {
    "ladder_id": text("Ladder."),
    "event_ticker": text("Event the ladder belongs to."),
    "series_ticker": text("Series the ladder belongs to."),
}
_RELEASE = {
    "release_id": text("Release the ladder settles on; ladders on one publication share it."),
    "release_type": text("Kind of release (CPI, FOMC, WEATHER, ...): the pool its folds are built in."),
    "release_group": text("Releases of one type and time (weather: of one climate day); folds never split it."),
}
_INSTANTS = {
    "anchor_ts": timestamp("Instant horizons count back from: the release time, or the close of trading."),
    "release_ts": timestamp("When the value is published; NULL where trading ends before it is known.", nullable=True),
    "open_time": timestamp("When the ladder's first market opens."),
    "close_time": timestamp("When the ladder's last market closes."),
    "known_at": timestamp("When the ladder's specification could first be known."),
}

MAPPING_VERSIONS = Table(
    schema="research",
    name="mapping_versions",
    grain="one version of the mapping of events to releases, over all events",
    key=("version_id",),
    columns={
        "version_id": column("INTEGER", "Number of the version, from 1, in order of time.", checks=[pa.Check.ge(1)]),
        "created_at": timestamp("Instant from which the version could be known."),
        "event_count": _count("Events whose release the version changed.", "events"),
    },
)

EVENT_MARKET_MAP_VERSIONS = Table(
    schema="research",
    name="event_market_map_versions",
    grain="one version of the release an event settles on, with the half-open interval in which it holds",
    key=("event_ticker", "version_id"),
    columns={
        "version_id": column("INTEGER", "Version that brought this mapping.", checks=[pa.Check.ge(1)]),
        "event_ticker": text("Event, whose numeric markets are the ladder."),
        "series_ticker": text("Series the event belongs to."),
        **_RELEASE,
        "anchor_ts": timestamp("Instant horizons count back from, as scheduled in this version."),
        "release_ts": timestamp("Scheduled publication; NULL where trading ends before the value.", nullable=True),
        "open_time": timestamp("When the event's first market opens."),
        "close_time": timestamp("When the event's last market closes, as scheduled in this version."),
        "valid_from": timestamp("From when on the mapping holds."),
        "valid_to": timestamp("When the next version of the event takes over; NULL for the last.", nullable=True),
        "known_at": timestamp("From when on the mapping could be known."),
    },
)

RELEASES = Table(
    schema="research",
    name="releases",
    grain="one ladder with the release it settles on; several ladders can settle on one release",
    key=("ladder_id",),
    columns={
        **_LADDER,
        **_RELEASE,
        "climate_day": column(
            "DATE", "Local calendar day a weather release is about; NULL for other types.", nullable=True
        ),
        "unit": text("Unit of the settled number.", nullable=True),
        **_INSTANTS,
    },
)

EVENT_LABELS = Table(
    schema="research",
    name="event_labels",
    grain="one ladder with the outcome of its release: first print, latest print, and when each was known",
    key=("ladder_id",),
    columns={
        **_LADDER,
        **_RELEASE,
        "unit": text("Unit of the label's values.", nullable=True),
        **_INSTANTS,
        "has_label": column("BOOLEAN", "Whether the release has a numeric outcome with a time it was known."),
        "label_value": column("DOUBLE", "The label, in the ladder's unit: the first print.", nullable=True),
        "label_mode": text("Print the label comes from.", nullable=True, isin=LABEL_MODES),
        "learned_at": timestamp("Earliest moment a live user could have known the label.", nullable=True),
        "first_print_value": column("DOUBLE", "First value published, in the ladder's unit.", nullable=True),
        "first_print_text": text("First value published, verbatim.", nullable=True),
        "first_print_learned_at": timestamp("When the first value could be known.", nullable=True),
        "latest_value": column("DOUBLE", "Value after the last revision, in the ladder's unit.", nullable=True),
        "latest_text": text("Value after the last revision, verbatim.", nullable=True),
        "latest_learned_at": timestamp("When the last revision could be known.", nullable=True),
        "revision_count": _count("Revisions after the first print.", "revisions", nullable=True),
        "no_label_reason": text("Why there is no label; NULL where there is one.", nullable=True),
        "flags": column("VARCHAR[]", "What a user of the label should know; empty where there is nothing."),
        "market_mean": _level("Mean of the release's last snapshot that passed the gates, before its anchor."),
        "market_mean_horizon_minutes": _count("Distance of that snapshot from the anchor.", "minutes", nullable=True),
        "market_surprise": _level("Label less the market's mean."),
        "previous_value": _level("Last outcome of the series that was known at the anchor: the no-change forecast."),
        "previous_ladder_id": text("Ladder whose outcome that is.", nullable=True),
        "change_surprise": _level("Label less the previous value."),
    },
)

EVENT_FEATURE_PANEL = Table(
    schema="research",
    name="event_feature_panel",
    grain="one ladder at one horizon before its anchor: what was known then; every feature NULL where that is nothing",
    key=("ladder_id", "horizon_minutes"),
    columns={
        **_LADDER,
        **_RELEASE,
        "horizon_minutes": _count("Distance of the instant from the anchor.", "minutes"),
        "asof": timestamp("The instant: anchor less horizon; nothing later went into the features."),
        "anchor_ts": timestamp("Instant horizons count back from: the release time, or the close of trading."),
        "minutes_to_release": _feature("Time to the publication; NULL where its time is not known.", "minutes"),
        "missing_reason": text(
            "Why there are no features: the ladder did not trade, no snapshot was taken, or a gate failed; NULL where "
            "there are.",
            nullable=True,
            isin=MISSING_REASONS,
        ),
        "gate_reasons": column("VARCHAR[]", "Gates that failed; NULL without a snapshot.", nullable=True),
        "quote_kind": text("Kind of the quotes used.", nullable=True),
        "latest_available_ts": timestamp("Latest moment at which one of the quotes became known.", nullable=True),
        "method_version": text("Version of the method that made the snapshot.", nullable=True),
        "mean": _level("Mean."),
        "median": _level("Median; NULL where it falls in an open cell."),
        "std": _level("Standard deviation."),
        "variance": _feature("Variance.", "square of the unit"),
        "skew": _feature("Skewness."),
        "excess_kurtosis": _feature("Kurtosis less 3."),
        "iqr": _level("75 % less 25 % quantile."),
        "entropy": _feature("Entropy of the cell masses.", "nats"),
        "mass_below": _feature("Mass below the first cut.", "probability"),
        "mass_above": _feature("Mass above the last cut.", "probability"),
        "bound_width": _level("Width of the no-arbitrage bounds of the mean."),
        "quality_score": _feature("Weighted sum of the quality components.", "score"),
        "quality_coverage": _feature("Component: coverage.", "score"),
        "quality_spread": _feature("Component: relative spread.", "score"),
        "quality_age": _feature("Component: age.", "score"),
        "quality_liquidity": _feature("Component: liquidity.", "score"),
        "quality_consistency": _feature("Component: consistency.", "score"),
        "two_sided_share": _feature("Share of expected markets with a bid and an ask.", "share"),
        "median_spread": _feature("Median band width.", "dollars"),
        "median_relative_spread": _feature("Median spread over mid.", "share of the mid"),
        "median_age_seconds": _feature("Median age of the latest quotes.", "seconds"),
        "max_age_seconds": _feature("Age of the oldest of the latest quotes.", "seconds"),
        "arbitrage_depth": _feature("Arbitrage depth before fees.", "dollars"),
        "violations_pre": _feature("Constraints violated by the raw mids.", "constraints"),
        "violation_magnitude": _feature("Sum of these violations.", "dollars"),
        "move_l1": _feature("Sum of what repair moved.", "dollars"),
        "liquidity_proxy": _feature("Mean of the logs of median volume and open interest.", "log contracts"),
        "delta_minutes": _feature("Time since the nearest earlier horizon that passed.", "minutes"),
        "mean_delta": _level("Change of the mean since then."),
        "std_delta": _level("Change of the standard deviation since then."),
        "entropy_delta": _feature("Change of the entropy since then.", "nats"),
        "mean_speed": _feature("The mean's change per hour.", "unit of the ladder per hour"),
        "std_speed": _feature("The standard deviation's change per hour.", "unit of the ladder per hour"),
        "entropy_speed": _feature("The entropy's change per hour.", "nats per hour"),
        "drift_minutes": _feature("Time since the earliest horizon that passed.", "minutes"),
        "mean_drift": _level("Change of the mean since then."),
        "variance_collapse": _feature("Share of the variance gone since then.", "share"),
        "entropy_collapse": _feature("Share of the entropy gone since then.", "share"),
        "updates_per_hour": _feature("Changes of a bid or an ask over the last 24 hours of trading.", "per hour"),
        "active_share": _feature("Share of expected markets with such a change.", "share"),
        "kl_1h": _feature("Kullback-Leibler divergence from the snapshot an hour before.", "nats"),
        "js_1h": _feature("Jensen-Shannon divergence from it.", "nats"),
        "wasserstein_1h": _level("Wasserstein-1 distance from it."),
        "kl_1d": _feature("Kullback-Leibler divergence from the snapshot a day before.", "nats"),
        "js_1d": _feature("Jensen-Shannon divergence from it.", "nats"),
        "wasserstein_1d": _level("Wasserstein-1 distance from it."),
    },
)

WALKFORWARD_FOLDS = Table(
    schema="research",
    name="walkforward_folds",
    grain="one release in one walk-forward fold with its role; a fold that cannot be built is one row with its reason",
    key=("fold_id", "release_id"),
    columns={
        "fold_id": text("Fold: its pool and number."),
        "pool": text("Release type the fold was built for, or ALL where types are pooled."),
        "fold_number": _count("Number of the fold in its pool, from 0, in order of time.", "folds"),
        "release_id": text("Release; for a fold that cannot be built, the first of its test block."),
        "release_type": text("Kind of release."),
        "release_group": text("Releases that go into a fold together."),
        "group_number": _count("Position of the group in its pool, from 0, in order of time.", "groups"),
        "first_asof": timestamp("Earliest horizon instant of the release: when its first features are taken."),
        "learned_at": timestamp("When the labels of the whole release could be known."),
        "role": text(
            "What the release does in the fold; without an inner split the training releases are `train`.",
            isin=FOLD_ROLES,
        ),
        "is_train": column("BOOLEAN", "Whether the fold's final fit uses the release (train and all inner roles)."),
        "t_fold": timestamp("Earliest horizon instant among the fold's test releases."),
        "train_groups": _count("Groups the fold trains on, after purging and embargo.", "groups"),
        "purged_groups": _count("Earlier groups whose labels were not known in time.", "groups"),
        "embargoed_groups": _count("Latest groups dropped after purging.", "groups"),
        "test_groups": _count("Groups of the fold's test block.", "groups"),
        "planned_gap_groups": _count("Groups to be dropped between training and test.", "groups"),
        "actual_gap_groups": _count(
            "Groups between the last training group and the first test group.", "groups", nullable=True
        ),
        "planned_gap_seconds": _seconds("Time to lie between the last training label and t_fold."),
        "actual_gap_seconds": _seconds("Time between the last training label and t_fold."),
        "inner_t_fold": timestamp("Earliest horizon instant among the inner validation releases.", nullable=True),
        "inner_planned_gap_groups": _count("Groups to be dropped before inner validation.", "groups", nullable=True),
        "inner_actual_gap_groups": _count(
            "Groups between the last inner training group and the first of inner validation.", "groups", nullable=True
        ),
        "inner_planned_gap_seconds": _seconds("Time to lie between the last inner training label and inner_t_fold."),
        "inner_actual_gap_seconds": _seconds("Time between the last inner training label and inner_t_fold."),
        "inner_fallback_reason": text(
            "Why the fold has no inner split and takes the middle of the sorted alphas.", nullable=True
        ),
        "not_built_reason": text("Why the fold cannot be built; NULL for a fold that is.", nullable=True),
    },
)

RESEARCH_TABLES: tuple[Table, ...] = (
    MAPPING_VERSIONS,
    EVENT_MARKET_MAP_VERSIONS,
    RELEASES,
    EVENT_FEATURE_PANEL,
    EVENT_LABELS,
    WALKFORWARD_FOLDS,
)
