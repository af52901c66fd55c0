-- How often did markets pay that were quoted at p half a day before they closed? One row per tenth of probability.
with settled as (
    select s.ticker, s.outcome_kind = 'yes' as paid, m.close_time - interval 12 hours as asked_at
    from marts.market_settlements as s
    inner join marts.markets as m using (ticker)
    where s.outcome_kind in ('yes', 'no')
),

quotes as (
    select ticker, available_ts, implied_probability
    from marts.quotes
    qualify row_number() over (
        partition by ticker, available_ts
        order by quote_kind = 'order_book' desc, period_minutes asc nulls first, source asc
    ) = 1
)

select
    least(floor(q.implied_probability * 10), 9) / 10 as from_probability,
    count(*) as markets,
    avg(q.implied_probability) as quoted,
    avg(s.paid::int) as paid
from settled as s
asof inner join quotes as q on s.ticker = q.ticker and s.asked_at >= q.available_ts
where q.implied_probability is not null
group by 1
order by 1
