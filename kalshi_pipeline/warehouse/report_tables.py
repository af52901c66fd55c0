"""What the HTML report reads: small tables, each already counted, so that a warehouse of years is read in seconds.

A table that a warehouse does not have (yet) is left out, and the report says so. How a table becomes a section is in
``report.page``.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from kalshi_pipeline.warehouse.bookkeeping import row_counts

#: Runs that wrote something, with what they wrote; newest first.
_RUNS = """
select
    run_id,
    max(loaded_at) as written_at,
    string_agg(distinct dataset, ', ' order by dataset) as datasets,
    min(partition_date) as first_day,
    max(partition_date) as last_day,
    count(distinct partition_date) as days,
    sum(rows)::bigint as rows
from meta.partition_loads
group by run_id
order by written_at desc
limit 12
"""

_COVERAGE = """
select
    series_ticker,
    partition_date as day,
    count(*) as snapshots,
    count(*) filter (where not hard_gate_failed) as passed
from research.implied_distributions
group by all
order by all
"""

_GATES = """
select day, reason, count(*) as snapshots
from (
    select partition_date as day, unnest(gate_reasons) as reason
    from research.implied_distributions
)
group by all
order by all
"""

_QUARANTINE = """
select table_name, reason, count(*) as rows, max(quarantined_at) as latest
from meta.quarantine
group by all
order by rows desc, table_name, reason
limit 20
"""

# Of every series the ladder whose release comes next, and the last one whose outcome is known. "Now" is the latest
# instant that was looked at, so that the report of a recorded world is about that world's present.
_CHOSEN = """
create or replace temp table chosen_snapshots as
with present as (
    select max("asof") as moment from research.implied_distributions
),
released as (
    select l.ladder_id, l.series_ticker, l.anchor_ts, l.latest_value, l.latest_text, l.has_label
    from research.event_labels as l
),
picked as (
    select r.*, 'next' as role
    from released as r, present as p
    where r.anchor_ts > p.moment
    union all
    select r.*, 'latest' as role
    from released as r, present as p
    where r.anchor_ts <= p.moment and r.has_label
),
snapshots as (
    select
        d.ladder_id, d."asof", d.event_ticker, d.series_ticker, d.mean, d.median, d.q05, d.q95, d.mean_low, d.mean_high,
        d.quote_kind, d.n_quoted, d.n_legs, p.role, p.anchor_ts,
        case when p.role = 'latest' then p.latest_value end as outcome,
        case when p.role = 'latest' then p.latest_text end as outcome_text
    from research.implied_distributions as d
    inner join picked as p on d.ladder_id = p.ladder_id and d."asof" <= p.anchor_ts
    where not d.hard_gate_failed
    qualify row_number() over (partition by d.ladder_id order by d."asof" desc) = 1
)
select s.*, l.unit, l.grid_step
from snapshots as s
inner join research.ladders as l using (ladder_id)
qualify row_number() over (
    partition by s.series_ticker, s.role
    order by case when s.role = 'next' then s.anchor_ts end asc, s.anchor_ts desc, s.ladder_id asc
) = 1
"""

_SNAPSHOTS = "select * from chosen_snapshots order by role desc, series_ticker"

_CELLS = """
select c.ladder_id, c.cell_index, c.low_cut, c.high_cut, c.probability, c.probability_low, c.probability_high
from research.implied_cells as c
semi join chosen_snapshots as s on c.ladder_id = s.ladder_id and c."asof" = s."asof"
order by c.ladder_id, c.cell_index
"""

# A quantile in an open cell is drawn at the cell's edge, as everywhere else.
_PATHS = """
select
    d.ladder_id,
    d."asof",
    coalesce(d.q05, d.q05_edge) as q05,
    coalesce(d.q25, d.q25_edge) as q25,
    coalesce(d.median, d.median_edge) as median,
    coalesce(d.q75, d.q75_edge) as q75,
    coalesce(d.q95, d.q95_edge) as q95
