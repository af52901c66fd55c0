{%- set datasets = ['candles'] -%}

{{ config(
    materialized='incremental',
    incremental_strategy='reloaded_partitions',
    meta={'datasets': datasets},
    post_hook=['{{ create_candles_dense() }}', '{{ create_candles_by_source() }}']
) }}

with

partitions_to_build as (
    {{ partitions_to_build(datasets) }}
),

candles as (
    select * from {{ ref('stg_candles') }}
)

select
    candles.ticker,
    candles.bucket_start,
    candles.bucket_end,
    candles.bucket_end as available_ts,
    candles.source,
    candles.period_minutes,
    candles.quote_kind,
    candles.yes_bid_open,
    candles.yes_bid_high,
    candles.yes_bid_low,
    candles.yes_bid_close,
    candles.yes_ask_open,
    candles.yes_ask_high,
    candles.yes_ask_low,
    candles.yes_ask_close,
    {{ no_side_bars() }},
    candles.price_open,
    candles.price_high,
    candles.price_low,
    candles.price_close,
    candles.price_mean,
    candles.price_previous,
    candles.price_min,
    candles.price_max,
    candles.volume,
    candles.open_interest,
    candles.tier,
    candles.ingested_at,
    candles.partition_date,
    partitions_to_build.load_id
from candles
inner join partitions_to_build on candles.partition_date = partitions_to_build.partition_date
