-- One check per series that had an edge; the reasons are in the table.
select
    series_ticker as subject,
    1 as checked,
    case when count(*) filter (where stage = 'filled') = 0 then 1 else 0 end as faulty
from research.hybrid_backtest
where decision_ts::date between $first_day and $last_day
group by all
having count(*) filter (where stage in ('edge', 'filled')) > 0
order by subject
