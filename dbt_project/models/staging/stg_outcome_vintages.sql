with

source as (
    select * from {{ source('raw', 'outcome_vintages') }}
),

-- What a feed says anew about an old vintage could not be known before it was said.
outcome_vintages as (
    select
        source,
        series_ticker,
        release_id,
        event_ticker,
        reference_period,
        stated_by,
        value_text,
        value,
        reject_reason,
        vintage_at,
        case
            when row_number() over (
                partition by source, release_id, stated_by, vintage_at
                order by observed_at
            ) = 1 then learned_at
            else greatest(learned_at, observed_at)
        end as learned_at,
        learned_at_basis,
        observed_at
    from source
)

select * from outcome_vintages
