-- Markets open at a decision, by series and decision; faulty where no bar of the hour before had ended by then.
select
    series_ticker || case days_before when 1 then ', the day before' else ', the day itself' end as subject,
    count(*) as checked,
    count(*) filter (where not is_covered) as faulty
from health.decision_times_between($first_day, $last_day)
where was_open
group by all
order by subject
