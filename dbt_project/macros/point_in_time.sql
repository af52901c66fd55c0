{#- Reads of the past as it was, kept in the database as table functions and made anew with the models they read:

    marts.quotes_asof(instant)          the latest quote of every market that was known then
    marts.specifications_asof(instant)  every market's specification as it was known then
    marts.outcomes_asof(instant)        every event's number as it was known then
    marts.mapping_asof(instant)         the release every event settled on, as it was known then
    marts.candles_dense(market, since, until, minutes, max_fill_minutes)
                                        one row a bar whether the market moved or not -#}
{% macro create_quotes_asof() -%}
create or replace macro {{ this.schema }}.quotes_asof(known_by) as table (
    select
        *,
        date_diff('second', available_ts, known_by) as age_seconds
    from {{ this }}
    where partition_date <= cast(known_by as date) and available_ts <= known_by
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
