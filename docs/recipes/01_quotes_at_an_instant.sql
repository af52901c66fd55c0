-- What was bid and asked for every market of an event at one instant, and how old was each quote?
-- Only what was known then is shown. $event, $instant.
select
    m.ticker,
    m.payoff,
    q.yes_bid,
    q.yes_ask,
    q.mid,
    q.quote_kind,
    q.age_seconds
from marts.specifications_asof($instant::timestamptz) as m
left join marts.quotes_asof($instant::timestamptz) as q using (ticker)
where m.event_ticker = $event
order by m.floor_strike nulls first, m.cap_strike
