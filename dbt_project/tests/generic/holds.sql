{#- Every row satisfies `condition`; a row for which it is unknown (NULL) passes. -#}
{% test holds(model, condition) %}

select * from {{ model }}
where not ({{ condition }})

{% endtest %}
