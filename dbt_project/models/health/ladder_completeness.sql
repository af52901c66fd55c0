with

markets as (
    select * from {{ ref('markets') }}
    where strike_type in ('less', 'less_or_equal', 'between', 'greater', 'greater_or_equal')
),

-- A subject of its own (a city, a team) stands before the strike of a ticker; its markets are a ladder of their own.
legs as (
    select
        event_ticker,
        series_ticker,
        coalesce(mutually_exclusive, false) as is_exclusive,
        regexp_replace(substr(ticker, length(event_ticker) + 2), '-?[A-Z]?-?[0-9.]+$', '') as subject,
        case
            when strike_type in ('less', 'less_or_equal') then 'below'
            when strike_type in ('greater', 'greater_or_equal') then 'above'
            else 'within'
        end as leg_kind,
        coalesce(floor_strike, cap_strike) as low,
        coalesce(cap_strike, floor_strike) as high
    from markets
    where floor_strike is not null or cap_strike is not null
),

-- To the next leg of the kind: from the end of a bucket to the start of the next, from one threshold to the next.
distances as (
    select
        *,
        round(lead(low) over leg_order - if(leg_kind = 'within', high, low), 6) as distance
    from legs
    window leg_order as (partition by event_ticker, subject, leg_kind order by low, high)
),

ladders as (
    select
        event_ticker,
        subject,
        any_value(series_ticker) as series_ticker,
        bool_or(is_exclusive) as is_exclusive,
        count(*) as legs,
        count(*) filter (where leg_kind = 'within') as buckets,
        count(*) filter (where leg_kind = 'below') as legs_below,
        count(*) filter (where leg_kind = 'above') as legs_above,
        min(distance) filter (where leg_kind = 'within' and distance >= 0) as bucket_distance,
        mode(distance) filter (where leg_kind = 'above') as threshold_distance,
        min(low) filter (where leg_kind = 'within') - max(high) filter (where leg_kind = 'below') as distance_below,
        min(low) filter (where leg_kind = 'above') - max(high) filter (where leg_kind = 'within') as distance_above,
        count(*) filter (where leg_kind = 'within' and distance < 0) as overlapping_legs,
        count(*) filter (where leg_kind != 'within' and distance = 0) as repeats
    from distances
    group by event_ticker, subject
),

-- Buckets lie equally far apart. Thresholds need not: one odd distance among at least four is a leg that is missing.
holes as (
    select
        ladders.event_ticker,
        ladders.subject,
        count(*) filter (
            where distances.leg_kind = 'within' and distances.distance > ladders.bucket_distance
        ) as holes_between_buckets,
        count(*) filter (
            where distances.leg_kind = 'above' and distances.distance > ladders.threshold_distance
        ) as wide_steps,
        count(*) filter (
            where distances.leg_kind = 'above' and distances.distance != ladders.threshold_distance
        ) as odd_steps,
        count(distances.distance) filter (where distances.leg_kind = 'above') as steps
    from ladders
    inner join distances on ladders.event_ticker = distances.event_ticker and ladders.subject = distances.subject
    group by ladders.event_ticker, ladders.subject
)

select
    ladders.event_ticker,
    ladders.subject,
    ladders.series_ticker,
    ladders.is_exclusive,
    cast(ladders.legs as integer) as legs,
    cast(ladders.buckets as integer) as buckets,
    cast(
        holes.holes_between_buckets
        + if(ladders.buckets > 0 and ladders.distance_below > ladders.bucket_distance, 1, 0)
        + if(ladders.buckets > 0 and ladders.distance_above > ladders.bucket_distance, 1, 0)
        + if(ladders.buckets = 0 and holes.odd_steps = 1 and holes.steps >= 4, holes.wide_steps, 0)
        as integer
    ) as holes,
    cast(ladders.overlapping_legs + ladders.repeats as integer) as overlapping_legs,
    cast(
        if(
            ladders.buckets > 0 and ladders.is_exclusive,
            2 - least(ladders.legs_below, 1) - least(ladders.legs_above, 1),
            0
        ) as integer
    ) as missing_ends,
    -- Thresholds pay together; buckets exclude each other.
    if(ladders.buckets > 1, ladders.is_exclusive, not ladders.is_exclusive or ladders.legs <= 2) as pays_as_listed
from ladders
inner join holes on ladders.event_ticker = holes.event_ticker and ladders.subject = holes.subject
