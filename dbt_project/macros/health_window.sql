{#- Days that health looks at: the last 60 for which candles were loaded. -#}
{% macro health_days() -%}
    select partition_date
    from {{ source('meta', 'partition_loads') }} as loads
    where loads.dataset = 'candles'
    group by partition_date
    order by partition_date desc
    limit 60
{%- endmacro %}

{#- First of the days that health looks at, for scans of facts. -#}
{% macro health_since() -%}
    (select min(partition_date) from ({{ health_days() }}))
{%- endmacro %}
