"""The tables of fitted models and scores: what was fitted in which fold, how every forecast did, and the averages.

Here stand columns, units and ranges only; how the rows come about is in ``research``. None of the tables is
partitioned: they are small, derived from everything known, and replaced whole.
"""

from __future__ import annotations

import pandera.pandas as pa

from kalshi_pipeline.schemas.table import Table, column, text, timestamp

#: How a forecast came about; what each means is in ``research.evaluation`` and ``research.baselines``.
METHODS = ("market", "recalibrated", "ridge", "no_change", "climatology", "uniform", "naive_mids", "fair_mids")

#: What the scorecard averages over.
SCOPES = ("all", "release_type", "series")


def _number(description: str, unit: str | None = None, *, nullable: bool = True) -> pa.Column:
    return column("DOUBLE", description, unit=unit, nullable=nullable)


def _count(description: str, unit: str, *, nullable: bool = False) -> pa.Column:
    return column("INTEGER", description, unit=unit, nullable=nullable, checks=[pa.Check.ge(0)])


def _level(description: str) -> pa.Column:
    return _number(description, "unit of the ladder")


_FOLD = {
    "fold_id": text("Fold whose training releases were used, and whose test block is forecast."),
    "horizon_minutes": _count("Distance of the features from the anchor.", "minutes"),
}

RECALIBRATIONS = Table(
    schema="research",
    name="recalibrations",
    grain="one fold at one horizon: the curve that bends the market's distribution function",
    key=("fold_id", "horizon_minutes"),
    columns={
        **_FOLD,
        "intercept": _number("Intercept of logit G on logit F.", nullable=False),
        "slope": _number("Slope of it; 1 with intercept 0 leaves the distribution as it is.", nullable=False),
        "n_events": _count("Training events with a passed snapshot at the horizon.", "events"),
        "n_thresholds": _count("Cuts of their ladders: the rows of the fit.", "cuts"),
        "fallback_reason": text("Why nothing was fitted and the curve is the identity.", nullable=True),
    },
)

RIDGE_FITS = Table(
    schema="research",
    name="ridge_fits",
    grain="one fold at one horizon: the ridge regression of the surprise on the panel's features",
    key=("fold_id", "horizon_minutes"),
    columns={
        **_FOLD,
        "alpha": _number("Penalty used; NULL where nothing was fitted."),
        "alphas": column("DOUBLE[]", "Penalties to choose from, ascending."),
        "inner_losses": column(
            "DOUBLE[]",
            "Mean squared error of each on the inner validation rows.",
            unit="square of the unit",
            nullable=True,
        ),
        "configurations_tried": _count("Penalties compared by the inner split.", "configurations"),
        "n_train": _count("Training rows.", "rows"),
        "n_inner_train": _count("Rows the penalties were fitted on.", "rows"),
        "n_inner_val": _count("Rows they were compared on.", "rows"),
        "intercept": _level("Intercept, of scaled features."),
        "features": column("VARCHAR[]", "Features and missing-value indicators of the fit.", nullable=True),
        "coefficients": column(
            "DOUBLE[]", "Coefficient of each, after scaling.", unit="unit of the ladder", nullable=True
        ),
        "alpha_reason": text("Why the middle penalty was taken.", nullable=True),
        "not_fitted_reason": text("Why nothing was fitted.", nullable=True),
    },
)

RIDGE_PREDICTIONS = Table(
    schema="research",
    name="ridge_predictions",
    grain="one ladder at one horizon in the test block of one fold: the surprise that ridge regression predicts",
    key=("fold_id", "ladder_id", "horizon_minutes"),
    columns={
        "fold_id": text("Fold that tests on the release."),
        "ladder_id": text("Ladder."),
        "horizon_minutes": _count("Distance of the features from the anchor.", "minutes"),
        "release_id": text("Release the ladder settles on."),
        "asof": timestamp("Instant of the features."),
        "market_mean": _level("Mean of the market's distribution."),
        "predicted_surprise": _level("Predicted outcome less the market's mean."),
        "predicted_value": _level("Predicted outcome."),
    },
)

