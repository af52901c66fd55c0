-- What releases turned out to be, as each feed said it and when: rows are only ever added.

CREATE TABLE raw.outcome_vintages (
    source VARCHAR NOT NULL CHECK (source IN ('exchange_settlement', 'alfred', 'vintages_file')),
    series_ticker VARCHAR NOT NULL,
    release_id VARCHAR NOT NULL,
    event_ticker VARCHAR,
    reference_period DATE,
    stated_by VARCHAR NOT NULL,
    value_text VARCHAR NOT NULL,
    value DOUBLE CHECK (isfinite(value)),
    reject_reason VARCHAR CHECK (reject_reason IN ('not_a_number')),
    vintage_at TIMESTAMPTZ NOT NULL,
    learned_at TIMESTAMPTZ NOT NULL,
    learned_at_basis VARCHAR NOT NULL CHECK (learned_at_basis IN ('settlement_ts', 'observed_at', 'published_at', 'release_time', 'end_of_day', 'end_of_month')),
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (source, release_id, stated_by, vintage_at, observed_at)
);
