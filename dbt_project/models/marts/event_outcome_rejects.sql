with

published_values as (
    select * from {{ ref('int_published_values') }}
),

rejects as (
    select
        ticker,
        observed_at,
        event_ticker,
        series_ticker,
        reject_reason as reason,
        value_text,
        value,
        learned_at
    from published_values
    where reject_reason is not null
)

select * from rejects
