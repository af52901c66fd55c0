{#- Whether a market pays YES at a settled value: `greater` and `less` are strict, both strikes of `between` are
    inclusive. NULL where a strike is missing or the payoff is no comparison. Both sides are rounded as decimals are, so
    that a tenth is the same number on each. `markets` names a relation with strike_type, floor_strike and cap_strike. -#}
{% macro pays_yes(markets, value) -%}
    {%- set floor, cap = 'round(' ~ markets ~ '.floor_strike, 8)', 'round(' ~ markets ~ '.cap_strike, 8)' -%}
    case {{ markets }}.strike_type
        when 'greater' then round({{ value }}, 8) > {{ floor }}
        when 'greater_or_equal' then round({{ value }}, 8) >= {{ floor }}
        when 'less' then round({{ value }}, 8) < {{ cap }}
        when 'less_or_equal' then round({{ value }}, 8) <= {{ cap }}
        when 'between' then round({{ value }}, 8) between {{ floor }} and {{ cap }}
    end
{%- endmacro %}
