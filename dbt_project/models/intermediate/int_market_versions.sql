{%- set payoff_terms = [
    'event_ticker', 'market_type', 'strike_type', 'floor_strike', 'cap_strike', 'functional_strike', 'custom_strike'
] -%}

with

market_versions as (
    select * from {{ ref('stg_markets') }}
),

numbered_versions as (
    select
        *,
        row_number() over version_order as version_number,
        count(*) over (partition by ticker) as version_count,
        min(observed_at) over (partition by ticker) as first_observed_at,
        lead(observed_at) over version_order as superseded_at,
        hash({{ payoff_terms | join(', ') }}) as payoff_hash
    from market_versions
    window version_order as (partition by ticker order by observed_at)
),

-- A listing is public from the moment it opens, so its first version was knowable before we first looked.
known_versions as (
    select
        *,
        case
            when version_number = 1
                then least(observed_at, greatest(open_time, coalesce(created_time, open_time)))
            else observed_at
        end as known_at,
        coalesce(payoff_hash != lag(payoff_hash) over version_order, true) as is_new_payoff
    from numbered_versions
    window version_order as (partition by ticker order by observed_at)
),

-- A version that changes only words, times or status leaves the payoff known since before.
payoff_versions as (
    select
        * exclude (payoff_hash, is_new_payoff),
        max(case when is_new_payoff then known_at end) over (
            partition by ticker
            order by observed_at
            rows between unbounded preceding and current row
        ) as spec_known_at
    from known_versions
)

select * from payoff_versions
