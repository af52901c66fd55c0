{#- What has to happen to the settled value for YES to pay, in words. -#}
{% macro payoff(strike_type, floor_strike, cap_strike) -%}
    case {{ strike_type }}
        when 'greater' then 'above ' || {{ strike_text(floor_strike) }}
        when 'greater_or_equal' then {{ strike_text(floor_strike) }} || ' or above'
        when 'less' then 'below ' || {{ strike_text(cap_strike) }}
        when 'less_or_equal' then {{ strike_text(cap_strike) }} || ' or below'
        when 'between' then 'from ' || {{ strike_text(floor_strike) }} || ' to ' || {{ strike_text(cap_strike) }}
    end
{%- endmacro %}

{% macro strike_text(strike) -%}
    regexp_replace(cast({{ strike }} as varchar), '\.0$', '')
{%- endmacro %}
