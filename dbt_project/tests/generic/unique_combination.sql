{#- No two rows share the values of `columns`; NULLs count as equal. A partitioned fact may look at only its
    `newest_partitions` by load: older ones were looked at when they were the newest, and have not changed since. -#}
{% test unique_combination(model, columns, newest_partitions=none) %}

{%- set tested_rows = newest_partition_rows(model, newest_partitions) if newest_partitions else model -%}

select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ tested_rows }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
