with

series_versions as (
    select * from {{ ref('stg_series') }}
),

current_series as (
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
        min(observed_at) over (partition by series_ticker) as first_observed_at,
        observed_at,
        cast(count(*) over (partition by series_ticker) as integer) as version_count
    from series_versions
    qualify row_number() over (partition by series_ticker order by observed_at desc) = 1
)

select * from current_series
