-- What the exchange said, typed: reference tables versioned by observation, facts in daily UTC partitions.

CREATE SCHEMA IF NOT EXISTS raw;

CREATE TABLE raw.series (
    series_ticker VARCHAR NOT NULL,
    title VARCHAR,
    category VARCHAR,
    frequency VARCHAR,
    tags JSON,
    settlement_sources JSON,
    fee_type VARCHAR,
    fee_multiplier DOUBLE CHECK (isfinite(fee_multiplier) AND fee_multiplier >= 0),
    last_updated_ts TIMESTAMPTZ,
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (series_ticker, observed_at)
);

CREATE TABLE raw.events (
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    title VARCHAR,
    sub_title VARCHAR,
    category VARCHAR,
    mutually_exclusive BOOLEAN NOT NULL,
    collateral_return_type VARCHAR,
    strike_date TIMESTAMPTZ,
    strike_period VARCHAR,
    fee_type_override VARCHAR,
    fee_multiplier_override DOUBLE CHECK (isfinite(fee_multiplier_override)),
    last_updated_ts TIMESTAMPTZ,
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (event_ticker, observed_at)
);

CREATE TABLE raw.markets (
    ticker VARCHAR NOT NULL,
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    market_type VARCHAR,
    title VARCHAR,
    yes_sub_title VARCHAR,
    no_sub_title VARCHAR,
    status VARCHAR,
    created_time TIMESTAMPTZ,
    updated_time TIMESTAMPTZ,
    open_time TIMESTAMPTZ NOT NULL,
    close_time TIMESTAMPTZ NOT NULL,
    expected_expiration_time TIMESTAMPTZ,
    latest_expiration_time TIMESTAMPTZ,
    occurrence_datetime TIMESTAMPTZ,
    settlement_timer_seconds BIGINT,
    strike_type VARCHAR,
    floor_strike DOUBLE CHECK (isfinite(floor_strike)),
    cap_strike DOUBLE CHECK (isfinite(cap_strike)),
    functional_strike VARCHAR,
    custom_strike JSON,
    can_close_early BOOLEAN,
    rules_primary VARCHAR,
    rules_secondary VARCHAR,
    price_level_structure VARCHAR,
    price_ranges JSON,
    notional_value DECIMAL(10,6) CHECK (notional_value BETWEEN 0 AND 1000),
    tier VARCHAR NOT NULL CHECK (tier IN ('live', 'historical')),
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (ticker, observed_at)
);

CREATE TABLE raw.settlements (
    ticker VARCHAR NOT NULL,
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    status VARCHAR,
    result VARCHAR NOT NULL,
    settlement_value DECIMAL(10,6) CHECK (settlement_value BETWEEN 0 AND 1),
    settlement_ts TIMESTAMPTZ,
    expiration_value VARCHAR,
    learned_at TIMESTAMPTZ NOT NULL,
    learned_at_basis VARCHAR NOT NULL CHECK (learned_at_basis IN ('settlement_ts', 'observed_at')),
    observed_at TIMESTAMPTZ NOT NULL,
    content_hash VARCHAR NOT NULL,
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    PRIMARY KEY (ticker, observed_at)
);

CREATE TABLE raw.quotes (
    ticker VARCHAR NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    status VARCHAR,
    yes_bid DECIMAL(10,6) CHECK (yes_bid BETWEEN 0 AND 1),
    yes_ask DECIMAL(10,6) CHECK (yes_ask BETWEEN 0 AND 1),
    yes_bid_size DECIMAL(18,2) CHECK (yes_bid_size >= 0),
    yes_ask_size DECIMAL(18,2) CHECK (yes_ask_size >= 0),
    last_price DECIMAL(10,6) CHECK (last_price BETWEEN 0 AND 1),
    volume DECIMAL(18,2) CHECK (volume >= 0),
    volume_24h DECIMAL(18,2) CHECK (volume_24h >= 0),
    open_interest DECIMAL(18,2) CHECK (open_interest >= 0),
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    partition_date DATE NOT NULL
);

