with

event_values as (
    select * from {{ ref('int_event_values') }}
),

first_prints as (
    select
        event_ticker,
        series_ticker,
        value,
        value_text,
        learned_at,
        'exchange_settlement' as source,
        'first_print' as print_type
    from event_values
    qualify row_number() over (partition by event_ticker order by learned_at) = 1
)

select * from first_prints
