-- The opening time is the market's own, never a rule. Markets whose opening lies before the first bar of all are left out.
with first_bars as (
    select ticker, min(bucket_end) as first_end, arg_min(period_minutes, bucket_end) as period_minutes
    from marts.candles
    group by all
)
select
    markets.series_ticker as subject,
    count(*) as checked,
    count(*) filter (
        where first_bars.first_end > markets.open_time + to_minutes(60 + first_bars.period_minutes)
    ) as faulty
from first_bars
inner join marts.markets as markets on first_bars.ticker = markets.ticker
where markets.open_time::date between $first_day and $last_day
    and markets.open_time >= (select min(bucket_start) from marts.candles)
group by all
order by subject
