{#- The price of the NO side that a YES price on the other side of the book implies: a YES bid of 0.40 is a NO ask of
    0.60. -#}
{% macro opposite_price(price) -%}
    cast(1 - {{ price }} as decimal(10, 6))
{%- endmacro %}

{#- Bars of the NO side from the bars of the YES side. Taking a price from 1 reverses its order, so the high of one side
    comes from the low of the other. -#}
{% macro no_side_bars() -%}
    {{ opposite_price('yes_ask_open') }} as no_bid_open,
    {{ opposite_price('yes_ask_low') }} as no_bid_high,
    {{ opposite_price('yes_ask_high') }} as no_bid_low,
    {{ opposite_price('yes_ask_close') }} as no_bid_close,
    {{ opposite_price('yes_bid_open') }} as no_ask_open,
    {{ opposite_price('yes_bid_low') }} as no_ask_high,
    {{ opposite_price('yes_bid_high') }} as no_ask_low,
    {{ opposite_price('yes_bid_close') }} as no_ask_close
{%- endmacro %}
