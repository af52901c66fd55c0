-- Both ways: bars of unknown markets, and markets without a bar in events that have some.
with tickers_with_bars as (
    select distinct ticker
    from marts.candles
    where partition_date between $first_day and $last_day
),
events_with_bars as (
    select event_ticker, min(close_time) as closed_at
    from marts.markets
    where ticker in (select ticker from tickers_with_bars)
    group by all
),
expected as (
    select markets.ticker, markets.series_ticker
    from marts.markets as markets
    inner join events_with_bars on markets.event_ticker = events_with_bars.event_ticker
    where markets.open_time < least(markets.close_time, (select max(available_ts) from marts.candles))
        and markets.open_time::date between $first_day and $last_day
),
compared as (
    select
        coalesce(expected.series_ticker, markets.series_ticker, 'unknown market') as subject,
        (expected.ticker is not null and tickers_with_bars.ticker is null)
        or (tickers_with_bars.ticker is not null and markets.ticker is null) as is_faulty
    from expected
    full join tickers_with_bars on expected.ticker = tickers_with_bars.ticker
    left join marts.markets as markets on tickers_with_bars.ticker = markets.ticker
)
select subject, count(*) as checked, count(*) filter (where is_faulty) as faulty
from compared
group by all
order by subject
