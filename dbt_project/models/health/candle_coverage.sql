with

health_days as (
    {{ health_days() }}
),

markets as (
    select * from {{ ref('markets') }}
),

bars as (
    select
        ticker,
        partition_date,
        count(*) as bar_count,
        max(ingested_at) as received_at
    from {{ ref('candles') }}
    where partition_date >= {{ health_since() }}
    group by ticker, partition_date
),

-- The running day is known up to when the newest bar was received.
known_bars as (
    select max(received_at) as received_at from bars
),

fetched_markets as (
    select distinct
        partition_date,
        ticker
    from {{ source('meta', 'market_coverage') }}
    where dataset = 'candles' and state != 'failed' and partition_date >= {{ health_since() }}
),

expected_markets as (
    select
        markets.ticker,
        markets.event_ticker,
        markets.series_ticker,
        markets.close_time,
        health_days.partition_date
    from markets
    cross join known_bars
    inner join health_days
        on
            markets.open_time < cast(health_days.partition_date + interval 1 day as timestamptz)
            and markets.close_time > cast(health_days.partition_date as timestamptz)
    where markets.open_time < coalesce(known_bars.received_at, 'infinity')
),

event_days as (
    select
        expected_markets.series_ticker,
        expected_markets.event_ticker,
        expected_markets.partition_date,
        date_diff('day', expected_markets.partition_date, cast(max(expected_markets.close_time) as date)) as lead_days,
        count(*) as expected_markets,
        count(bars.ticker) as present_markets,
        count(*) filter (where bars.ticker is null and fetched_markets.ticker is not null) as silent_markets,
        count(*) filter (where bars.ticker is null and fetched_markets.ticker is null) as never_fetched_markets,
        coalesce(sum(bars.bar_count), 0) as bar_count
    from expected_markets
    left join bars
        on expected_markets.ticker = bars.ticker and expected_markets.partition_date = bars.partition_date
    left join fetched_markets
        on
            expected_markets.ticker = fetched_markets.ticker
            and expected_markets.partition_date = fetched_markets.partition_date
    group by expected_markets.series_ticker, expected_markets.event_ticker, expected_markets.partition_date
)

select
    series_ticker,
    event_ticker,
    partition_date,
    cast(lead_days as integer) as lead_days,
    cast(expected_markets as integer) as expected_markets,
    cast(present_markets as integer) as present_markets,
    cast(silent_markets as integer) as silent_markets,
    cast(never_fetched_markets as integer) as never_fetched_markets,
    cast(bar_count as bigint) as bar_count
from event_days
