{%- set bar = ['open', 'high', 'low', 'close'] -%}

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
        {%- for side in ['yes_bid', 'yes_ask'] %}
            {%- for name in bar %}
        {{ quoted_price(side ~ '_' ~ name) }} as {{ side }}_{{ name }},
            {%- endfor %}
        {%- endfor %}
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
