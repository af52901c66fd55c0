with

all_bars as (
    select * from {{ ref('candles') }}
    where partition_date >= {{ health_since() }}
),

all_trades as (
    select * from {{ ref('trades') }}
    where partition_date >= {{ health_since() }}
),

markets as (
    select * from {{ ref('markets') }}
),

-- Bars of the exchange that lie within UTC hours: those that can be held against single trades.
bars as (
    select * from all_bars
    where period_minutes in (1, 60) and source = 'api_event'
),

fetched_markets as (
    select distinct
        dataset,
        partition_date,
        ticker
    from {{ source('meta', 'market_coverage') }}
    where dataset in ('candles', 'trades') and state != 'failed' and partition_date >= {{ health_since() }}
),

-- On the running day bars and trades are fetched one after the other: what one of them cannot have yet is no fault.
received as (
    select
        partition_date,
        min(ingested_at) filter (where dataset = 'candles') as bars_received_at,
        min(ingested_at) filter (where dataset = 'trades') as trades_received_at
    from (
        select
            'candles' as dataset,
            partition_date,
            ingested_at
        from bars
        union all
        select
            'trades' as dataset,
            partition_date,
            ingested_at
        from all_trades
    ) as rows_received
    group by partition_date
),

trades as (
    select
        all_trades.*,
        time_bucket(interval 1 minute, all_trades.created_time) as minute_start,
        time_bucket(interval 1 hour, all_trades.created_time) as hour_start
    from all_trades
),

bar_trades as (
    select
        trades.ticker,
        periods.period_minutes,
        if(periods.period_minutes = 1, trades.minute_start, trades.hour_start) as bucket_start,
        sum(trades.contracts) as contracts,
        arg_min(trades.yes_price, trades.created_time) as price_open,
        max(trades.yes_price) as price_high,
        min(trades.yes_price) as price_low,
        arg_max(trades.yes_price, trades.created_time) as price_close,
        count(distinct trades.created_time) = count(*) as is_ordered
    from trades
    cross join (values (1), (60)) as periods (period_minutes)
    group by all
),

neighbours as (
    select
        *,
        lag(yes_bid_close) over bar_order as bid_before,
        lag(yes_ask_close) over bar_order as ask_before,
        lag(coalesce(price_close, price_previous)) over bar_order as price_before,
        lag(open_interest) over bar_order as interest_before,
        -- Across a day that was not loaded nothing can be said.
        coalesce(
            date_diff('day', lag(partition_date) over bar_order, partition_date) <= 1, false
        ) as has_neighbour
    from bars
    window bar_order as (partition by ticker, period_minutes order by bucket_start)
),

ticks as (
    select
        ticker,
        open_time,
        close_time,
        list_min(cast(json_extract_string(price_ranges, '$[*].step') as decimal(10, 6)[])) as tick
    from markets
),

