{#- The number a published text states, or NULL where it states none. A sign, a dollar sign, thousands separators in
    groups of three and a percent sign are read; anything else is free text and is never guessed. A percentage keeps its
    scale: '4.2%' is 4.2, the unit in which strikes are listed. -#}
{% macro parse_published_value(published_text) -%}
    case
        when regexp_full_match(
            trim({{ published_text }}),
            '[+-]?\$?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)\s?%?'
        )
            then try_cast(regexp_replace({{ published_text }}, '[\s$,%]', '', 'g') as double)
    end
{%- endmacro %}
