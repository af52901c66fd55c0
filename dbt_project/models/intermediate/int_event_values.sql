with

stated_values as (
    select * from {{ ref('int_stated_values') }}
    where reject_reason is null
),

first_of_feeds as (
    select
        *,
        min(learned_at) over (partition by event_ticker) as first_learned_at
    from stated_values
    where is_first_of_feed
),

-- The first print counts from the first feed that had it; feeds that repeat it add nothing, and the period that they
-- name was not known with it.
known_values as (
    select
        event_ticker,
        arg_min(series_ticker, learned_at) as series_ticker,
        max(reference_period) filter (where learned_at = first_learned_at) as reference_period,
        arg_min(source, learned_at) as source,
        min(learned_at) as learned_at,
        min(value) as value,
        arg_min(value_text, learned_at) as value_text
    from first_of_feeds
    group by event_ticker
    union all
    select
        event_ticker,
        series_ticker,
        reference_period,
        source,
        learned_at,
        value,
        value_text
    from stated_values
    where not is_first_of_feed
),

-- Two feeds may bring one revision at one moment, or one after the other.
event_instants as (
    select
        event_ticker,
        learned_at,
        min(series_ticker) as series_ticker,
        max(reference_period) as reference_period,
        arg_min(value, source = 'alfred') as value,
        arg_min(value_text, source = 'alfred') as value_text,
        arg_min(source, source = 'alfred') as source
    from known_values
    group by event_ticker, learned_at
),

event_changes as (
    select
        *,
        coalesce(value != lag(value) over knowledge_order, true) as is_new_value,
        max(reference_period) over knowledge_order as known_period
    from event_instants
    window knowledge_order as (partition by event_ticker order by learned_at)
),

revisions as (
    select
        event_ticker,
        series_ticker,
        known_period as reference_period,
        cast(row_number() over knowledge_order - 1 as integer) as revision_number,
        value,
        value_text,
        learned_at,
        source,
        lead(learned_at) over knowledge_order is null as is_latest
    from event_changes
    where is_new_value
    window knowledge_order as (partition by event_ticker order by learned_at)
)

select * from revisions
