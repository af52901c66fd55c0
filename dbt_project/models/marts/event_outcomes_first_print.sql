with

event_values as (
    select * from {{ ref('int_event_values') }}
)

select
    event_ticker,
    series_ticker,
    reference_period,
    value,
    value_text,
    learned_at,
    source,
    'first_print' as print_type
from event_values
where revision_number = 0
