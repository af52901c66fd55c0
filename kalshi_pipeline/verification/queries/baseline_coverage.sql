-- Events by the UTC day their last market closed; faulty where no market of the event has a bar.
with events as (
    select markets.series_ticker, markets.event_ticker, max(markets.close_time) as closed_at
    from marts.markets as markets
    group by all
),
events_with_bars as (
    select distinct markets.event_ticker
    from marts.candles as candles
    inner join marts.markets as markets on candles.ticker = markets.ticker
)
select
    events.series_ticker as subject,
    count(*) as checked,
    count(*) filter (where events_with_bars.event_ticker is null) as faulty
from events
left join events_with_bars on events.event_ticker = events_with_bars.event_ticker
where events.closed_at::date between $first_day and $last_day
    and events.closed_at <= (select max(available_ts) from marts.candles)
group by all
order by subject
