with

quotes as (
    select * from {{ ref('quotes') }}
    where partition_date >= {{ health_since() }}
),

bars as (
    select * from {{ ref('candles') }}
    where partition_date >= {{ health_since() }} and period_minutes = 1 and source = 'api_event'
),

trades as (
    select * from {{ ref('trades') }}
    where partition_date >= {{ health_since() }}
),

markets as (
    select * from {{ ref('markets') }}
),

book_levels as (
    select * from {{ source('raw', 'orderbooks') }}
    where partition_date >= {{ health_since() }}
),

fetched_trades as (
    select distinct
        partition_date,
        ticker
    from {{ source('meta', 'market_coverage') }}
    where dataset = 'trades' and state != 'failed' and partition_date >= {{ health_since() }}
),

trade_days as (
    select
        partition_date,
        min(ingested_at) as received_at
    from trades
    group by partition_date
),

snapshots as (
    select
        quotes.*,
        markets.series_ticker,
        markets.event_ticker,
        markets.open_time,
        lag(quotes.volume) over snapshot_order as volume_before,
        lag(quotes.observed_at) over snapshot_order as observed_before
    from quotes
    left join markets on quotes.ticker = markets.ticker
    where quotes.source = 'live_snapshot'
    window snapshot_order as (partition by quotes.ticker order by quotes.observed_at)
),

-- A bar says what a snapshot has to look like only if it was fetched after the snapshot was taken.
snapshots_beside_bars as (
    select
        snapshots.*,
        bars.bucket_end,
        bars.yes_bid_low,
        bars.yes_bid_high,
        bars.yes_bid_close,
        bars.yes_ask_low,
        bars.yes_ask_high,
        bars.yes_ask_close
    from snapshots
    asof inner join bars
        on
            snapshots.ticker = bars.ticker
            and snapshots.partition_date = bars.partition_date
            and snapshots.observed_at > bars.bucket_start
    where bars.ingested_at >= snapshots.observed_at
),

unlike_bars as (
    select
        ticker,
        partition_date,
        observed_at
    from snapshots_beside_bars
    where
        if(
            observed_at < bucket_end,
            not (
                coalesce(yes_bid between yes_bid_low and yes_bid_high, true)
                and coalesce(yes_ask between yes_ask_low and yes_ask_high, true)
            ),
            coalesce(yes_bid != yes_bid_close, false) or coalesce(yes_ask != yes_ask_close, false)
        )
),

-- What was traded from one snapshot to the next, or from the opening of a market on, where all its days were fetched.
counted_spells as (
    select
        snapshots.ticker,
        snapshots.partition_date,
        snapshots.observed_at,
        snapshots.volume - coalesce(snapshots.volume_before, 0) as volume,
        coalesce(snapshots.observed_before, snapshots.open_time) as since
    from snapshots
    inner join trade_days on snapshots.partition_date = trade_days.partition_date
    where snapshots.observed_at <= trade_days.received_at
),

spell_days as (
    select
        counted_spells.ticker,
        counted_spells.observed_at,
        date_diff('day', cast(any_value(counted_spells.since) as date), cast(counted_spells.observed_at as date)) + 1
        = count(fetched_trades.ticker) as is_whole
    from counted_spells
    left join fetched_trades
        on
            counted_spells.ticker = fetched_trades.ticker
            and fetched_trades.partition_date between cast(counted_spells.since as date)
            and cast(counted_spells.observed_at as date)
    group by counted_spells.ticker, counted_spells.observed_at
),

unlike_trades as (
    select
        counted_spells.ticker,
        any_value(counted_spells.partition_date) as partition_date,
        counted_spells.observed_at
    from counted_spells
    inner join spell_days
        on counted_spells.ticker = spell_days.ticker and counted_spells.observed_at = spell_days.observed_at
    left join trades
        on
            counted_spells.ticker = trades.ticker
            and counted_spells.since < trades.created_time
            and counted_spells.observed_at >= trades.created_time
    where spell_days.is_whole
    group by counted_spells.ticker, counted_spells.observed_at, counted_spells.volume
    having coalesce(sum(trades.contracts), 0) != counted_spells.volume
),

books as (
    select
        ticker,
        partition_date,
        observed_at,
        max(price) filter (where side = 'yes') as best_yes,
        max(price) filter (where side = 'no') as best_no,
        count(*) != count(distinct concat_ws('|', side, price)) as has_repeated_level
    from book_levels
    group by ticker, partition_date, observed_at
),

books_beside_snapshots as (
    select
        books.*,
        snapshots.yes_bid,
        snapshots.yes_ask
    from books
    left join snapshots on books.ticker = snapshots.ticker and books.observed_at = snapshots.observed_at
),

all_findings as (
    select
        ticker,
        partition_date,
        observed_at,
        'crossed' as finding
    from snapshots
    where yes_bid > yes_ask
    union all
    select
        *,
        'unlike_its_bar' as finding
    from unlike_bars
    union all
    select
        *,
        'volume_unlike_trades' as finding
    from unlike_trades
    union all
    select
        ticker,
        partition_date,
        observed_at,
        'book_is_crossed' as finding
    from books
    where best_yes + best_no > 1
    union all
    select
        ticker,
        partition_date,
        observed_at,
        'book_repeats_a_level' as finding
    from books
    where has_repeated_level
    union all
    select
        ticker,
        partition_date,
        observed_at,
        'book_unlike_quote' as finding
    from books_beside_snapshots
    where best_yes != yes_bid or 1 - best_no != yes_ask
)

select
    all_findings.ticker,
    all_findings.partition_date,
    all_findings.finding,
    any_value(markets.series_ticker) as series_ticker,
    any_value(markets.event_ticker) as event_ticker,
    count(*) as row_count,
    min(all_findings.observed_at) as first_at
from all_findings
left join markets on all_findings.ticker = markets.ticker
group by all_findings.ticker, all_findings.partition_date, all_findings.finding
