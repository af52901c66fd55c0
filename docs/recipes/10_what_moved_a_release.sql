-- When did the schedule of a release change, and since when was that known? $event.
select
    v.event_ticker,
    v.version_id,
    v.release_id,
    v.anchor_ts,
    v.valid_from,
    v.valid_to
from research.event_market_map_versions as v
where v.event_ticker = $event
order by v.version_id
