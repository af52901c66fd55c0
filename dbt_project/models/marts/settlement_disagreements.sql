with

market_settlements as (
    select * from {{ ref('market_settlements') }}
),

markets as (
    select * from {{ ref('markets') }}
),

first_prints as (
    select * from {{ ref('event_outcomes_first_print') }}
),

compared_markets as (
    select
        settlements.ticker,
        settlements.event_ticker,
        settlements.series_ticker,
        markets.strike_type,
        markets.floor_strike,
        markets.cap_strike,
        settlements.result,
        case
            when {{ pays_yes('markets', 'first_prints.value') }} then 'yes'
            else 'no'
        end as result_by_value,
        first_prints.value,
        first_prints.value_text,
        first_prints.source,
        settlements.learned_at
    from market_settlements as settlements
    inner join markets on settlements.ticker = markets.ticker
    inner join first_prints on settlements.event_ticker = first_prints.event_ticker
    where
        settlements.outcome_kind in ('yes', 'no')
        and {{ pays_yes('markets', 'first_prints.value') }} is not null
)

select * from compared_markets
where result != result_by_value
