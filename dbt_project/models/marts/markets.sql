with

market_versions as (
    select * from {{ ref('int_market_versions') }}
),

event_versions as (
    select * from {{ ref('stg_events') }}
),

current_markets as (
    select * from market_versions
    where superseded_at is null
),

current_events as (
    select
        event_ticker,
        mutually_exclusive
    from event_versions
    qualify row_number() over (partition by event_ticker order by observed_at desc) = 1
)

select
    current_markets.ticker,
    current_markets.event_ticker,
    current_markets.series_ticker,
    current_events.mutually_exclusive,
    current_markets.market_type,
    current_markets.title,
    current_markets.yes_sub_title,
    current_markets.no_sub_title,
    current_markets.status,
    current_markets.strike_type,
    current_markets.floor_strike,
    current_markets.cap_strike,
    {{ payoff('current_markets.strike_type', 'current_markets.floor_strike', 'current_markets.cap_strike') }} as payoff,
    current_markets.functional_strike,
    current_markets.custom_strike,
    current_markets.created_time,
    current_markets.open_time,
    current_markets.close_time,
    current_markets.occurrence_datetime,
    current_markets.expected_expiration_time,
    current_markets.latest_expiration_time,
    current_markets.settlement_timer_seconds,
    current_markets.can_close_early,
    current_markets.rules_primary,
    current_markets.rules_secondary,
    current_markets.price_level_structure,
    current_markets.price_ranges,
    current_markets.notional_value,
    current_markets.tier,
    current_markets.updated_time,
    current_markets.spec_known_at,
    current_markets.first_observed_at,
    current_markets.observed_at,
    cast(current_markets.version_count as integer) as version_count
from current_markets
left join current_events on current_markets.event_ticker = current_events.event_ticker
