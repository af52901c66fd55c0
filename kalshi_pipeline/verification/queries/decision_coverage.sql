-- Open markets at both decision times; faulty where no bar of the last 90 minutes had ended by then.
select
    series_ticker as subject,
    count(*) as checked,
    count(*) filter (where available_ts is null or decision_ts - available_ts > interval 90 minute) as faulty
from research.hybrid_backtest
where decision_ts::date between $first_day and $last_day
    and ticker is not null
    and coalesce(reason, '') not in ('not_open_yet', 'closed')
group by all
order by subject
