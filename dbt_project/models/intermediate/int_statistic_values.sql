with

outcome_vintages as (
    select * from {{ ref('stg_outcome_vintages') }}
),

market_versions as (
    select * from {{ ref('int_market_versions') }}
),

period_values as (
    select * from outcome_vintages
    where source != 'exchange_settlement'
),

period_publications as (
    select
        source,
        series_ticker,
        reference_period,
        min(learned_at) as published_at
    from period_values
    group by source, series_ticker, reference_period
),

-- Where several periods appear at once, none of them is a first print: a feed's history begins there.
first_prints as (
    select * from period_publications
    qualify count(*) over (partition by source, series_ticker, published_at) = 1
),

event_closes as (
    select
        series_ticker,
        event_ticker,
        max(close_time) as close_time
    from market_versions
    where superseded_at is null
    group by series_ticker, event_ticker
),

-- An event settles on the first period published after its trading has closed. A month and a half later it would be
-- the next one's.
event_periods as (
    select
        event_closes.event_ticker,
        first_prints.source,
        first_prints.series_ticker,
        arg_min(first_prints.reference_period, first_prints.published_at) as reference_period
    from event_closes
    inner join first_prints
        on
            event_closes.series_ticker = first_prints.series_ticker
            and event_closes.close_time <= first_prints.published_at
            and event_closes.close_time + interval 45 days > first_prints.published_at
    group by event_closes.event_ticker, first_prints.source, first_prints.series_ticker
)

select
    event_periods.event_ticker,
    period_values.series_ticker,
    period_values.reference_period,
    period_values.source,
    period_values.stated_by,
    period_values.learned_at,
    period_values.observed_at,
    period_values.value,
    period_values.value_text
from event_periods
inner join period_values
    on
        event_periods.source = period_values.source
        and event_periods.series_ticker = period_values.series_ticker
        and event_periods.reference_period = period_values.reference_period
