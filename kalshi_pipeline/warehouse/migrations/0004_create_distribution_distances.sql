-- How far the belief of a ladder moved within an hour and within a day.

CREATE TABLE research.distribution_distances (
    ladder_id VARCHAR NOT NULL,
    "asof" TIMESTAMPTZ NOT NULL,
    lag VARCHAR NOT NULL CHECK (lag IN ('1h', '1d')),
    partition_date DATE NOT NULL,
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    earlier_asof TIMESTAMPTZ,
    gap_seconds DOUBLE CHECK (isfinite(gap_seconds) AND gap_seconds >= 0),
    kl DOUBLE CHECK (isfinite(kl) AND kl >= 0),
    js DOUBLE CHECK (isfinite(js) AND js BETWEEN 0 AND 0.6931471806),
    wasserstein DOUBLE CHECK (isfinite(wasserstein) AND wasserstein >= 0),
    mean_change DOUBLE CHECK (isfinite(mean_change)),
    reason VARCHAR CHECK (reason IN ('gated', 'earlier_gated', 'no_earlier_snapshot')),
    method_version VARCHAR NOT NULL
);
