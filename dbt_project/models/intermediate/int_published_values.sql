with

outcome_vintages as (
    select * from {{ ref('stg_outcome_vintages') }}
),

-- Losing markets often carry no text: the value of the event then comes from its other markets.
published_texts as (
    select
        stated_by as ticker,
        event_ticker,
        series_ticker,
        observed_at,
        learned_at,
        value_text,
        value,
        reject_reason
    from outcome_vintages
    where source = 'exchange_settlement'
),

market_changes as (
    select
        *,
        coalesce(value != lag(value) over value_order, true) as is_new_value,
        lag(value) over value_order is null as is_first_value
    from published_texts
    where value is not null
    window value_order as (partition by ticker order by learned_at, observed_at)
),

-- Markets of one event settle on one number. Where their first numbers differ, the event is about several subjects, or
-- something is wrong: which number is the event's cannot be told.
split_events as (
    select event_ticker
    from market_changes
    where is_first_value
    group by event_ticker
    having count(distinct value) > 1
),

split_instants as (
    select
        event_ticker,
        learned_at
    from market_changes
    where is_new_value
    group by event_ticker, learned_at
    having count(distinct value) > 1
),

published_values as (
    select
        texts.ticker,
        texts.event_ticker,
        texts.series_ticker,
        texts.observed_at,
        texts.learned_at,
        texts.value_text,
        texts.value,
        coalesce(changes.is_new_value, false) as is_new_value,
        case
            when texts.reject_reason is not null then texts.reject_reason
            when split_events.event_ticker is not null then 'markets_disagree'
            when split_instants.event_ticker is not null and changes.is_new_value then 'markets_disagree'
        end as reject_reason
    from published_texts as texts
    left join market_changes as changes
        on texts.ticker = changes.ticker and texts.observed_at = changes.observed_at
    left join split_events
        on texts.event_ticker = split_events.event_ticker
    left join split_instants
        on texts.event_ticker = split_instants.event_ticker and texts.learned_at = split_instants.learned_at
)

select * from published_values
