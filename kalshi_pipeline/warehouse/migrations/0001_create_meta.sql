-- What the file says about itself: its schema version, its partitions, and the rows it refused.

CREATE SCHEMA IF NOT EXISTS meta;

CREATE TABLE meta.schema_version (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMPTZ NOT NULL,
    description VARCHAR NOT NULL,
    checksum VARCHAR NOT NULL
);

CREATE SEQUENCE meta.load_id;

-- One current row per dataset and day; a day is derived again iff its load_id is newer than what was derived.
CREATE TABLE meta.partition_loads (
    dataset VARCHAR NOT NULL,
    partition_date DATE NOT NULL,
    load_id BIGINT NOT NULL,
    loaded_at TIMESTAMPTZ NOT NULL,
    run_id VARCHAR NOT NULL,
    rows BIGINT NOT NULL CHECK (rows >= 0),
    quarantined BIGINT NOT NULL CHECK (quarantined >= 0),
    reason VARCHAR,
    PRIMARY KEY (dataset, partition_date)
);

CREATE TABLE meta.quarantine (
    table_name VARCHAR NOT NULL,
    partition_date DATE,
    reason VARCHAR NOT NULL,
    row_json JSON NOT NULL,
    run_id VARCHAR NOT NULL,
    quarantined_at TIMESTAMPTZ NOT NULL
);
