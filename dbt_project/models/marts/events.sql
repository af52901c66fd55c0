with

event_versions as (
    select * from {{ ref('stg_events') }}
),

markets as (
    select * from {{ ref('markets') }}
),

current_events as (
    select
        *,
        min(observed_at) over (partition by event_ticker) as first_observed_at,
        count(*) over (partition by event_ticker) as version_count
    from event_versions
    qualify row_number() over (partition by event_ticker order by observed_at desc) = 1
),

event_windows as (
    select
        event_ticker,
        min(open_time) as open_time,
        max(close_time) as close_time,
        count(*) as market_count
    from markets
    group by event_ticker
)

select
    current_events.event_ticker,
    current_events.series_ticker,
    current_events.title,
    current_events.sub_title,
    current_events.mutually_exclusive,
    current_events.collateral_return_type,
    current_events.strike_date,
    current_events.strike_period,
    event_windows.open_time,
    event_windows.close_time,
    cast(coalesce(event_windows.market_count, 0) as integer) as market_count,
    current_events.fee_type_override,
    current_events.fee_multiplier_override,
    current_events.last_updated_ts,
    current_events.first_observed_at,
    current_events.observed_at,
    cast(current_events.version_count as integer) as version_count
from current_events
left join event_windows on current_events.event_ticker = event_windows.event_ticker
