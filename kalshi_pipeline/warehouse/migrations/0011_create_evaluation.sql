-- What is fitted inside folds, how every forecast did, and the averages.

CREATE TABLE research.recalibrations (
    fold_id VARCHAR NOT NULL,
    horizon_minutes INTEGER NOT NULL CHECK (horizon_minutes >= 0),
    intercept DOUBLE NOT NULL CHECK (isfinite(intercept)),
    slope DOUBLE NOT NULL CHECK (isfinite(slope)),
    n_events INTEGER NOT NULL CHECK (n_events >= 0),
    n_thresholds INTEGER NOT NULL CHECK (n_thresholds >= 0),
    fallback_reason VARCHAR,
    PRIMARY KEY (fold_id, horizon_minutes)
);

CREATE TABLE research.ridge_fits (
    fold_id VARCHAR NOT NULL,
    horizon_minutes INTEGER NOT NULL CHECK (horizon_minutes >= 0),
    alpha DOUBLE CHECK (isfinite(alpha)),
    alphas DOUBLE[] NOT NULL CHECK (isfinite(list_sum(alphas))),
    inner_losses DOUBLE[] CHECK (isfinite(list_sum(inner_losses))),
    configurations_tried INTEGER NOT NULL CHECK (configurations_tried >= 0),
    n_train INTEGER NOT NULL CHECK (n_train >= 0),
    n_inner_train INTEGER NOT NULL CHECK (n_inner_train >= 0),
    n_inner_val INTEGER NOT NULL CHECK (n_inner_val >= 0),
    intercept DOUBLE CHECK (isfinite(intercept)),
    features VARCHAR[],
    coefficients DOUBLE[] CHECK (isfinite(list_sum(coefficients))),
    alpha_reason VARCHAR,
    not_fitted_reason VARCHAR,
    PRIMARY KEY (fold_id, horizon_minutes)
);

CREATE TABLE research.ridge_predictions (
    fold_id VARCHAR NOT NULL,
    ladder_id VARCHAR NOT NULL,
    horizon_minutes INTEGER NOT NULL CHECK (horizon_minutes >= 0),
    release_id VARCHAR NOT NULL,
    "asof" TIMESTAMPTZ NOT NULL,
    market_mean DOUBLE CHECK (isfinite(market_mean)),
    predicted_surprise DOUBLE CHECK (isfinite(predicted_surprise)),
    predicted_value DOUBLE CHECK (isfinite(predicted_value)),
    PRIMARY KEY (fold_id, ladder_id, horizon_minutes)
);

CREATE TABLE research.walkforward_results (
    ladder_id VARCHAR NOT NULL,
    horizon_minutes INTEGER NOT NULL CHECK (horizon_minutes >= 0),
    method VARCHAR NOT NULL CHECK (method IN ('market', 'recalibrated', 'ridge', 'no_change', 'climatology', 'uniform', 'naive_mids', 'fair_mids')),
    fold_id VARCHAR,
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    release_id VARCHAR NOT NULL,
    release_type VARCHAR NOT NULL,
    release_group VARCHAR NOT NULL,
    unit VARCHAR,
    "asof" TIMESTAMPTZ NOT NULL,
    anchor_ts TIMESTAMPTZ NOT NULL,
    learned_at TIMESTAMPTZ NOT NULL,
    label_value DOUBLE NOT NULL CHECK (isfinite(label_value)),
    forecast_mean DOUBLE CHECK (isfinite(forecast_mean)),
    absolute_error DOUBLE CHECK (isfinite(absolute_error)),
    crps DOUBLE CHECK (isfinite(crps)),
    log_score DOUBLE CHECK (isfinite(log_score)),
    rps DOUBLE CHECK (isfinite(rps)),
    brier DOUBLE CHECK (isfinite(brier)),
    pit_low DOUBLE CHECK (isfinite(pit_low)),
    pit_high DOUBLE CHECK (isfinite(pit_high)),
    PRIMARY KEY (ladder_id, horizon_minutes, method)
);

CREATE TABLE research.scorecard (
    scope VARCHAR NOT NULL CHECK (scope IN ('all', 'release_type', 'series')),
    scope_value VARCHAR NOT NULL,
    horizon_minutes INTEGER NOT NULL CHECK (horizon_minutes >= 0),
    method VARCHAR NOT NULL CHECK (method IN ('market', 'recalibrated', 'ridge', 'no_change', 'climatology', 'uniform', 'naive_mids', 'fair_mids')),
    metric VARCHAR NOT NULL,
    estimate DOUBLE CHECK (isfinite(estimate)),
    estimate_low DOUBLE CHECK (isfinite(estimate_low)),
    estimate_high DOUBLE CHECK (isfinite(estimate_high)),
    n_events INTEGER NOT NULL CHECK (n_events >= 0),
    n_groups INTEGER NOT NULL CHECK (n_groups >= 0),
    difference DOUBLE CHECK (isfinite(difference)),
    difference_low DOUBLE CHECK (isfinite(difference_low)),
    difference_high DOUBLE CHECK (isfinite(difference_high)),
    dm_statistic DOUBLE CHECK (isfinite(dm_statistic)),
    dm_p_value DOUBLE CHECK (isfinite(dm_p_value)),
    n_paired_events INTEGER CHECK (n_paired_events >= 0),
    block_groups INTEGER NOT NULL CHECK (block_groups >= 0),
    first_anchor TIMESTAMPTZ NOT NULL,
    last_anchor TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, scope_value, horizon_minutes, method, metric)
);
