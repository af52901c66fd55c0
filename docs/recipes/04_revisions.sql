-- How far were first prints revised, by whom and when? $series.
select
    event_ticker,
    reference_period,
    first_print_value,
    value as last_value,
    value - first_print_value as revised_by,
    revision_number as revisions,
    learned_at,
    source
from marts.event_outcomes_revised
where series_ticker = $series
order by reference_period
