with

settlement_versions as (
    select * from {{ ref('stg_settlements') }}
),

numbered_versions as (
    select
        *,
        count(*) over (partition by ticker) as version_count,
        min(observed_at) over (partition by ticker) as first_observed_at,
        lead(observed_at) over version_order as superseded_at,
        hash(result, settlement_value, expiration_value) as outcome_hash
    from settlement_versions
    window version_order as (partition by ticker order by observed_at)
),

outcome_changes as (
    select
        *,
        coalesce(outcome_hash != lag(outcome_hash) over version_order, true) as is_new_outcome
    from numbered_versions
    window version_order as (partition by ticker order by observed_at)
),

outcome_spells as (
    select
        *,
        count(*) filter (where is_new_outcome) over (
            partition by ticker
            order by observed_at
            rows between unbounded preceding and current row
        ) as outcome_number
    from outcome_changes
),

-- The same outcome seen again (paid after it was determined, say) was known from its first sight on.
known_outcomes as (
    select
        * exclude (outcome_hash, is_new_outcome, learned_at, learned_at_basis),
        min(learned_at) over spell as learned_at,
        arg_min(learned_at_basis, learned_at) over spell as learned_at_basis
    from outcome_spells
    window spell as (partition by ticker, outcome_number)
)

select * from known_outcomes
