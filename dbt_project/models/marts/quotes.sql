{%- set datasets = ['quotes', 'candles'] -%}

{{ config(
    materialized='incremental',
    incremental_strategy='reloaded_partitions',
    meta={'datasets': datasets},
    post_hook='{{ create_quotes_asof() }}'
) }}

with

partitions_to_build as (
    {{ partitions_to_build(datasets) }}
),

snapshots as (
    select * from {{ ref('stg_quotes') }}
),

candles as (
    select * from {{ ref('stg_candles') }}
),

live_quotes as (
    select
        ticker,
        observed_at,
        'order_book' as quote_kind,
        'live_snapshot' as source,
        cast(null as integer) as period_minutes,
        yes_bid,
        yes_ask,
        yes_bid_size,
        yes_ask_size,
        last_price,
        volume,
        open_interest,
        status,
        ingested_at,
        partition_date
    from snapshots
),

-- The close of a bar is known when the bar ends, never before.
candle_quotes as (
    select
        ticker,
        bucket_end as observed_at,
        quote_kind,
        source,
        period_minutes,
        yes_bid_close as yes_bid,
        yes_ask_close as yes_ask,
        cast(null as decimal(18, 2)) as yes_bid_size,
        cast(null as decimal(18, 2)) as yes_ask_size,
        coalesce(price_close, price_previous) as last_price,
        volume,
        open_interest,
        cast(null as varchar) as status,
        ingested_at,
        partition_date
    from candles
),

quotes_of_all_sources as (
    select * from live_quotes
    union all
    select * from candle_quotes
)

-- An empty side is NULL, and what is computed from it is NULL with it.
select
    quotes.ticker,
    quotes.observed_at,
    quotes.observed_at as available_ts,
    quotes.quote_kind,
    quotes.source,
    quotes.period_minutes,
    quotes.yes_bid,
    quotes.yes_ask,
    {{ opposite_price('quotes.yes_ask') }} as no_bid,
    {{ opposite_price('quotes.yes_bid') }} as no_ask,
    quotes.yes_bid_size,
    quotes.yes_ask_size,
    cast((quotes.yes_bid + quotes.yes_ask) / 2 as decimal(10, 6)) as mid,
    cast(quotes.yes_ask - quotes.yes_bid as decimal(10, 6)) as spread,
    (quotes.yes_bid + quotes.yes_ask) / 2 as implied_probability,
    quotes.last_price,
    quotes.volume,
    quotes.open_interest,
    quotes.status,
    quotes.ingested_at,
    quotes.partition_date,
    partitions_to_build.load_id
from quotes_of_all_sources as quotes
inner join partitions_to_build on quotes.partition_date = partitions_to_build.partition_date
