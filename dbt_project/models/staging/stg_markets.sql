with

source as (
    select * from {{ source('raw', 'markets') }}
),

market_versions as (
    select
        ticker,
        event_ticker,
        series_ticker,
        market_type,
        nullif(title, '') as title,
        nullif(yes_sub_title, '') as yes_sub_title,
        nullif(no_sub_title, '') as no_sub_title,
        status,
        nullif(strike_type, '') as strike_type,
        floor_strike,
        cap_strike,
        nullif(functional_strike, '') as functional_strike,
        custom_strike,
        created_time,
        open_time,
        close_time,
        occurrence_datetime,
        expected_expiration_time,
        latest_expiration_time,
        settlement_timer_seconds,
        can_close_early,
        nullif(rules_primary, '') as rules_primary,
        nullif(rules_secondary, '') as rules_secondary,
        price_level_structure,
        price_ranges,
        notional_value,
        tier,
        updated_time,
        observed_at
    from source
)

select * from market_versions
