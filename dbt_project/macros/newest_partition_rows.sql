{#- The rows of a fact's partitions that were loaded last. -#}
{% macro newest_partition_rows(model, partition_count) -%}
(
    select * from {{ model }}
    where partition_date in (
        select partition_date from {{ model }}
        group by partition_date
        order by max(load_id) desc
        limit {{ partition_count }}
    )
)
{%- endmacro %}
