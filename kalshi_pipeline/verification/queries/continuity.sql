-- Bars are sparse by design (no change, no bar); what counts is a silence longer than an hour.
with bars as (
    select
        ticker,
        period_minutes,
        bucket_start,
        bucket_end,
        lag(bucket_end) over (partition by ticker, period_minutes, source order by bucket_end) as earlier_end
    from marts.candles
    where partition_date between $first_day and $last_day
)
select
    markets.series_ticker as subject,
    count(*) as checked,
    count(*) filter (where bars.bucket_start > bars.earlier_end + to_minutes(60 + bars.period_minutes)) as faulty
from bars
inner join marts.markets as markets on bars.ticker = markets.ticker
where bars.earlier_end is not null
group by all
order by subject