WALKFORWARD_RESULTS = Table(
    schema="research",
    name="walkforward_results",
    grain="one forecast by one method of one ladder at one horizon, with its scores",
    key=("ladder_id", "horizon_minutes", "method"),
    columns={
        "ladder_id": text("Ladder."),
        "horizon_minutes": _count("Distance of the forecast from the anchor.", "minutes"),
        "method": text("How the forecast came about.", isin=METHODS),
        "fold_id": text("Fold whose test block it is from; NULL for methods without a fit.", nullable=True),
        "event_ticker": text("Event the ladder belongs to."),
        "series_ticker": text("Series the ladder belongs to."),
        "release_id": text("Release the ladder settles on."),
        "release_type": text("Kind of release."),
        "release_group": text("Releases of one type and time: one observation in every interval."),
        "unit": text("Unit of label, mean, error and CRPS.", nullable=True),
        "asof": timestamp("Instant of the forecast: nothing later went into it."),
        "anchor_ts": timestamp("Instant the horizon counts back from."),
        "learned_at": timestamp("When the label could be known."),
        "label_value": _number("What came true.", "unit of the ladder", nullable=False),
        "forecast_mean": _level("Mean of the forecast."),
        "absolute_error": _level("|mean - label|."),
        "crps": _level("Continuous ranked probability score; NULL where a tail has no known width."),
        "log_score": _number("-log of the mass on the label's cell, floored at 0.001.", "nats"),
        "rps": _number("Ranked probability score over the ladder's cells, not normalised."),
        "brier": _number("Mean over the ladder's cells of (mass - happened) squared."),
        "pit_low": _number("Mass below the label.", "probability"),
        "pit_high": _number("Mass up to and at the label.", "probability"),
    },
)

SCORECARD = Table(
    schema="research",
    name="scorecard",
    grain="one metric of one method at one horizon, over all events, one release type or one series",
    key=("scope", "scope_value", "horizon_minutes", "method", "metric"),
    columns={
        "scope": text("What is averaged over.", isin=SCOPES),
        "scope_value": text("The release type or series; `all` for all of them."),
        "horizon_minutes": _count("Distance of the forecasts from the anchor.", "minutes"),
        "method": text("How the forecasts came about.", isin=METHODS),
        "metric": text("Metric; those in a unit are told only where all events share it."),
        "estimate": _number("Mean over events.", "unit of the metric"),
        "estimate_low": _number(
            "Lower end of its 95 % interval, release groups drawn in blocks.", "unit of the metric"
        ),
        "estimate_high": _number("Upper end of it.", "unit of the metric"),
        "n_events": _count("Events behind the value.", "events"),
        "n_groups": _count("Release groups behind the value.", "groups"),
        "difference": _number(
            "Loss less the market's on the events that have both; above 0 the market was better.", "unit of the metric"
        ),
        "difference_low": _number("Lower end of its 95 % interval.", "unit of the metric"),
        "difference_high": _number("Upper end of it.", "unit of the metric"),
        "dm_statistic": _number("Diebold-Mariano statistic with small-sample correction, by release group."),
        "dm_p_value": _number("Its two-sided p-value.", "probability"),
        "n_paired_events": _count("Events behind the difference.", "events", nullable=True),
        "block_groups": _count("Consecutive release groups drawn together.", "groups"),
        "first_anchor": timestamp("Anchor of the first event."),
        "last_anchor": timestamp("Anchor of the last event."),
    },
)

#: Tables of fitted models and scores, in the order they come about.
EVALUATION_TABLES: tuple[Table, ...] = (
    RECALIBRATIONS,
    RIDGE_FITS,
    RIDGE_PREDICTIONS,
    WALKFORWARD_RESULTS,
    SCORECARD,
)
