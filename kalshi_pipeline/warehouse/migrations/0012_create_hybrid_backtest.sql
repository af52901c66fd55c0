-- What became of every leg at every decision of the readiness backtest.

CREATE TABLE research.hybrid_backtest (
    candidate_id VARCHAR NOT NULL,
    event_ticker VARCHAR NOT NULL,
    series_ticker VARCHAR NOT NULL,
    decision_point VARCHAR NOT NULL CHECK (decision_point IN ('day_before_10', 'same_day_10')),
    decision_ts TIMESTAMPTZ NOT NULL,
    ticker VARCHAR,
    stage VARCHAR NOT NULL CHECK (stage IN ('event', 'snapshot', 'quote', 'priced', 'edge', 'filled')),
    reason VARCHAR,
    available_ts TIMESTAMPTZ,
    yes_bid DECIMAL(10,6) CHECK (yes_bid BETWEEN 0 AND 1),
    yes_ask DECIMAL(10,6) CHECK (yes_ask BETWEEN 0 AND 1),
    fair_probability DOUBLE CHECK (isfinite(fair_probability) AND fair_probability BETWEEN 0 AND 1),
    side VARCHAR CHECK (side IN ('yes', 'no')),
    role VARCHAR CHECK (role IN ('maker', 'taker')),
    price DECIMAL(10,6) CHECK (price BETWEEN 0 AND 1),
    contracts BIGINT CHECK (contracts >= 0),
    fee DECIMAL(18,6),
    edge DOUBLE CHECK (isfinite(edge)),
    yes_payout DECIMAL(10,6) CHECK (yes_payout BETWEEN 0 AND 1),
    pnl DECIMAL(18,6),
    PRIMARY KEY (candidate_id)
);
