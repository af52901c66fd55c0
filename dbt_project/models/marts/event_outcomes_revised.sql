with

event_values as (
    select * from {{ ref('int_event_values') }}
),

first_prints as (
    select
        event_ticker,
        value
    from event_values
    where revision_number = 0
)

select
    event_values.event_ticker,
    event_values.series_ticker,
    event_values.reference_period,
    event_values.revision_number,
    event_values.value,
    first_prints.value as first_print_value,
    event_values.value_text,
    event_values.learned_at,
    event_values.source,
    'revised' as print_type
from event_values
inner join first_prints on event_values.event_ticker = first_prints.event_ticker
where event_values.is_latest and event_values.revision_number > 0
