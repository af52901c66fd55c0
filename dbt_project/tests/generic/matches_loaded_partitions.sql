{#- Every daily partition holds as many rows as the raw `datasets` it is built from: none lost, none twice, none left
    over. -#}
{% test matches_loaded_partitions(model, datasets) %}

with

loaded_partitions as (
    select
        partition_date,
        sum(loads.rows) as row_count
    from {{ source('meta', 'partition_loads') }} as loads
    where dataset in ('{{ datasets | join("', '") }}')
    group by partition_date
),

held_partitions as (
    select
        partition_date,
        count(*) as row_count
    from {{ model }}
    group by partition_date
)

select
    coalesce(loaded_partitions.partition_date, held_partitions.partition_date) as partition_date,
    coalesce(loaded_partitions.row_count, 0) as loaded_rows,
    coalesce(held_partitions.row_count, 0) as held_rows
from loaded_partitions
full outer join held_partitions on loaded_partitions.partition_date = held_partitions.partition_date
where coalesce(loaded_partitions.row_count, 0) != coalesce(held_partitions.row_count, 0)

{% endtest %}
