with

source as (
    select * from {{ source('raw', 'settlements') }}
),

settlement_versions as (
    select
        ticker,
        event_ticker,
        series_ticker,
        status,
        result,
        settlement_value,
        settlement_ts,
        nullif(trim(expiration_value), '') as expiration_value,
        learned_at,
        learned_at_basis,
        observed_at
    from source
)

select * from settlement_versions