from research.implied_distributions as d
semi join (select ladder_id from chosen_snapshots where role = 'next') as s on d.ladder_id = s.ladder_id
order by d.ladder_id, d."asof"
"""

_FOLDS = """
select
    pool,
    count(distinct fold_id) filter (where role <> 'not_built') as folds,
    min(train_groups) filter (where role <> 'not_built') as least_train_groups,
    max(train_groups) filter (where role <> 'not_built') as most_train_groups,
    count(distinct release_id) filter (where role = 'test') as tested_releases,
    min(t_fold) filter (where role <> 'not_built') as first_test,
    max(t_fold) filter (where role <> 'not_built') as last_test,
    any_value(not_built_reason) as not_built_reason
from research.walkforward_folds
group by pool
order by pool
"""

# One horizon stands for all: a day before the anchor, where every release has a forecast. All releases together are
# told where they are of more than one type.
_SCORES = """
select scope_value, method, metric, estimate, estimate_low, estimate_high, n_events,
    difference, difference_low, difference_high
from research.scorecard
where horizon_minutes = 1440
    and metric in ('log_score', 'crps', 'brier', 'coverage_50', 'coverage_90')
    and (
        scope = 'release_type'
        or scope = 'all' and (
            select count(distinct scope_value) from research.scorecard
            where scope = 'release_type' and horizon_minutes = 1440
        ) > 1
    )
order by scope, scope_value, metric, method
"""

# A label's place in the forecast is an interval of probability; each event spreads its weight evenly over it.
_PIT = """
with places as (
    select pit_low, greatest(pit_high, pit_low + 1e-9) as pit_high
    from research.walkforward_results
    where method = 'market' and horizon_minutes = 1440 and pit_low is not null
),
tenths as (
    select unnest(range(10)) as tenth
)
select
    t.tenth,
    sum(greatest(least(p.pit_high, (t.tenth + 1) / 10) - greatest(p.pit_low, t.tenth / 10), 0)
        / (p.pit_high - p.pit_low)) as events,
    count(*) as of_events
from places as p
cross join tenths as t
group by t.tenth
order by t.tenth
"""

# Every market of the ladders scored a day before: what it was given, and whether it paid by the ladder's outcome.
_RELIABILITY = """
select
    r.event_ticker,
    q.repaired as probability,
    coalesce(l.low_cut <= r.label_value, true) and coalesce(r.label_value < l.high_cut, true) as paid
from research.walkforward_results as r
inner join research.ladder_quotes as q on r.ladder_id = q.ladder_id and r."asof" = q."asof"
inner join research.ladder_legs as l on q.ladder_id = l.ladder_id and q.ticker = l.ticker
where r.method = 'market' and r.horizon_minutes = 1440 and q.repaired is not null
order by probability, paid
"""

#: Queries of tables that a warehouse may not have yet, by the table each needs.
OPTIONAL: Mapping[str, tuple[str, str]] = {
    "scores": ("research.scorecard", _SCORES),
    "pit": ("research.walkforward_results", _PIT),
    "reliability": ("research.walkforward_results", _RELIABILITY),
}

#: Tables that every warehouse can give, by name.
QUERIES: Mapping[str, str] = {
    "runs": _RUNS,
    "coverage": _COVERAGE,
    "gates": _GATES,
    "quarantine": _QUARANTINE,
    "snapshots": _SNAPSHOTS,
    "cells": _CELLS,
    "paths": _PATHS,
    "folds": _FOLDS,
}


def report_tables(con: duckdb.DuckDBPyConnection) -> dict[str, pa.Table]:
    """Every table of the report, by name."""
    con.execute(_CHOSEN)
    try:
        tables = {name: con.execute(sql).to_arrow_table() for name, sql in QUERIES.items()}
    finally:
        con.execute("drop table if exists chosen_snapshots")
    there = row_counts(con)
    tables |= {name: con.execute(sql).to_arrow_table() for name, (needs, sql) in OPTIONAL.items() if there.get(needs)}
    return tables
