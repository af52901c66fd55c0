with

source as (
    select * from {{ source('raw', 'events') }}
),

event_versions as (
    select
        event_ticker,
        series_ticker,
        title,
        nullif(sub_title, '') as sub_title,
        mutually_exclusive,
        nullif(collateral_return_type, '') as collateral_return_type,
        strike_date,
        nullif(strike_period, '') as strike_period,
        fee_type_override,
        fee_multiplier_override,
        last_updated_ts,
        observed_at
    from source
)

select * from event_versions
