-- What the order executor was asked and did, and what the account did and holds. Rows are only ever added.

CREATE SCHEMA IF NOT EXISTS trading;

CREATE TABLE trading.intents (
    record_id VARCHAR NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 1),
    recorded_at TIMESTAMPTZ NOT NULL,
    client_order_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    environment VARCHAR NOT NULL CHECK (environment IN ('sandbox', 'demo', 'prod')),
    is_live BOOLEAN NOT NULL,
    decision_id VARCHAR NOT NULL,
    ticker VARCHAR NOT NULL,
    side VARCHAR NOT NULL CHECK (side IN ('yes', 'no')),
    action VARCHAR NOT NULL CHECK (action IN ('buy', 'sell')),
    count DECIMAL(18,2) NOT NULL CHECK (count >= 0),
    limit_price DECIMAL(10,6) NOT NULL CHECK (limit_price BETWEEN 0 AND 1),
    time_in_force VARCHAR NOT NULL CHECK (time_in_force IN ('fill_or_kill', 'immediate_or_cancel', 'good_till_canceled')),
    PRIMARY KEY (record_id)
);

CREATE TABLE trading.intent_steps (
    record_id VARCHAR NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 1),
    recorded_at TIMESTAMPTZ NOT NULL,
    client_order_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    environment VARCHAR CHECK (environment IN ('sandbox', 'demo', 'prod')),
    is_live BOOLEAN NOT NULL,
    step VARCHAR NOT NULL,
    reasons VARCHAR[] NOT NULL,
    said VARCHAR,
    order_id VARCHAR,
    record JSON NOT NULL,
    PRIMARY KEY (record_id)
);

CREATE TABLE trading.trades (
    trade_id VARCHAR NOT NULL,
    order_id VARCHAR NOT NULL,
    ticker VARCHAR NOT NULL,
    side VARCHAR NOT NULL CHECK (side IN ('yes', 'no')),
    action VARCHAR NOT NULL CHECK (action IN ('buy', 'sell')),
    count DECIMAL(18,2) NOT NULL CHECK (count >= 0),
    price DECIMAL(10,6) NOT NULL CHECK (price BETWEEN 0 AND 1),
    fee DECIMAL(18,6) NOT NULL,
    is_taker BOOLEAN NOT NULL,
    executed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (trade_id)
);

CREATE TABLE trading.positions (
    ticker VARCHAR NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    side VARCHAR NOT NULL CHECK (side IN ('yes', 'no')),
    count DECIMAL(18,2) NOT NULL CHECK (count >= 0),
    exposure DECIMAL(18,6) NOT NULL,
    realized_pnl DECIMAL(18,6) NOT NULL,
    fees DECIMAL(18,6) NOT NULL,
    PRIMARY KEY (ticker, observed_at)
);
