{#- The first prints are exactly the revisions numbered 0 of `outcomes`: same events, values and knowledge times. -#}
{% test equals_revision_zero(model, outcomes) %}

with

first_prints as (
    select
        event_ticker,
        value,
        learned_at
    from {{ model }}
),

first_revisions as (
    select
        event_ticker,
        value,
        learned_at
    from {{ outcomes }}
    where revision_number = 0
)

(select * from first_prints except select * from first_revisions)
union all
(select * from first_revisions except select * from first_prints)

{% endtest %}
