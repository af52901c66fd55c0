-- What was asked of the exchange, what came of it, and what every load was made of.

-- One current row per dataset, partition and unit of work; partition_date is NULL for reference data.
CREATE TABLE meta.ingestion_checkpoint (
    dataset VARCHAR NOT NULL,
    partition_date DATE,
    unit_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL CHECK (state IN ('landed', 'failed')),
    reason VARCHAR,
    path VARCHAR,
    sha256 VARCHAR,
    bytes BIGINT NOT NULL,
    responses BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    run_id VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- One current row per dataset, bar length, day and market that was asked for.
CREATE TABLE meta.market_coverage (
    dataset VARCHAR NOT NULL,
    period_minutes INTEGER,
    partition_date DATE NOT NULL,
    ticker VARCHAR NOT NULL,
    state VARCHAR NOT NULL CHECK (state IN ('has_rows', 'silent', 'failed')),
    rows BIGINT NOT NULL CHECK (rows >= 0),
    reason VARCHAR,
    unit_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    CHECK (state <> 'has_rows' OR rows > 0),
    CHECK ((state = 'failed') = (reason IS NOT NULL))
);

-- Every market of the universe on every day that was taken in, in exactly one state. not_loaded is the state of a
-- market that traded on a day and was not asked for, or whose responses wait to be loaded: no partition may end so.
CREATE VIEW meta.market_states AS
WITH latest_markets AS (
    SELECT ticker, series_ticker, event_ticker, open_time, close_time
    FROM raw.markets
    QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY observed_at DESC) = 1
),
asked_partitions AS (
    SELECT DISTINCT dataset, period_minutes, partition_date FROM meta.market_coverage
),
partitions AS (
    SELECT dataset, period_minutes, partition_date FROM asked_partitions
    UNION ALL
    SELECT dataset, NULL, partition_date
    FROM meta.partition_loads ANTI JOIN asked_partitions USING (dataset, partition_date)
    WHERE dataset IN ('candles', 'trades')
)
SELECT
    p.dataset,
    p.period_minutes,
    p.partition_date,
    m.ticker,
    m.event_ticker,
    m.series_ticker,
    CASE
        WHEN c.state IS NOT NULL THEN c.state
        WHEN
            m.open_time < (p.partition_date + 1)::TIMESTAMP AT TIME ZONE 'UTC'
            AND m.close_time > p.partition_date::TIMESTAMP AT TIME ZONE 'UTC'
            THEN 'not_loaded'
        ELSE 'not_open'
    END AS state,
    coalesce(c.rows, 0) AS rows,
    c.reason,
    c.unit_id
FROM partitions AS p
CROSS JOIN latest_markets AS m
LEFT JOIN meta.market_coverage AS c
    ON p.dataset = c.dataset
    AND p.period_minutes IS NOT DISTINCT FROM c.period_minutes
    AND p.partition_date = c.partition_date
    AND m.ticker = c.ticker;

-- One row per run, stage and dataset, only ever added.
CREATE TABLE meta.ingestion_log (
    run_id VARCHAR NOT NULL,
    stage VARCHAR NOT NULL CHECK (stage IN ('landing', 'loading')),
    dataset VARCHAR NOT NULL,
    first_day DATE,
    last_day DATE,
    outcome VARCHAR NOT NULL CHECK (outcome IN ('done', 'failed')),
    message VARCHAR,
    figures JSON NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- What each load of a partition was made of, only ever added: one row per run, table and day.
CREATE TABLE meta.data_provenance (
    run_id VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    partition_date DATE,
    source VARCHAR NOT NULL,
    code_version VARCHAR NOT NULL,
    units BIGINT NOT NULL,
    units_sha256 VARCHAR NOT NULL,
    load_id BIGINT,
    loaded_at TIMESTAMPTZ NOT NULL
);
