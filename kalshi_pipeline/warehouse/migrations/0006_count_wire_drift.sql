-- Fields of landed responses that are not as they are known: one row per load and difference.

CREATE TABLE meta.wire_drift (
    table_name VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('new', 'missing', 'retyped')),
    field VARCHAR NOT NULL,
    expected VARCHAR,
    seen VARCHAR,
    objects BIGINT NOT NULL CHECK (objects > 0),
    example_unit_id VARCHAR NOT NULL,
    detected_at TIMESTAMPTZ NOT NULL
);
