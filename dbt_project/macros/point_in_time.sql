{#- Reads of the past as it was, kept in the database as table functions and made anew with the models they read:

    marts.quotes_asof(instant)          the latest quote of every market that was known then
    marts.specifications_asof(instant)  every market's specification as it was known then
    marts.outcomes_asof(instant)        every event's number as it was known then
    marts.mapping_asof(instant)         the release every event settled on, as it was known then
    marts.releases_asof(instant)        when every release was scheduled, as it was known then
    marts.candles_dense(market, since, until, minutes, max_fill_minutes)
                                        one row a bar whether the market moved or not
    marts.candles_by_source(market, since, until, minutes)
                                        the exchange's bars beside bars made of trades, and which of them to read -#}
{% macro create_quotes_asof() -%}
create or replace macro {{ this.schema }}.quotes_asof(known_by) as table (
    select
        *,
        date_diff('second', available_ts, known_by) as age_seconds
    from {{ this }}
    -- A day more than UTC's: whoever asks may have set another time zone, and what counts is the moment.
    where partition_date <= cast(known_by as date) + 1 and available_ts <= known_by
    -- Of one instant the order book counts before a bar, the shorter bar before the longer.
    qualify row_number() over (
        partition by ticker
        order by available_ts desc, quote_kind = 'order_book' desc, period_minutes asc nulls first, source asc
    ) = 1
)
{%- endmacro %}

{% macro create_specifications_asof() -%}
create or replace macro {{ this.schema }}.specifications_asof(known_by) as table (
    select * from {{ this }}
    where known_at <= known_by and (known_until is null or known_by < known_until)
)
{%- endmacro %}

{% macro create_mapping_asof() -%}
create or replace macro {{ this.schema }}.mapping_asof(known_by) as table (
    select * from research.event_market_map_versions
    where known_at <= known_by and valid_from <= known_by and (valid_to is null or known_by < valid_to)
)
{%- endmacro %}

{% macro create_releases_asof() -%}
create or replace macro {{ this.schema }}.releases_asof(known_by) as table (
    select * from research.release_versions
    where known_at <= known_by and valid_from <= known_by and (valid_to is null or known_by < valid_to)
)
{%- endmacro %}

{% macro create_outcomes_asof() -%}
create or replace macro {{ this.schema }}.outcomes_asof(known_by) as table (
    select * exclude (is_latest) from {{ this }}
    where learned_at <= known_by
    qualify revision_number = max(revision_number) over (partition by event_ticker)
)
{%- endmacro %}

{#- A bar without activity is not served: quotes stand until they change. Filled bars repeat the closes of the last real
    one, say so, and stop after a while; they never trade. A real bar that is on record from both sources counts once,
    that of the exchange first. -#}
{% macro create_candles_dense() -%}
create or replace macro {{ this.schema }}.candles_dense(market, since, until, minutes := 1, max_fill_minutes := 60)
as table (
    with bars as (
        select * from {{ this }}
        where
            ticker = market
            and period_minutes = minutes
            and bucket_end > since - to_minutes(max_fill_minutes)
            and bucket_end <= until
        qualify row_number() over (partition by bucket_end order by source asc) = 1
    ),
    grid as (
        select bucket_end
        from (
            select unnest(generate_series(
                time_bucket(to_minutes(minutes), since) + to_minutes(minutes), until, to_minutes(minutes)
            )) as bucket_end
        )
    ),
    filled as (
        select
            grid.bucket_end,
            bars.bucket_end as quoted_at,
            date_diff('minute', bars.bucket_end, grid.bucket_end) as quote_age_minutes,
            bars.yes_bid_close,
            bars.yes_ask_close,
            coalesce(bars.price_close, bars.price_previous) as last_price,
            bars.volume,
            bars.open_interest
        from grid
        asof left join bars on grid.bucket_end >= bars.bucket_end
    )
    select
        market as ticker,
        minutes as period_minutes,
        bucket_end - to_minutes(minutes) as bucket_start,
        bucket_end,
        bucket_end as available_ts,
        coalesce(quote_age_minutes > 0, true) as is_synthetic,
        if(quote_age_minutes <= max_fill_minutes, quote_age_minutes, null) as quote_age_minutes,
        if(quote_age_minutes <= max_fill_minutes, yes_bid_close, null) as yes_bid,
        if(quote_age_minutes <= max_fill_minutes, yes_ask_close, null) as yes_ask,
        if(quote_age_minutes <= max_fill_minutes, last_price, null) as last_price,
        case when quote_age_minutes = 0 then volume when quote_age_minutes <= max_fill_minutes then 0 end as volume,
        if(quote_age_minutes <= max_fill_minutes, open_interest, null) as open_interest
    from filled
    order by bucket_end
)
{%- endmacro %}

{#- The bars that end after `since` and by `until`, of one market or (null) of every market: those that the exchange
    serves (source api_event) beside those made of its trades (source trades), which fill in where no bar was taken in
    and are held against the others where one was. The key is market, period, start and source; readers take the
    preferred rows, whole. Bars made of trades have no quotes. -#}
{% macro create_candles_by_source() -%}
create or replace macro {{ this.schema }}.candles_by_source(market, since, until, minutes := 1) as table (
    with bars_of_the_exchange as (
        select
            ticker,
            period_minutes,
            bucket_start,
            bucket_end,
            source,
            yes_bid_close,
            yes_ask_close,
            price_open,
            price_high,
            price_low,
            price_close,
            price_mean,
            volume
        from {{ this }}
        where source = 'api_event' and ticker = coalesce(market, ticker) and period_minutes = minutes
    ),
    placed_trades as (
        select
            *,
            -- Daily bars start at midnight US Eastern.
            case
                when minutes = 1440 then time_bucket(interval 1 day, created_time, 'America/New_York')
                else time_bucket(to_minutes(minutes), created_time)
            end as bucket_start
        from raw.trades
        -- The longest bar lasts 25 hours.
        where ticker = coalesce(market, ticker) and created_time >= since - interval 25 hour and created_time < until
    ),
    -- Trades are served newest first; the order of a bar is the order in time.
    bars_of_trades as (
        select
            ticker,
            cast(minutes as integer) as period_minutes,
            bucket_start,
            case
                when minutes = 1440
                    then (bucket_start at time zone 'America/New_York' + interval 1 day) at time zone 'America/New_York'
                else bucket_start + to_minutes(minutes)
            end as bucket_end,
            'trades' as source,
            arg_min(yes_price, (created_time, trade_id)) as price_open,
            max(yes_price) as price_high,
            min(yes_price) as price_low,
            arg_max(yes_price, (created_time, trade_id)) as price_close,
            cast(sum(yes_price * count) / nullif(sum(count), 0) as decimal(10, 6)) as price_mean,
            cast(sum(count) as decimal(18, 2)) as volume
        from placed_trades
        group by ticker, bucket_start
    ),
    bars as (
        select * from bars_of_the_exchange
        union all by name
        select * from bars_of_trades
    )
    select
        * exclude (source),
        bucket_end as available_ts,
        source,
        row_number() over (partition by ticker, bucket_start order by source asc) = 1 as is_preferred
    from bars
    where bucket_end > since and bucket_end <= until
)
{%- endmacro %}
