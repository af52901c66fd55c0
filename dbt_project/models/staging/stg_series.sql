with

source as (
    select * from {{ source('raw', 'series') }}
),

series_versions as (
    select
        series_ticker,
        title,
        category,
        frequency,
        tags,
        settlement_sources,
        fee_type,
        fee_multiplier,
        last_updated_ts,
        observed_at
    from source
)

select * from series_versions
