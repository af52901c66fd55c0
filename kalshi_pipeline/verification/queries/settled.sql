-- Three days are longer than any settlement takes in the series known here.
select
    markets.series_ticker as subject,
    count(*) as checked,
    count(*) filter (where settlements.ticker is null) as faulty
from marts.markets as markets
left join marts.market_settlements as settlements on markets.ticker = settlements.ticker
where markets.close_time::date between $first_day and $last_day
    and markets.close_time < (select max(available_ts) from marts.candles) - interval 3 day
group by all
order by subject
