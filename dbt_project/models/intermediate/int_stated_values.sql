with

exchange_values as (
    select * from {{ ref('int_exchange_values') }}
),

event_scales as (
    select * from {{ ref('int_event_scales') }}
),

statistic_values as (
    select * from {{ ref('int_statistic_values') }}
),

-- A number in another unit could not be read before results proved which; by then only the last one stood.
readable_values as (
    select
        exchange_values.event_ticker,
        exchange_values.series_ticker,
        greatest(
            exchange_values.learned_at, coalesce(event_scales.proven_at, exchange_values.learned_at)
        ) as learned_at,
        exchange_values.learned_at as observed_at,
        round(exchange_values.value * coalesce(event_scales.scale, 1), 8) as value,
        exchange_values.value_text
    from exchange_values
    left join event_scales on exchange_values.event_ticker = event_scales.event_ticker
    qualify
        not coalesce(
            lead(exchange_values.learned_at) over (
                partition by exchange_values.event_ticker order by exchange_values.learned_at
            ) <= event_scales.proven_at,
            false
        )
),

stated_values as (
    select
        event_ticker,
        series_ticker,
        cast(null as date) as reference_period,
        'exchange_settlement' as source,
        event_ticker as stated_by,
        learned_at,
        observed_at,
        value,
        value_text
    from readable_values
    union all
    select
        event_ticker,
        series_ticker,
        reference_period,
        source,
        stated_by,
        learned_at,
        observed_at,
        value,
        value_text
    from statistic_values
),

-- Markets settle on what the exchange says, so where feeds differ about the first print, its word stands.
numbered_values as (
    select
        *,
        coalesce(value != lag(value) over feed_order, true) as is_new_value,
        row_number() over feed_order = 1 as is_first_of_feed
    from stated_values
    window feed_order as (partition by event_ticker, source, stated_by order by learned_at, observed_at)
),

first_values as (
    select
        event_ticker,
        coalesce(
            arg_min(value, learned_at) filter (where source = 'exchange_settlement'),
            arg_min(value, learned_at)
        ) as first_value
    from numbered_values
    where is_first_of_feed
    group by event_ticker
)

select
    numbered_values.event_ticker,
    numbered_values.series_ticker,
    numbered_values.reference_period,
    numbered_values.source,
    numbered_values.stated_by,
    numbered_values.learned_at,
    numbered_values.observed_at,
    numbered_values.value,
    numbered_values.value_text,
    numbered_values.is_first_of_feed,
    first_values.first_value,
    case
        when numbered_values.is_first_of_feed and numbered_values.value != first_values.first_value
            then 'sources_disagree'
    end as reject_reason
from numbered_values
inner join first_values on numbered_values.event_ticker = first_values.event_ticker
where numbered_values.is_new_value
