-- By how much did first prints differ from what the market expected an hour before? $release_type.
with expected as (
    select d.ladder_id, d.mean, d.std
    from research.implied_distributions as d
    inner join research.releases as r using (ladder_id)
    where not d.hard_gate_failed and d."asof" <= r.anchor_ts - interval 1 hour
    qualify row_number() over (partition by d.ladder_id order by d."asof" desc) = 1
)

select
    l.event_ticker,
    l.anchor_ts,
    l.first_print_value,
    e.mean as expected,
    l.first_print_value - e.mean as surprise,
    (l.first_print_value - e.mean) / nullif(e.std, 0) as surprise_in_deviations
from research.event_labels as l
inner join expected as e using (ladder_id)
where l.release_type = $release_type and l.has_label
order by l.anchor_ts
