{#- An event whose markets exclude each other settles at most one of them yes; once all are settled, exactly one. -#}
{% test one_winner_per_exclusive_event(model, markets) %}

with

settlements as (
    select * from {{ model }}
    where outcome_kind in ('yes', 'no')
),

exclusive_markets as (
    select
        ticker,
        event_ticker
    from {{ markets }}
    where mutually_exclusive
),

event_winners as (
    select
        exclusive_markets.event_ticker,
        count(*) as market_count,
        count(settlements.ticker) as settled_count,
        count(*) filter (where settlements.outcome_kind = 'yes') as winner_count
    from exclusive_markets
    left join settlements on exclusive_markets.ticker = settlements.ticker
    group by exclusive_markets.event_ticker
)

select * from event_winners
where winner_count > 1 or (settled_count = market_count and winner_count = 0)

{% endtest %}
