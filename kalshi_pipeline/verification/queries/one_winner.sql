-- Events of which every market has settled, where the exchange says that one excludes the others.
with events as (
    select
        markets.series_ticker,
        markets.event_ticker,
        count(*) filter (where settlements.outcome_kind = 'yes') as winners
    from marts.markets as markets
    left join marts.market_settlements as settlements on markets.ticker = settlements.ticker
    where markets.mutually_exclusive
        and markets.close_time::date between $first_day and $last_day
    group by all
    having bool_and(settlements.outcome_kind in ('yes', 'no')) and count(*) = count(settlements.ticker)
)
select series_ticker as subject, count(*) as checked, count(*) filter (where winners <> 1) as faulty
from events
group by all
order by subject
