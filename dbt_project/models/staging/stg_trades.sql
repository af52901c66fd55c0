with

source as (
    select * from {{ source('raw', 'trades') }}
),

trades as (
    select
        trade_id,
        ticker,
        created_time,
        count as contracts,
        yes_price,
        no_price,
        taker_outcome_side,
        taker_book_side,
        is_block_trade,
        tier,
        ingested_at,
        partition_date
    from source
)

select * from trades
