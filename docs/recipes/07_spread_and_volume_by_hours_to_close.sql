-- How do spread and volume of a series change as the close comes nearer? $series.
select
    date_diff('hour', c.bucket_end, m.close_time) as hours_to_close,
    count(*) as bars,
    median(c.yes_ask_close - c.yes_bid_close) as median_spread,
    sum(c.volume) as contracts
from marts.candles as c
inner join marts.markets as m using (ticker)
where m.series_ticker = $series and c.period_minutes in (1, 60) and c.bucket_end <= m.close_time
group by 1
order by 1
