with

health_days as (
    {{ health_days() }}
),

markets as (
    select * from {{ ref('markets') }}
),

all_bars as (
    select * from {{ ref('candles') }}
    where partition_date >= {{ health_since() }}
),

trades as (
    select * from {{ ref('trades') }}
    where partition_date >= {{ health_since() }}
),

coverage as (
    select * from {{ ref('candle_coverage') }}
),

-- Bars of the exchange that lie within UTC hours: those that can be held against single trades.
bars as (
    select * from all_bars
    where period_minutes in (1, 60) and source = 'api_event'
),

-- Days on which trades were fetched of the same market, so that a missing trade is one.
traded_days as (
    select distinct
        partition_date,
        ticker
    from {{ source('meta', 'market_coverage') }}
    where dataset = 'trades' and state != 'failed' and partition_date >= {{ health_since() }}
),

bar_trades as (
    select
        bars.ticker,
        bars.period_minutes,
        bars.bucket_start,
        sum(trades.contracts) as contracts,
        max(trades.yes_price) as price_high,
        min(trades.yes_price) as price_low
    from bars
    inner join trades
        on
            bars.ticker = trades.ticker
            and bars.bucket_start <= trades.created_time
            and bars.bucket_end > trades.created_time
    group by bars.ticker, bars.period_minutes, bars.bucket_start
),

bar_findings as (
    select
        bars.ticker,
        bars.partition_date,
        coalesce(bars.yes_bid_open > bars.yes_ask_open, false)
        or coalesce(bars.yes_bid_close > bars.yes_ask_close, false) as is_crossed,
        coalesce(bars.yes_bid_high > bars.yes_ask_high, false)
        or coalesce(bars.yes_bid_low > bars.yes_ask_low, false) as is_crossed_within,
        bars.yes_bid_close is null or bars.yes_ask_close is null as is_one_sided,
        bars.yes_ask_close - bars.yes_bid_close as spread,
        traded_days.ticker is not null and (
            coalesce(bars.volume, 0) != coalesce(bar_trades.contracts, 0)
            or coalesce(bars.price_high != bar_trades.price_high, false)
            or coalesce(bars.price_low != bar_trades.price_low, false)
        ) as is_unlike_its_trades
    from bars
    left join traded_days on bars.ticker = traded_days.ticker and bars.partition_date = traded_days.partition_date
    left join bar_trades
        on
            bars.ticker = bar_trades.ticker
            and bars.period_minutes = bar_trades.period_minutes
            and bars.bucket_start = bar_trades.bucket_start
),

opened_markets as (
    select
        markets.ticker,
        markets.series_ticker,
        health_days.partition_date,
        count(all_bars.ticker) as bar_count
    from markets
    inner join health_days on cast(markets.open_time as date) = health_days.partition_date
    left join all_bars
        on
            markets.ticker = all_bars.ticker
            and markets.open_time <= all_bars.bucket_end
            and markets.open_time + interval 2 hours >= all_bars.bucket_end
    group by markets.ticker, markets.series_ticker, health_days.partition_date
),

-- A fact of a market that no listing ever showed belongs to no series.
series_of as (
    select
        ticker,
        series_ticker
    from markets
),

bar_days as (
    select
        coalesce(series_of.series_ticker, 'unknown') as series_ticker,
        bar_findings.partition_date,
        count(*) as bar_count,
        count(*) filter (where series_of.ticker is null) as unlisted_bars,
        count(*) filter (where bar_findings.is_crossed) as crossed_bars,
        count(*) filter (where bar_findings.is_crossed_within) as crossed_within_bars,
        count(*) filter (where bar_findings.is_one_sided) as one_sided_bars,
        median(bar_findings.spread) as median_spread,
        count(*) filter (where bar_findings.is_unlike_its_trades) as bars_unlike_trades
    from bar_findings
    left join series_of on bar_findings.ticker = series_of.ticker
    group by coalesce(series_of.series_ticker, 'unknown'), bar_findings.partition_date
),

open_days as (
    select
        series_ticker,
        partition_date,
        count(*) as opened_markets,
        count(*) filter (where bar_count = 0) as opens_without_bar
    from opened_markets
    group by series_ticker, partition_date
),

coverage_days as (
    select
        series_ticker,
        partition_date,
        sum(expected_markets) as expected_markets,
        sum(expected_markets - present_markets) as markets_without_bars,
        sum(never_fetched_markets) as never_fetched_markets
    from coverage
    group by series_ticker, partition_date
),

series_days as (
    select
        series_ticker,
        partition_date
    from coverage_days
    union
    select
        series_ticker,
        partition_date
    from bar_days
)

select
    series_days.series_ticker,
    series_days.partition_date,
    cast(coalesce(coverage_days.expected_markets, 0) as integer) as expected_markets,
    cast(coalesce(coverage_days.markets_without_bars, 0) as integer) as markets_without_bars,
    cast(coalesce(coverage_days.never_fetched_markets, 0) as integer) as never_fetched_markets,
    cast(coalesce(open_days.opened_markets, 0) as integer) as opened_markets,
    cast(coalesce(open_days.opens_without_bar, 0) as integer) as opens_without_bar,
    cast(coalesce(bar_days.bar_count, 0) as bigint) as bar_count,
    cast(coalesce(bar_days.unlisted_bars, 0) as bigint) as unlisted_bars,
    cast(coalesce(bar_days.crossed_bars, 0) as bigint) as crossed_bars,
    cast(coalesce(bar_days.crossed_within_bars, 0) as bigint) as crossed_within_bars,
    cast(coalesce(bar_days.one_sided_bars, 0) as bigint) as one_sided_bars,
    cast(bar_days.median_spread as decimal(10, 6)) as median_spread,
    cast(coalesce(bar_days.bars_unlike_trades, 0) as bigint) as bars_unlike_trades
from series_days
left join coverage_days
    on
        series_days.series_ticker = coverage_days.series_ticker
        and series_days.partition_date = coverage_days.partition_date
left join bar_days
    on series_days.series_ticker = bar_days.series_ticker and series_days.partition_date = bar_days.partition_date
left join open_days
    on series_days.series_ticker = open_days.series_ticker and series_days.partition_date = open_days.partition_date
