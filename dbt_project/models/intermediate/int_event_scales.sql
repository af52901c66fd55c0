with

exchange_values as (
    select * from {{ ref('int_exchange_values') }}
),

market_versions as (
    select * from {{ ref('int_market_versions') }}
),

settlement_versions as (
    select * from {{ ref('int_settlement_versions') }}
),

first_values as (
    select
        event_ticker,
        arg_min(value, learned_at) as value
    from exchange_values
    group by event_ticker
),

settled_markets as (
    select
        markets.event_ticker,
        markets.strike_type,
        markets.floor_strike,
        markets.cap_strike,
        settlements.result,
        -- Strikes that were changed after the market was settled were not known with its result.
        greatest(settlements.learned_at, markets.spec_known_at) as learned_at
    from settlement_versions as settlements
    inner join market_versions as markets on settlements.ticker = markets.ticker
    where
        settlements.superseded_at is null
        and markets.superseded_at is null
        and settlements.result in ('yes', 'no')
),

scales as (
    select unnest([1, 0.000001, 0.001, 0.01, 100, 1000, 1000000]) as scale
),

-- What the number would mean for every settled market at each scale.
judgements as (
    select
        first_values.event_ticker,
        scales.scale,
        markets.learned_at,
        {{ pays_yes('markets', 'first_values.value * scales.scale') }} != (markets.result = 'yes') as is_contradicted
    from first_values
    cross join scales
    inner join settled_markets as markets on first_values.event_ticker = markets.event_ticker
),

-- How many markets were settled against each scale, and since when one was known to be.
trials as (
    select
        event_ticker,
        scale,
        count(*) filter (where is_contradicted) as contradiction_count,
        min(learned_at) filter (where is_contradicted) as contradicted_at
    from judgements
    group by event_ticker, scale
),

-- A number is taken as written unless that contradicts how markets were settled and exactly one other scale does not:
-- 187 thousand beside strikes of 150,000 and 200,000. Where several would do, nothing is guessed.
event_scales as (
    select
        event_ticker,
        case
            when
                min(contradiction_count) filter (where scale = 1) > 0
                and count(*) filter (where contradiction_count = 0) = 1
                then min(scale) filter (where contradiction_count = 0)
            else 1
        end as scale,
        -- One scale is left once all others were contradicted.
        max(contradicted_at) as proven_at
    from trials
    group by event_ticker
)

select
    event_ticker,
    cast(scale as double) as scale,
    proven_at
from event_scales
where scale != 1
