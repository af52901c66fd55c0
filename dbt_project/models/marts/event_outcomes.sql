with

event_values as (
    select * from {{ ref('int_event_values') }}
),

revisions as (
    select
        event_ticker,
        series_ticker,
        cast(row_number() over (partition by event_ticker order by learned_at) - 1 as integer) as revision_number,
        value,
        value_text,
        learned_at,
        'exchange_settlement' as source,
        lead(learned_at) over (partition by event_ticker order by learned_at) is null as is_latest
    from event_values
)

select * from revisions
