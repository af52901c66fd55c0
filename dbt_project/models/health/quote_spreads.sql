with

quotes as (
    select * from {{ ref('quotes') }}
    where partition_date >= {{ health_since() }}
),

markets as (
    select * from {{ ref('markets') }}
),

listed_quotes as (
    select
        quotes.*,
        coalesce(markets.series_ticker, 'unknown') as series_ticker
    from quotes
    left join markets on quotes.ticker = markets.ticker
)

select
    series_ticker,
    partition_date,
    source,
    count(*) as quote_count,
    count(*) filter (where yes_bid is null and yes_ask is null) as empty_quotes,
    count(*) filter (where (yes_bid is null) != (yes_ask is null)) as one_sided_quotes,
    count(*) filter (where spread < 0) as negative_spreads,
    count(*) filter (where spread = 0) as locked_quotes,
    cast(median(spread) as decimal(10, 6)) as median_spread
from listed_quotes
group by series_ticker, partition_date, source
