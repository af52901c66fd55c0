{#- The price of the NO side that a YES price on the opposite side of the book implies: a YES bid of 0.40 is a NO ask of 0.60. -#}
{% macro opposite_price(price) -%}
    cast(1 - {{ price }} as decimal(10, 6))
{%- endmacro %}

{#- Bars of the NO side from the bars of the YES side. Taking a price from 1 reverses its order, so the high of one side
    comes from the low of the other. -#}
{% macro no_side_bars() -%}
    {%- set mirrored = {'open': 'open', 'high': 'low', 'low': 'high', 'close': 'close'} -%}
    {%- for side, opposite in [('bid', 'ask'), ('ask', 'bid')] -%}
        {%- for name, mirror in mirrored.items() %}
    {{ opposite_price('yes_' ~ opposite ~ '_' ~ mirror) }} as no_{{ side }}_{{ name }}
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}
