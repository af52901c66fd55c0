-- Fees that will change, and when the exchange trades: versions by observation.

CREATE TABLE raw.series_fee_changes (
    change_id VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    fee_type VARCHAR NOT NULL,
    fee_multiplier DOUBLE NOT NULL CHECK (isfinite(fee_multiplier) AND fee_multiplier >= 0),
    scheduled_ts TIMESTAMPTZ NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (change_id, observed_at)
);

CREATE TABLE raw.event_fee_changes (
    change_id VARCHAR NOT NULL,
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    fee_type_override VARCHAR,
    fee_multiplier_override DOUBLE CHECK (isfinite(fee_multiplier_override) AND fee_multiplier_override >= 0),
    scheduled_ts TIMESTAMPTZ NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (change_id, observed_at)
);

CREATE TABLE raw.exchange_schedules (
    exchange VARCHAR NOT NULL,
    standard_hours JSON NOT NULL,
    maintenance_windows JSON,
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (exchange, observed_at)
);

CREATE TABLE raw.exchange_statuses (
    part VARCHAR NOT NULL,
    description VARCHAR,
    exchange_active BOOLEAN NOT NULL,
    trading_active BOOLEAN NOT NULL,
    estimated_resume_time TIMESTAMPTZ,
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (part, observed_at)
);
