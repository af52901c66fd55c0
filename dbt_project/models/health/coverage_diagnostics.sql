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

findings as (
    select * from {{ ref('fact_findings') }}
),

coverage as (
    select * from {{ ref('candle_coverage') }}
),

-- Bars of the exchange that lie within UTC hours: those that can be held against single trades.
bars as (
    select * from all_bars
    where period_minutes in (1, 60) and source = 'api_event'
),

-- Whether a market has a bar within two hours is known once two hours of bars were received.
known_bars as (
    select max(ingested_at) as received_at from all_bars
),

opened_markets as (
    select
        markets.ticker,
        markets.series_ticker,
        health_days.partition_date,
        count(all_bars.ticker) as bar_count
    from markets
    cross join known_bars
    inner join health_days on cast(markets.open_time as date) = health_days.partition_date
    left join all_bars
        on
            markets.ticker = all_bars.ticker
            and markets.open_time <= all_bars.bucket_end
            and markets.open_time + interval 2 hours >= all_bars.bucket_end
    where markets.open_time + interval 2 hours <= coalesce(known_bars.received_at, 'infinity')
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
        bars.partition_date,
        count(*) as bar_count,
        count(*) filter (where series_of.ticker is null) as unlisted_bars,
        count(*) filter (where bars.yes_bid_close is null or bars.yes_ask_close is null) as one_sided_bars,
        median(bars.yes_ask_close - bars.yes_bid_close) as median_spread
    from bars
    left join series_of on bars.ticker = series_of.ticker
    group by coalesce(series_of.series_ticker, 'unknown'), bars.partition_date
),

finding_days as (
    select
        coalesce(series_ticker, 'unknown') as series_ticker,
        partition_date,
        sum(row_count) filter (where finding = 'crossed') as crossed_bars,
        sum(row_count) filter (where finding = 'crossed_within') as crossed_within_bars,
        sum(row_count) filter (where finding = 'unlike_its_trades') as bars_unlike_trades,
        sum(row_count) filter (
            where finding not in ('crossed', 'crossed_within', 'unlike_its_trades')
        ) as other_findings
    from findings
    group by coalesce(series_ticker, 'unknown'), partition_date
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
    union
    select
        series_ticker,
        partition_date
    from finding_days
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
    cast(coalesce(finding_days.crossed_bars, 0) as bigint) as crossed_bars,
    cast(coalesce(finding_days.crossed_within_bars, 0) as bigint) as crossed_within_bars,
    cast(coalesce(bar_days.one_sided_bars, 0) as bigint) as one_sided_bars,
    cast(bar_days.median_spread as decimal(10, 6)) as median_spread,
    cast(coalesce(finding_days.bars_unlike_trades, 0) as bigint) as bars_unlike_trades,
    cast(coalesce(finding_days.other_findings, 0) as bigint) as other_findings
from series_days
left join coverage_days
    on
        series_days.series_ticker = coverage_days.series_ticker
        and series_days.partition_date = coverage_days.partition_date
left join bar_days
    on series_days.series_ticker = bar_days.series_ticker and series_days.partition_date = bar_days.partition_date
left join open_days
    on series_days.series_ticker = open_days.series_ticker and series_days.partition_date = open_days.partition_date
left join finding_days
    on
        series_days.series_ticker = finding_days.series_ticker
        and series_days.partition_date = finding_days.partition_date
