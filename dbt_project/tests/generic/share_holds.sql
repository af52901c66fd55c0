{#- Of the rows that `of` selects, at least `share` satisfy `condition`. -#}
{% test share_holds(model, condition, of, share) %}

select
    count(*) as row_count,
    count(*) filter (where {{ condition }}) as satisfying_count
from {{ model }}
where {{ of }}
having count(*) filter (where {{ condition }}) < {{ share }} * count(*)

{% endtest %}
