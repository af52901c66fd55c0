-- The key of a bar: market, length, start and source.
with bars as (
    select ticker, period_minutes, bucket_start, source, count(*) as copies
    from marts.candles
    where partition_date between $first_day and $last_day
    group by all
)
select 'candles' as subject, count(*) as checked, count(*) filter (where copies > 1) as faulty
from bars
having count(*) > 0
