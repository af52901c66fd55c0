{%- set datasets = ['trades'] -%}

{{ config(
    materialized='incremental',
    incremental_strategy='reloaded_partitions',
    meta={'datasets': datasets}
) }}

with

partitions_to_build as (
    {{ partitions_to_build(datasets) }}
),

trades as (
    select * from {{ ref('stg_trades') }}
)

select
    trades.trade_id,
    trades.ticker,
    trades.created_time,
    trades.created_time as available_ts,
    trades.contracts,
    trades.yes_price,
    trades.no_price,
    trades.taker_outcome_side,
    trades.taker_book_side,
    trades.is_block_trade,
    trades.tier,
    trades.ingested_at,
    trades.partition_date,
    partitions_to_build.load_id
from trades
inner join partitions_to_build on trades.partition_date = partitions_to_build.partition_date
