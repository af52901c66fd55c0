with

candles as (
    select * from {{ ref('stg_candles') }}
),

trades as (
    select * from {{ ref('stg_trades') }}
),

periods as (
    select cast(unnest([1, 60, 1440]) as integer) as period_minutes
),

placed_trades as (
    select
        trades.ticker,
        trades.trade_id,
        trades.created_time,
        trades.contracts,
        trades.yes_price,
        periods.period_minutes,
        -- Daily bars start at midnight US Eastern.
        case
            when periods.period_minutes = 1440
                then time_bucket(interval 1 day, trades.created_time, 'America/New_York')
            else time_bucket(to_minutes(periods.period_minutes), trades.created_time)
        end as bucket_start
    from trades
    cross join periods
),

-- Trades are served newest first; the order of a bar is the order in time.
bars_of_trades as (
    select
        ticker,
        period_minutes,
        bucket_start,
        'trades' as source,
        arg_min(yes_price, (created_time, trade_id)) as price_open,
        max(yes_price) as price_high,
        min(yes_price) as price_low,
        arg_max(yes_price, (created_time, trade_id)) as price_close,
        cast(sum(yes_price * contracts) / nullif(sum(contracts), 0) as decimal(10, 6)) as price_mean,
        cast(sum(contracts) as decimal(18, 2)) as volume
    from placed_trades
    group by ticker, period_minutes, bucket_start
),

bars_of_all_sources as (
    select
        ticker,
        period_minutes,
        bucket_start,
        source,
        yes_bid_close,
        yes_ask_close,
        price_open,
        price_high,
        price_low,
        price_close,
        price_mean,
        volume
    from candles
    union all
    select
        ticker,
        period_minutes,
        bucket_start,
        source,
        cast(null as decimal(10, 6)) as yes_bid_close,
        cast(null as decimal(10, 6)) as yes_ask_close,
        price_open,
        price_high,
        price_low,
        price_close,
        price_mean,
        volume
    from bars_of_trades
)

select
    ticker,
    period_minutes,
    bucket_start,
    source,
    yes_bid_close,
    yes_ask_close,
    price_open,
    price_high,
    price_low,
    price_close,
    price_mean,
    volume,
    row_number() over (
        partition by ticker, period_minutes, bucket_start
        order by source = 'api_event' desc
    ) = 1 as is_preferred
from bars_of_all_sources
