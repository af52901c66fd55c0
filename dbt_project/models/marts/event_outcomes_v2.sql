{{ config(alias='event_outcomes', post_hook='{{ create_outcomes_asof() }}') }}

with

event_values as (
    select * from {{ ref('int_event_values') }}
)

select
    event_ticker,
    series_ticker,
    reference_period,
    revision_number,
    value,
    value_text,
    learned_at,
    source,
    is_latest
from event_values
