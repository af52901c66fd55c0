-- What there is, by series and month of the event date, from $first_day on, and which closed events have no bar.
-- An event date is the day of the last close less twelve hours: a daily high closes around the midnight that ends its day.
with bars as (
    select ticker, count(*) as bars
    from marts.candles
    group by all
),
events as (
    select
        markets.series_ticker,
        markets.event_ticker,
        (max(markets.close_time) - interval 12 hour)::date as event_date,
        max(markets.close_time) <= (select max(available_ts) from marts.candles) as has_closed,
        count(*) as markets,
        count(bars.ticker) as markets_with_bars,
        coalesce(sum(bars.bars), 0) as bars
    from marts.markets as markets
    left join bars on markets.ticker = bars.ticker
    group by all
)
select
    series_ticker,
    date_trunc('month', event_date)::date as month,
    count(*) as events,
    coalesce(
        list(event_ticker order by event_date, event_ticker) filter (where has_closed and markets_with_bars = 0), []
    ) as events_without_bars,
    sum(markets)::bigint as markets,
    sum(markets_with_bars)::bigint as markets_with_bars,
    sum(bars)::bigint as bars
from events
where event_date >= $first_day
group by all
order by series_ticker, month