CREATE TABLE raw.candles (
    ticker VARCHAR NOT NULL,
    bucket_start TIMESTAMPTZ NOT NULL,
    bucket_end TIMESTAMPTZ NOT NULL,
    source VARCHAR NOT NULL CHECK (source IN ('api_event', 'trades')),
    period_minutes INTEGER NOT NULL CHECK (period_minutes IN (1, 60, 1440)),
    quote_kind VARCHAR NOT NULL CHECK (quote_kind IN ('candle_close', 'trade_proxy')),
    yes_bid_open DECIMAL(10,6) CHECK (yes_bid_open BETWEEN 0 AND 1),
    yes_bid_high DECIMAL(10,6) CHECK (yes_bid_high BETWEEN 0 AND 1),
    yes_bid_low DECIMAL(10,6) CHECK (yes_bid_low BETWEEN 0 AND 1),
    yes_bid_close DECIMAL(10,6) CHECK (yes_bid_close BETWEEN 0 AND 1),
    yes_ask_open DECIMAL(10,6) CHECK (yes_ask_open BETWEEN 0 AND 1),
    yes_ask_high DECIMAL(10,6) CHECK (yes_ask_high BETWEEN 0 AND 1),
    yes_ask_low DECIMAL(10,6) CHECK (yes_ask_low BETWEEN 0 AND 1),
    yes_ask_close DECIMAL(10,6) CHECK (yes_ask_close BETWEEN 0 AND 1),
    price_open DECIMAL(10,6) CHECK (price_open BETWEEN 0 AND 1),
    price_high DECIMAL(10,6) CHECK (price_high BETWEEN 0 AND 1),
    price_low DECIMAL(10,6) CHECK (price_low BETWEEN 0 AND 1),
    price_close DECIMAL(10,6) CHECK (price_close BETWEEN 0 AND 1),
    price_mean DECIMAL(10,6) CHECK (price_mean BETWEEN 0 AND 1),
    price_previous DECIMAL(10,6) CHECK (price_previous BETWEEN 0 AND 1),
    price_min DECIMAL(10,6) CHECK (price_min BETWEEN 0 AND 1),
    price_max DECIMAL(10,6) CHECK (price_max BETWEEN 0 AND 1),
    volume DECIMAL(18,2) CHECK (volume >= 0),
    open_interest DECIMAL(18,2) CHECK (open_interest >= 0),
    tier VARCHAR NOT NULL CHECK (tier IN ('live', 'historical')),
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    partition_date DATE NOT NULL
);

CREATE TABLE raw.trades (
    trade_id VARCHAR NOT NULL,
    ticker VARCHAR NOT NULL,
    created_time TIMESTAMPTZ NOT NULL,
    count DECIMAL(18,2) NOT NULL CHECK (count >= 0),
    yes_price DECIMAL(10,6) NOT NULL CHECK (yes_price BETWEEN 0 AND 1),
    no_price DECIMAL(10,6) NOT NULL CHECK (no_price BETWEEN 0 AND 1),
    taker_outcome_side VARCHAR CHECK (taker_outcome_side IN ('yes', 'no')),
    taker_book_side VARCHAR CHECK (taker_book_side IN ('bid', 'ask')),
    is_block_trade BOOLEAN,
    tier VARCHAR NOT NULL CHECK (tier IN ('live', 'historical')),
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    partition_date DATE NOT NULL
);

CREATE TABLE raw.orderbooks (
    ticker VARCHAR NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    side VARCHAR NOT NULL CHECK (side IN ('yes', 'no')),
    level INTEGER NOT NULL CHECK (level >= 1),
    price DECIMAL(10,6) NOT NULL CHECK (price BETWEEN 0 AND 1),
    count DECIMAL(18,2) NOT NULL CHECK (count >= 0),
    ingested_at TIMESTAMPTZ NOT NULL,
    unit_id VARCHAR NOT NULL,
    partition_date DATE NOT NULL
);
