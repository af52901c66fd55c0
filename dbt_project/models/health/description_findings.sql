with

markets as (
    select * from {{ ref('markets') }}
),

events as (
    select * from {{ ref('events') }}
),

specifications as (
    select * from {{ ref('market_specifications') }}
),

zones as (
    select * from {{ city_zones() }}
),

first_specifications as (
    select * from specifications
    where specification_number = 1
),

restated_markets as (
    select distinct
        specifications.ticker,
        specifications.event_ticker,
        specifications.series_ticker
    from specifications
    inner join first_specifications as originals on specifications.ticker = originals.ticker
    where
        specifications.strike_type is distinct from originals.strike_type
        or specifications.floor_strike is distinct from originals.floor_strike
        or specifications.cap_strike is distinct from originals.cap_strike
        or specifications.event_ticker is distinct from originals.event_ticker
),

event_times as (
    select
        event_ticker,
        mode(close_time) as usual_close
    from markets
    group by event_ticker
),

-- A series closes by one clock, that of its own zone; where it does not, nothing can be said.
event_closes as (
    select
        event_times.event_ticker,
        events.series_ticker,
        strftime(
            event_times.usual_close at time zone coalesce(zones.zone, 'America/New_York'), '%H:%M'
        ) as wall_clock
    from event_times
    inner join events on event_times.event_ticker = events.event_ticker
    left join zones on events.series_ticker = zones.series_ticker
),

series_closes as (
    select
        series_ticker,
        mode(wall_clock) as usual_clock,
        count(*) as event_count
    from event_closes
    group by series_ticker
),

regular_series as (
    select
        series_closes.series_ticker,
        series_closes.usual_clock
    from series_closes
    inner join event_closes on series_closes.series_ticker = event_closes.series_ticker
    group by series_closes.series_ticker, series_closes.usual_clock, series_closes.event_count
    having
        series_closes.event_count >= 10
        and count(*) filter (where event_closes.wall_clock = series_closes.usual_clock)
        >= 0.9 * series_closes.event_count
),

all_findings as (
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'ticker_unlike_event' as finding
    from markets
    where not starts_with(ticker, event_ticker)
    union all
    select
        event_ticker as subject,
        event_ticker,
        series_ticker,
        'event_unlike_series' as finding
    from events
    where not starts_with(event_ticker, series_ticker)
    union all
    select
        event_ticker as subject,
        event_ticker,
        series_ticker,
        'event_without_markets' as finding
    from events
    where market_count = 0
    union all
    select
        markets.ticker as subject,
        markets.event_ticker,
        markets.series_ticker,
        'market_without_event' as finding
    from markets
    left join events on markets.event_ticker = events.event_ticker
    where events.event_ticker is null
    union all
    select
        markets.ticker as subject,
        markets.event_ticker,
        markets.series_ticker,
        'closes_apart_from_its_event' as finding
    from markets
    inner join event_times on markets.event_ticker = event_times.event_ticker
    where markets.close_time != event_times.usual_close
    union all
    select
        event_closes.event_ticker as subject,
        event_closes.event_ticker,
        event_closes.series_ticker,
        'closes_by_another_clock' as finding
    from event_closes
    inner join regular_series on event_closes.series_ticker = regular_series.series_ticker
    where event_closes.wall_clock != regular_series.usual_clock
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'closes_before_it_opens' as finding
    from markets
    where close_time <= open_time
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'open_after_its_close' as finding
    from markets
    where status = 'active' and observed_at > close_time
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'payoff_was_changed' as finding
    from restated_markets
)

select distinct
    subject,
    event_ticker,
    series_ticker,
    finding
from all_findings
