{#- Per event, revisions are numbered 0, 1, 2, ... in the order they became known, and only the last is the latest. -#}
{% test consecutive_revisions(model) %}

with

numbered as (
    select
        event_ticker,
        revision_number,
        learned_at,
        is_latest,
        row_number() over (partition by event_ticker order by revision_number) - 1 as expected_number,
        lag(learned_at) over (partition by event_ticker order by revision_number) as previously_learned_at,
        lead(revision_number) over (partition by event_ticker order by revision_number) is null as expected_latest
    from {{ model }}
)

select * from numbered
where
    revision_number != expected_number
    or learned_at <= previously_learned_at
    or is_latest != expected_latest

{% endtest %}
