{#- Daily partitions an incremental fact has to build, each with the number of its latest load: those loaded since the
    fact last built them, and those that hold rows the fact has never seen. A partition that was reloaded as empty is
    among them as long as the fact still holds rows of it. Held and loaded numbers are compared partition by partition,
    so the order in which loads commit does not matter. `datasets` are the raw facts the fact is built from. -#}
{% macro partitions_to_build(datasets) -%}
    select
        loads.partition_date,
        max(loads.load_id) as load_id
    from {{ source('meta', 'partition_loads') }} as loads
    {%- if is_incremental() %}
    left join (
        select
            partition_date,
            max(load_id) as load_id
        from {{ this }}
        group by partition_date
    ) as held on loads.partition_date = held.partition_date
    {%- endif %}
    where loads.dataset in ('{{ datasets | join("', '") }}')
    group by loads.partition_date
    {%- if is_incremental() %}
    having
        max(loads.load_id) > max(held.load_id)
        or (max(held.load_id) is null and sum(loads.rows) > 0)
    {%- endif %}
{%- endmacro %}

{#- Incremental strategy `reloaded_partitions`: empty the partitions to build, then insert what was built. dbt's own
    delete+insert deletes only the partitions that have new rows, and so never empties one. The model states the raw
    facts it is built from as `meta.datasets`. -#}
{% macro get_incremental_reloaded_partitions_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    delete from {{ arguments.target_relation }}
    where partition_date in (select partition_date from ({{ partitions_to_build(config.get('meta').datasets) }}));

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}
