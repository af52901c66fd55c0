{#- A quote is a price strictly between 0 and 1 dollar: the exchange writes an empty side as 0 or 1. Where the size at
    the best price is known, a size of 0 is an empty side too. -#}
{% macro quoted_price(price, size=none) -%}
    case
        when {{ price }} > 0 and {{ price }} < 1{% if size %} and coalesce({{ size }}, 1) > 0{% endif %}
            then {{ price }}
    end
{%- endmacro %}
