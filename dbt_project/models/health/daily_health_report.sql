with

diagnostics as (
    select * from {{ ref('coverage_diagnostics') }}
),

day_totals as (
    select
        partition_date,
        count(*) as series_count,
        sum(expected_markets) as expected_markets,
        sum(markets_without_bars) as markets_without_bars,
        sum(never_fetched_markets) as never_fetched_markets,
        sum(bar_count) as bar_count,
        sum(unlisted_bars) as unlisted_bars,
        sum(crossed_bars) as crossed_bars,
        count(*) filter (where crossed_bars > 0.001 * bar_count) as crossed_series,
        sum(crossed_within_bars) as crossed_within_bars,
        sum(bars_unlike_trades) as bars_unlike_trades,
        sum(other_findings) as other_findings,
        sum(opens_without_bar) as opens_without_bar
    from diagnostics
    group by partition_date
),

findings as (
    select
        *,
        list_filter(
            [
                if(crossed_bars > 0, crossed_bars || ' bars open or close crossed', null),
                if(never_fetched_markets > 0, never_fetched_markets || ' open markets were never fetched', null),
                if(unlisted_bars > 0, unlisted_bars || ' bars of markets that were never listed', null),
                if(bars_unlike_trades > 0, bars_unlike_trades || ' bars differ from their trades', null),
                if(crossed_within_bars > 0, crossed_within_bars || ' bars have crossed highs or lows', null),
                if(other_findings > 0, other_findings || ' other findings about bars and trades', null)
            ],
            lambda finding: finding is not null
        ) as found
    from day_totals
)

select
    partition_date,
    case
        when crossed_bars > 0 or never_fetched_markets > 0 then 'error'
        when len(found) > 0 then 'warning'
        else 'ok'
    end as status,
    if(len(found) = 0, 'nothing odd', array_to_string(found, '; ')) as findings,
    cast(series_count as integer) as series_count,
    cast(expected_markets as integer) as expected_markets,
    cast(markets_without_bars as integer) as markets_without_bars,
    cast(never_fetched_markets as integer) as never_fetched_markets,
    cast(bar_count as bigint) as bar_count,
    cast(opens_without_bar as integer) as opens_without_bar,
    cast(crossed_series as integer) as crossed_series
from findings
