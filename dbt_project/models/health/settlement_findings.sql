with

settlements as (
    select * from {{ ref('market_settlements') }}
),

markets as (
    select * from {{ ref('markets') }}
),

rejects as (
    select * from {{ ref('event_outcome_rejects') }}
),

disagreements as (
    select * from {{ ref('settlement_disagreements') }}
),

first_prints as (
    select * from {{ ref('event_outcomes_first_print') }}
),

settled_markets as (
    select
        settlements.*,
        markets.close_time,
        markets.mutually_exclusive,
        markets.strike_type,
        markets.floor_strike
    from settlements
    inner join markets on settlements.ticker = markets.ticker
),

unsettled_markets as (
    select
        markets.ticker,
        markets.event_ticker,
        markets.series_ticker
    from markets
    left join settlements on markets.ticker = settlements.ticker
    where markets.status in ('determined', 'amended', 'finalized') and settlements.ticker is null
),

-- A number with more decimals than any other of its series: the grid is what all others keep.
decimals as (
    select
        event_ticker,
        series_ticker,
        length(regexp_extract(cast(cast(value as decimal(18, 6)) as varchar), '\.([0-9]*?)0*$', 1)) as decimal_count
    from first_prints
),

finer_values as (
    select
        event_ticker,
        series_ticker
    from decimals
    qualify
        count(*) over (partition by series_ticker) >= 10
        and decimal_count > quantile_cont(decimal_count, 0.9) over (partition by series_ticker)
),

exclusive_events as (
    select
        event_ticker,
        any_value(series_ticker) as series_ticker,
        count(*) filter (where result = 'yes') as winners,
        count(*) filter (where result not in ('yes', 'no')) as other_results
    from settled_markets
    where mutually_exclusive
    group by event_ticker
),

-- Whoever is above the higher threshold is above the lower one.
thresholds as (
    select
        event_ticker,
        ticker,
        series_ticker,
        result,
        bool_or(result = 'yes') over (
            partition by event_ticker
            order by floor_strike
            rows between 1 following and unbounded following
        ) as pays_above
    from settled_markets
    where strike_type in ('greater', 'greater_or_equal') and not coalesce(mutually_exclusive, false)
),

all_findings as (
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'settled_before_its_close' as finding
    from settled_markets
    where settlement_ts < close_time
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'payout_unlike_result' as finding
    from settled_markets
    where yes_payout != if(result = 'yes', 1, 0) and result in ('yes', 'no')
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'result_was_changed' as finding
    from settled_markets
    where outcome_number > 1
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'settled_without_result' as finding
    from unsettled_markets
    union all
    select
        event_ticker as subject,
        event_ticker,
        series_ticker,
        'finer_than_its_grid' as finding
    from finer_values
    union all
    select
        event_ticker as subject,
        event_ticker,
        series_ticker,
        'not_one_winner' as finding
    from exclusive_events
    where winners > 1 or (winners = 0 and other_results = 0)
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'pays_less_than_a_higher_threshold' as finding
    from thresholds
    where result = 'no' and pays_above
    union all
    select
        ticker as subject,
        event_ticker,
        series_ticker,
        'result_unlike_value' as finding
    from disagreements
    union all
    select
        event_ticker as subject,
        event_ticker,
        any_value(series_ticker) as series_ticker,
        reason as finding
    from rejects
    where reason in ('markets_disagree', 'sources_disagree')
    group by event_ticker, reason
)

select distinct
    subject,
    event_ticker,
    series_ticker,
    finding
from all_findings
