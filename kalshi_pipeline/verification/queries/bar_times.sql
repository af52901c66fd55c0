-- A daily bar ends at midnight US Eastern, so it lasts 23 or 25 hours on the days of the switch.
select
    'candles' as subject,
    count(*) as checked,
    count(*) filter (
        where case
            when period_minutes < 1440 then bucket_end <> bucket_start + to_minutes(period_minutes)
            else date_diff('hour', bucket_start, bucket_end) not between 23 and 25
        end
    ) as faulty
from marts.candles
where partition_date between $first_day and $last_day
having count(*) > 0
