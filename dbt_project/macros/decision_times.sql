{#- Cities whose daily highs are traded, with the zone of their local day; a contract test holds them and the registry
    together. -#}
{% macro city_zones() -%}
    (values
        ('KXHIGHCHI', 'America/Chicago'), ('KXHIGHAUS', 'America/Chicago'), ('KXHIGHDEN', 'America/Denver'),
        ('KXHIGHLAX', 'America/Los_Angeles'), ('KXHIGHMIA', 'America/New_York'), ('KXHIGHPHIL', 'America/New_York')
    ) as zones (series_ticker, zone)
{%- endmacro %}

{#- What was on record of every market of the six cities when a decision was due: at 10:00 local time of the day before
    and of the day itself. A bar counts if it ended at or before that instant and at most `max_age_minutes` before.
    Decisions are those due on the UTC days from `since` to `until`, up to when the newest bar was received. -#}
{% macro decision_times(markets, candles, since, until, max_age_minutes=60) -%}
    with bar_days as (
        select max(ingested_at) as received_at
        from {{ candles }}
        where partition_date between {{ since }} and {{ until }}
    ),

    city_markets as (
        select
            markets.ticker,
            markets.event_ticker,
            markets.series_ticker,
            markets.open_time,
            markets.close_time,
            zones.zone,
            -- Trading closes around the midnight that ends the local day.
            cast((markets.close_time - interval 12 hours) at time zone zones.zone as date) as event_date
        from {{ markets }} as markets
        inner join {{ city_zones() }} on markets.series_ticker = zones.series_ticker
    ),

    decisions as (
        select
            city_markets.*,
            points.days_before,
            (cast(event_date - cast(points.days_before as integer) as timestamp) + interval 10 hours) at time zone zone
            as decision_at
        from city_markets
        cross join (values (1), (0)) as points (days_before)
        where
            cast(decision_at as date) between {{ since }} and {{ until }}
            and decision_at <= coalesce((select max(received_at) from bar_days), decision_at)
    ),

    known_bars as (
        select
            ticker,
            bucket_end,
            arg_min(yes_bid_close, (period_minutes, source)) as yes_bid,
            arg_min(yes_ask_close, (period_minutes, source)) as yes_ask
        from {{ candles }}
        where
            partition_date between {{ since }} - interval 2 day and {{ until }} + interval 1 day
            and period_minutes in (1, 60)
        group by ticker, bucket_end
    )

    select
        decisions.series_ticker,
        decisions.event_ticker,
        decisions.ticker,
        decisions.event_date,
        cast(decisions.days_before as integer) as days_before,
        decisions.decision_at,
        decisions.open_time < decisions.decision_at and decisions.decision_at <= decisions.close_time as was_open,
        known_bars.bucket_end as bar_end,
        cast(date_diff('minute', known_bars.bucket_end, decisions.decision_at) as integer) as age_minutes,
        coalesce(
            date_diff('second', known_bars.bucket_end, decisions.decision_at) <= {{ max_age_minutes }} * 60, false
        ) as is_covered,
        known_bars.yes_bid,
        known_bars.yes_ask
    from decisions
    asof left join known_bars
        on decisions.ticker = known_bars.ticker and decisions.decision_at >= known_bars.bucket_end
{%- endmacro %}

{#- The same over any days, as a table function: `health.decision_times_between(since, until)`. -#}
{% macro create_decision_times_between() -%}
create or replace macro {{ this.schema }}.decision_times_between(since, until) as table (
    {{ decision_times(ref('markets'), ref('candles'), 'cast(since as date)', 'cast(until as date)') }}
)
{%- endmacro %}