findings_of_bars as (
    select
        bars.ticker,
        bars.partition_date,
        bars.bucket_start,
        [
            if(bars.yes_bid_open > bars.yes_ask_open or bars.yes_bid_close > bars.yes_ask_close, 'crossed', null),
            if(bars.yes_bid_high > bars.yes_ask_high or bars.yes_bid_low > bars.yes_ask_low, 'crossed_within', null),
            if(
                not (
                    coalesce(bars.yes_bid_open between bars.yes_bid_low and bars.yes_bid_high, true)
                    and coalesce(bars.yes_bid_close between bars.yes_bid_low and bars.yes_bid_high, true)
                    and coalesce(bars.yes_ask_open between bars.yes_ask_low and bars.yes_ask_high, true)
                    and coalesce(bars.yes_ask_close between bars.yes_ask_low and bars.yes_ask_high, true)
                    and coalesce(bars.price_open between bars.price_low and bars.price_high, true)
                    and coalesce(bars.price_close between bars.price_low and bars.price_high, true)
                    and coalesce(bars.price_mean between bars.price_low and bars.price_high, true)
                ),
                'outside_extremes',
                null
            ),
            if(epoch(bars.bucket_start) % (60 * bars.period_minutes) != 0, 'off_the_clock', null),
            if(
                greatest(
                    bars.yes_bid_open % ticks.tick,
                    bars.yes_bid_high % ticks.tick,
                    bars.yes_bid_low % ticks.tick,
                    bars.yes_bid_close % ticks.tick,
                    bars.yes_ask_open % ticks.tick,
                    bars.yes_ask_high % ticks.tick,
                    bars.yes_ask_low % ticks.tick,
                    bars.yes_ask_close % ticks.tick,
                    bars.price_open % ticks.tick,
                    bars.price_high % ticks.tick,
                    bars.price_low % ticks.tick,
                    bars.price_close % ticks.tick
                ) != 0,
                'off_the_tick',
                null
            ),
            if(
                bars.bucket_end <= ticks.open_time or bars.bucket_start >= ticks.close_time,
                'outside_trading_time',
                null
            ),
            if(
                bars.quote_kind = 'candle_close' and (
                    bars.price_high > coalesce(bars.yes_ask_high, 1)
                    or bars.price_low < coalesce(bars.yes_bid_low, 0)
                ),
                'traded_outside_quotes',
                null
            ),
            if(
                bars.has_neighbour and bars.quote_kind = 'candle_close' and (
                    bars.yes_bid_open is distinct from bars.bid_before
                    or bars.yes_ask_open is distinct from bars.ask_before
                ),
                'quotes_jump_between_bars',
                null
            ),
            if(
                bars.has_neighbour and bars.price_previous is distinct from bars.price_before,
                'last_price_jumps_between_bars',
                null
            ),
            if(
                bars.has_neighbour and abs(bars.open_interest - bars.interest_before) > bars.volume,
                'open_interest_moves_beyond_volume',
                null
            ),
            if(
                fetched_markets.ticker is not null
                and bars.bucket_end <= coalesce(received.trades_received_at, bars.bucket_end)
                and (
                    coalesce(bars.volume, 0) != coalesce(bar_trades.contracts, 0)
                    or coalesce(bars.price_high != bar_trades.price_high, false)
                    or coalesce(bars.price_low != bar_trades.price_low, false)
                    or coalesce(bar_trades.is_ordered and bars.price_open != bar_trades.price_open, false)
                    or coalesce(bar_trades.is_ordered and bars.price_close != bar_trades.price_close, false)
                ),
                'unlike_its_trades',
                null
            )
        ] as findings
    from neighbours as bars
    left join ticks on bars.ticker = ticks.ticker
    left join received on bars.partition_date = received.partition_date
    left join fetched_markets
        on
            bars.ticker = fetched_markets.ticker
            and bars.partition_date = fetched_markets.partition_date
            and fetched_markets.dataset = 'trades'
    left join bar_trades
        on
            bars.ticker = bar_trades.ticker
            and bars.period_minutes = bar_trades.period_minutes
            and bars.bucket_start = bar_trades.bucket_start
),

-- A trade in a minute, and an hour, of which there is no bar although the market's bars were fetched.
trades_without_bar as (
    select
        trades.ticker,
        trades.partition_date,
        trades.minute_start as bucket_start,
        ['traded_without_bar'] as findings
    from trades
    inner join fetched_markets
        on
            trades.ticker = fetched_markets.ticker
            and trades.partition_date = fetched_markets.partition_date
            and fetched_markets.dataset = 'candles'
    inner join received
        on
            trades.partition_date = received.partition_date
            and received.bars_received_at >= trades.minute_start + interval 1 minute
    left join bars as minutes
        on trades.ticker = minutes.ticker and trades.minute_start = minutes.bucket_start and minutes.period_minutes = 1
    left join bars as hours
        on
            trades.ticker = hours.ticker
            and trades.hour_start = hours.bucket_start
            and hours.period_minutes = 60
    where minutes.ticker is null and hours.ticker is null
),

findings_of_trades as (
    select
        trades.ticker,
        trades.partition_date,
        trades.minute_start as bucket_start,
        [
            if(
                trades.created_time < markets.open_time or trades.created_time > markets.close_time,
                'traded_outside_trading_time',
                null
            ),
            if(trades.yes_price + trades.no_price != 1, 'sides_do_not_add_up', null),
            -- Who buys YES takes from the asks with a bid, and who buys NO with an ask.
            if((trades.taker_outcome_side = 'yes') != (trades.taker_book_side = 'bid'), 'taker_sides_differ', null)
        ] as findings
    from trades
    left join markets on trades.ticker = markets.ticker
),

all_findings as (
    select
        ticker,
        partition_date,
        bucket_start,
        unnest(findings) as finding
    from (
        select * from findings_of_bars
        union all
        select * from trades_without_bar
        union all
        select * from findings_of_trades
    ) as found
)

select
    all_findings.ticker,
    all_findings.partition_date,
    all_findings.finding,
    any_value(markets.series_ticker) as series_ticker,
    any_value(markets.event_ticker) as event_ticker,
    count(*) as row_count,
    min(all_findings.bucket_start) as first_at
from all_findings
left join markets on all_findings.ticker = markets.ticker
where all_findings.finding is not null
group by all_findings.ticker, all_findings.partition_date, all_findings.finding
