{#- Before an incremental model is built: stop if its table has other constraints than the contract states. DuckDB adds
    none to a table that is there, so the change would be skipped without a word. DuckDB itself is asked to make an
    empty table of the contract, and the two are compared. Runs of the pipeline rebuild such a table before they come
    here (docs/decisions/0011); columns are compared by dbt (on_schema_change). -#}
{% macro hold_contract() -%}
    {%- if execute and is_incremental() -%}
        {%- set probe = 'contract_probe_' ~ this.identifier -%}
        {%- do run_query('create or replace temp table ' ~ probe ~ get_table_columns_and_constraints()) -%}
        {%- set stated = constraint_lines("database_name = 'temp' and table_name = '" ~ probe ~ "'") -%}
        {%- set held = constraint_lines(
            "database_name = current_database() and schema_name = '" ~ this.schema
            ~ "' and table_name = '" ~ this.identifier ~ "'"
        ) -%}
        {%- do run_query('drop table temp.' ~ probe) -%}
        {%- set differences = [] -%}
        {%- for line in stated if line not in held %}{% do differences.append(line ~ ' is new') %}{% endfor -%}
        {%- for line in held if line not in stated %}{% do differences.append(line ~ ' is gone') %}{% endfor -%}
        {%- if differences -%}
            {%- do exceptions.raise_compiler_error(
                this.schema ~ '.' ~ this.identifier ~ ' was built under another contract (' ~ differences | join('; ')
                ~ '), and DuckDB changes no constraint of a table that is there. Build it anew: dbt build --full-refresh'
                ~ ' --select ' ~ model.name
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro constraint_lines(table_condition) -%}
    {%- set lines = run_query(
        "select constraint_text || if(constraint_type = 'NOT NULL', ' ' || constraint_column_names[1], '') from "
        ~ "duckdb_constraints() where constraint_type != 'FOREIGN KEY' and " ~ table_condition
    ) -%}
    {{ return(lines.columns[0].values() | list) }}
{%- endmacro %}
