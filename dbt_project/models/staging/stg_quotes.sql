with

source as (
    select * from {{ source('raw', 'quotes') }}
),

quotes as (
    select
        ticker,
        observed_at,
        status,
        {{ quoted_price('yes_bid', size='yes_bid_size') }} as yes_bid,
        {{ quoted_price('yes_ask', size='yes_ask_size') }} as yes_ask,
        nullif(yes_bid_size, 0) as yes_bid_size,
        nullif(yes_ask_size, 0) as yes_ask_size,
        nullif(last_price, 0) as last_price,
        volume,
        volume_24h,
        open_interest,
        ingested_at,
        partition_date
    from source
)

select * from quotes
