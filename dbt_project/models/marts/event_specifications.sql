with

event_versions as (
    select * from {{ ref('stg_events') }}
),

changes as (
    select
        *,
        coalesce(
            hash(
                series_ticker, title, sub_title, mutually_exclusive, collateral_return_type, strike_date, strike_period,
                fee_type_override, fee_multiplier_override
            ) != lag(
                hash(
                    series_ticker, title, sub_title, mutually_exclusive, collateral_return_type, strike_date,
                    strike_period, fee_type_override, fee_multiplier_override
                )
            ) over (partition by event_ticker order by observed_at),
            true
        ) as is_new_content
    from event_versions
),

specifications as (
    select
        *,
        cast(row_number() over content_order as integer) as specification_number,
        lead(observed_at) over content_order as known_until
    from changes
    where is_new_content
    window content_order as (partition by event_ticker order by observed_at)
)

select
    event_ticker,
    specification_number,
    series_ticker,
    observed_at as known_at,
    known_until,
    known_until is null as is_current,
    title,
    sub_title,
    mutually_exclusive,
    collateral_return_type,
    strike_date,
    strike_period,
    fee_type_override,
    fee_multiplier_override
from specifications
