with

published_values as (
    select * from {{ ref('int_published_values') }}
    where is_new_value and reject_reason is null
),

-- All markets of an event that state a number at one instant state the same one: the others were rejected.
event_instants as (
    select
        event_ticker,
        min(series_ticker) as series_ticker,
        learned_at,
        min(value) as value,
        min(value_text) as value_text
    from published_values
    group by event_ticker, learned_at
),

event_changes as (
    select
        *,
        coalesce(
            value != lag(value) over (partition by event_ticker order by learned_at), true
        ) as is_new_value
    from event_instants
)

select * exclude (is_new_value)
from event_changes
where is_new_value
