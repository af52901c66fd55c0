-- Pairs of one instant only: a bar that moves by its spread has a high bid above its low ask without being crossed.
select
    markets.series_ticker as subject,
    count(*) as checked,
    count(*) filter (
        where candles.yes_bid_close > candles.yes_ask_close or candles.yes_bid_open > candles.yes_ask_open
    ) as faulty
from marts.candles as candles
inner join marts.markets as markets on candles.ticker = markets.ticker
where candles.partition_date between $first_day and $last_day
    and candles.yes_bid_close is not null
    and candles.yes_ask_close is not null
group by all
order by subject
