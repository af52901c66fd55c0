with

published_values as (
    select * from {{ ref('int_published_values') }}
),

stated_values as (
    select * from {{ ref('int_stated_values') }}
),

rejects as (
    select
        'exchange_settlement' as source,
        event_ticker,
        series_ticker,
        ticker as stated_by,
        observed_at,
        reject_reason as reason,
        value_text,
        value,
        learned_at
    from published_values
    where reject_reason is not null
    union all
    select
        source,
        event_ticker,
        series_ticker,
        stated_by,
        observed_at,
        reject_reason as reason,
        value_text,
        value,
        learned_at
    from stated_values
    where reject_reason is not null
)

select * from rejects
