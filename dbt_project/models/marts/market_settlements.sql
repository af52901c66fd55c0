with

settlement_versions as (
    select * from {{ ref('int_settlement_versions') }}
),

markets as (
    select * from {{ ref('markets') }}
),

current_settlements as (
    select
        settlement_versions.*,
        markets.market_type
    from settlement_versions
    left join markets on settlement_versions.ticker = markets.ticker
    where settlement_versions.superseded_at is null
),

-- The exchange has no word for a void: a binary market that pays a part of a dollar was settled like one.
classified_settlements as (
    select
        *,
        case
            when result in ('yes', 'no') then result
            when
                result = 'scalar' and coalesce(market_type, '') != 'scalar'
                and settlement_value > 0 and settlement_value < 1
                then 'void_like'
            when result = 'scalar' then 'scalar'
            else 'unknown'
        end as outcome_kind,
        coalesce(
            settlement_value,
            case result when 'yes' then 1 when 'no' then 0 end
        ) as yes_payout
    from current_settlements
)

select
    ticker,
    event_ticker,
    series_ticker,
    result,
    outcome_kind,
    settlement_value,
    cast(yes_payout as decimal(10, 6)) as yes_payout,
    cast(1 - yes_payout as decimal(10, 6)) as no_payout,
    expiration_value,
    status,
    coalesce(status = 'finalized', false) as is_final,
    settlement_ts,
    learned_at,
    learned_at_basis,
    cast(outcome_number as integer) as outcome_number,
    first_observed_at,
    observed_at,
    cast(version_count as integer) as version_count
from classified_settlements
