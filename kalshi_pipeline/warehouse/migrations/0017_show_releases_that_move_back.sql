-- When a release was scheduled, as that was known: one row per publisher, period and schedule, and one more for a schedule
-- that an event came back to after another one. It is read from the mapping of events, so the two cannot contradict each
-- other. Several series settle on one release; the first of them to be listed, or moved, makes it known, and a new schedule
-- closes the one before. The period is the one that tickers name.
CREATE OR REPLACE VIEW research.release_versions AS
WITH scheduled AS (
    SELECT
        split_part(release_id, ':', 1) AS publisher,
        release_type,
        split_part(event_ticker, '-', 2) AS period,
        release_id,
        release_ts,
        anchor_ts,
        event_ticker,
        version_id,
        known_at,
        valid_from,
        valid_to,
        lag(release_id) OVER (PARTITION BY event_ticker ORDER BY valid_from) IS DISTINCT FROM release_id AS is_move
    FROM research.event_market_map_versions
),
moves AS (
    SELECT
        *,
        count(*) FILTER (WHERE is_move) OVER (PARTITION BY event_ticker, release_id ORDER BY valid_from) AS nth_time
    FROM scheduled
),
schedules AS (
    SELECT
        publisher,
        any_value(release_type) AS release_type,
        period,
        release_id,
        any_value(release_ts) AS scheduled_at,
        min(anchor_ts) AS anchor_ts,
        count(DISTINCT event_ticker) AS event_count,
        min(version_id) AS version_id,
        min(known_at) AS known_at,
        min(valid_from) AS valid_from,
        CASE WHEN count(*) = count(valid_to) THEN max(valid_to) END AS valid_until
    FROM moves
    GROUP BY publisher, period, release_id, nth_time
)
SELECT
    publisher,
    release_type,
    period,
    CASE
        WHEN regexp_full_match(period, '\d\d[A-Z]{3}') THEN try_strptime(period || '01', '%y%b%d')
        WHEN regexp_full_match(period, '\d\d[A-Z]{3}\d\d') THEN try_strptime(period, '%y%b%d')
    END::DATE AS period_start,
    row_number() OVER schedule_order::INTEGER AS version_number,
    release_id,
    scheduled_at,
    anchor_ts,
    event_count::INTEGER AS event_count,
    version_id,
    known_at,
    valid_from,
    coalesce(lead(valid_from) OVER schedule_order, valid_until) AS valid_to
FROM schedules
WINDOW schedule_order AS (PARTITION BY publisher, period ORDER BY valid_from, release_id);
