-- Which days and series lack bars, and was nobody asked or did nothing happen?
select
    partition_date,
    series_ticker,
    sum(expected_markets) as expected,
    sum(present_markets) as present,
    sum(silent_markets) as silent,
    sum(never_fetched_markets) as never_fetched
from health.candle_coverage
group by all
order by partition_date, series_ticker
