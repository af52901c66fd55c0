{{ config(alias='event_outcomes_v1') }}

with

event_values as (
    select * from {{ ref('int_event_values') }}
)

select
    event_ticker,
    series_ticker,
    value,
    value_text,
    learned_at,
    source,
    is_latest
from event_values
