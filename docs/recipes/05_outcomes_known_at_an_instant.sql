-- Which numbers of a series could somebody have known at an instant, first prints and revisions as they stood?
-- $series, $instant.
select
    event_ticker,
    reference_period,
    revision_number,
    value,
    learned_at
from marts.outcomes_asof($instant::timestamptz)
where series_ticker = $series
order by learned_at
