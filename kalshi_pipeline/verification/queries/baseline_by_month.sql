-- What there is, by series and month of the event, from $first_day on.
with bars as (
    select ticker, count(*) as bars
    from marts.candles
    group by all
)
select
    markets.series_ticker,
    date_trunc('month', markets.close_time)::date as month,
    count(distinct markets.event_ticker) as events,
    count(*) as markets,
    count(bars.ticker) as markets_with_bars,
    coalesce(sum(bars.bars), 0)::bigint as bars
from marts.markets as markets
left join bars on markets.ticker = bars.ticker
where markets.close_time::date >= $first_day
group by all
order by markets.series_ticker, month
