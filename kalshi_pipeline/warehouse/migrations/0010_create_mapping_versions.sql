-- Which release an event settles on, as that was known: every version of the mapping, and the register of versions.

CREATE TABLE research.mapping_versions (
    version_id INTEGER NOT NULL CHECK (version_id >= 1),
    created_at TIMESTAMPTZ NOT NULL,
    event_count INTEGER NOT NULL CHECK (event_count >= 0),
    PRIMARY KEY (version_id)
);

CREATE TABLE research.event_market_map_versions (
    version_id INTEGER NOT NULL CHECK (version_id >= 1),
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    release_id VARCHAR NOT NULL,
    release_type VARCHAR NOT NULL,
    release_group VARCHAR NOT NULL,
    anchor_ts TIMESTAMPTZ NOT NULL,
    release_ts TIMESTAMPTZ,
    open_time TIMESTAMPTZ NOT NULL,
    close_time TIMESTAMPTZ NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL,
    valid_to TIMESTAMPTZ,
    known_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (event_ticker, version_id)
);
