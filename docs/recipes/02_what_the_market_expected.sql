-- What did the market expect of a release one day before it, and within which bounds? Gated snapshots say nothing.
-- $event.
select
    d.event_ticker,
    d."asof",
    d.mean,
    d.std,
    d.median,
    d.hard_gate_failed,
    d.gate_reasons
from research.implied_distributions as d
inner join research.releases as r using (ladder_id)
where d.event_ticker = $event and d."asof" <= r.anchor_ts - interval 1 day
qualify d."asof" = max(d."asof") over (partition by d.ladder_id)
