{{ config(post_hook=[
    '{{ create_specifications_asof() }}', '{{ create_mapping_asof() }}', '{{ create_releases_asof() }}'
]) }}

with

market_versions as (
    select * from {{ ref('int_market_versions') }}
),

hashed_versions as (
    select
        *,
        sha256(concat_ws(chr(31), coalesce(rules_primary, ''), coalesce(rules_secondary, ''))) as rules_hash,
        hash(
            event_ticker, market_type, title, yes_sub_title, no_sub_title, strike_type, floor_strike, cap_strike,
            functional_strike, custom_strike, open_time, close_time, occurrence_datetime, expected_expiration_time,
            latest_expiration_time, settlement_timer_seconds, can_close_early, rules_primary, rules_secondary,
            price_level_structure, price_ranges, notional_value
        ) as content_hash
    from market_versions
),

-- A version that only moves the status specifies nothing new.
changes as (
    select
        *,
        coalesce(
            content_hash != lag(content_hash) over (partition by ticker order by observed_at), true
        ) as is_new_content
    from hashed_versions
),

specifications as (
    select
        *,
        cast(row_number() over content_order as integer) as specification_number,
        lead(known_at) over content_order as known_until
    from changes
    where is_new_content
    window content_order as (partition by ticker order by observed_at)
)

select
    ticker,
    specification_number,
    event_ticker,
    series_ticker,
    known_at,
    known_until,
    known_until is null as is_current,
    market_type,
    title,
    yes_sub_title,
    no_sub_title,
    strike_type,
    floor_strike,
    cap_strike,
    {{ payoff('strike_type', 'floor_strike', 'cap_strike') }} as payoff,
    functional_strike,
    custom_strike,
    open_time,
    close_time,
    occurrence_datetime,
    expected_expiration_time,
    latest_expiration_time,
    cast(settlement_timer_seconds as bigint) as settlement_timer_seconds,
    can_close_early,
    rules_primary,
    rules_secondary,
    rules_hash,
    price_level_structure,
    price_ranges,
    notional_value,
    observed_at
from specifications
