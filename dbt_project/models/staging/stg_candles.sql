with

source as (
    select * from {{ source('raw', 'candles') }}
),

candles as (
    select
        ticker,
        bucket_start,
        bucket_end,
        source,
        period_minutes,
        quote_kind,
        {{ quoted_price('yes_bid_open') }} as yes_bid_open,
        {{ quoted_price('yes_bid_high') }} as yes_bid_high,
        {{ quoted_price('yes_bid_low') }} as yes_bid_low,
        {{ quoted_price('yes_bid_close') }} as yes_bid_close,
        {{ quoted_price('yes_ask_open') }} as yes_ask_open,
        {{ quoted_price('yes_ask_high') }} as yes_ask_high,
        {{ quoted_price('yes_ask_low') }} as yes_ask_low,
        {{ quoted_price('yes_ask_close') }} as yes_ask_close,
        price_open,
        price_high,
        price_low,
        price_close,
        price_mean,
        price_previous,
        price_min,
        price_max,
        volume,
        open_interest,
        tier,
        ingested_at,
        partition_date
    from source
)

select * from candles
