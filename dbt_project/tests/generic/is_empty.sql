{#- The model holds no row: for tables that list what went wrong. -#}
{% test is_empty(model) %}

select * from {{ model }}

{% endtest %}
