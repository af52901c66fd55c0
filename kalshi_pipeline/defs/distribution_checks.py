"""Checks of published snapshots, over all stored days: what must hold of every row, whoever wrote it.

Each rule is a query for the rows that break it; anybody can run it on a warehouse of their own. What a table's columns
may hold is the schema check of the asset itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
import duckdb

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.distributions.rules import BOUNDARY_NOISE, Rules
from kalshi_pipeline.schemas.distributions import (
    DISTRIBUTION_DISTANCES,
    IMPLIED_DISTRIBUTIONS,
    LADDER_LEGS,
    LADDER_QUOTES,
    QUANTILES,
)
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.resource import Warehouse

_WARN, _ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR

#: What a snapshot that failed a gate must not say.
_WITHHELD = (
    *("mean", "variance", "std", "skew", "excess_kurtosis", "entropy", "entropy_atoms", "iqr"),
    *("mass_below", "mass_above", "tail_dominated", "tail_probabilities"),
    *(column for name, _ in QUANTILES for column in (name, f"{name}_edge")),
)


@dataclass(frozen=True)
class Rule:
    """Something that must hold of every row of a table.

    Attributes:
        table: the table.
        name: of the check.
        description: what must hold.
        broken: query for ``ladder_id``, ``asof`` and ``what`` is wrong, of the rows that break it.
        severity: of a broken rule.
    """

    table: Table
    name: str
    description: str
    broken: str
    severity: dg.AssetCheckSeverity = _ERROR


RULES: tuple[Rule, ...] = (
    Rule(
        IMPLIED_DISTRIBUTIONS,
        "no_violation_after_repair",
        "The published curve never rises, masses are not negative, are its steps, and sum to 1 (tolerance 1e-9): "
        "recounted from the stored cells, and as the snapshot itself counted.",
        """
        with steps as (
            select
                ladder_id,
                "asof",
                probability,
                survival - coalesce(
                    lead(survival) over (partition by ladder_id, "asof" order by cell_index), 0
                ) as fall
            from research.implied_cells
        ),
        recounted as (
            select
                ladder_id,
                "asof",
                count_if(fall < -1e-9)
                + count_if(probability < -1e-9)
                + count_if(abs(probability - fall) > 1e-9)
                + (abs(sum(probability) - 1) > 1e-9)::int as violations
            from steps
            group by ladder_id, "asof"
        )
        select ladder_id, "asof", violations || ' recounted in its cells' as what from recounted where violations > 0
        union all
        select ladder_id, "asof", violations_post || ' counted when it was made' as what
        from research.implied_distributions
        where violations_post > 0
        """,
        _WARN,
    ),
    Rule(
        IMPLIED_DISTRIBUTIONS,
        "failed_snapshots_say_nothing",
        "Where a gate failed, every moment, quantile and tail is NULL.",
        f"""
        select ladder_id, "asof", 'a moment, quantile or tail is not NULL' as what
        from research.implied_distributions
        where hard_gate_failed and coalesce({", ".join(f"{name}::varchar" for name in _WITHHELD)}) is not null
        """,
    ),
    Rule(
        IMPLIED_DISTRIBUTIONS,
        "gates_have_reasons",
        "A snapshot failed if and only if it lists a reason, low coverage if and only if it is below the limit.",
        f"""
        select ladder_id, "asof", 'coverage ' || coverage || ', reasons ' || gate_reasons::varchar as what
        from research.implied_distributions
        where
            hard_gate_failed != (len(gate_reasons) > 0)
            or (coverage < {Rules().min_coverage} - {BOUNDARY_NOISE}) != list_contains(gate_reasons, 'coverage_low')
        """,
    ),
    Rule(
        IMPLIED_DISTRIBUTIONS,
        "one_probability_per_threshold",
        "P(X >= t) is published for each threshold of the ladder, and falls from one to the next.",
        """
        select d.ladder_id, d."asof", d.tail_probabilities::varchar || ' for ' || l.tail_thresholds::varchar as what
        from research.implied_distributions as d
        inner join research.ladders as l on d.ladder_id = l.ladder_id
        where
            len(d.tail_probabilities) != len(l.tail_thresholds)
            or list_filter(d.tail_probabilities, lambda p: p is not null)
            != list_reverse_sort(list_filter(d.tail_probabilities, lambda p: p is not null))
        """,
    ),
    Rule(
        LADDER_QUOTES,
        "no_quote_from_the_future",
        "Every quote was available at the instant it is used at.",
        """
        select ladder_id, "asof", ticker || ' known at ' || available_ts as what
        from research.ladder_quotes
        where available_ts > "asof"
        """,
    ),
    Rule(
        LADDER_LEGS,
        "results_lie_where_markets_pay",
        "The number an event settled on lies inside the payoff interval of every market that settled yes and outside "
        "of every other: a shifted strike or a wrongly read direction shows here. Events that hold one ladder.",
        """
        with alone as (
            select event_ticker from research.ladders group by event_ticker having count(*) = 1
        ),
        settled as (
            select
                l.ladder_id,
                o.learned_at as "asof",
                l.ticker,
                o.value,
                s.outcome_kind,
                o.value >= coalesce(l.low_cut, '-infinity') and o.value < coalesce(l.high_cut, 'infinity') as inside
            from research.ladder_legs as l
            inner join alone as a on l.event_ticker = a.event_ticker
            inner join marts.event_outcomes as o on l.event_ticker = o.event_ticker and o.is_latest
            inner join marts.market_settlements as s on l.ticker = s.ticker
            where l.ladder_id is not null and s.outcome_kind in ('yes', 'no')
        )
        select ladder_id, "asof", ticker || ' settled ' || outcome_kind || ' on ' || value as what
        from settled
        where inside != (outcome_kind = 'yes')
        """,
        _WARN,
    ),
    Rule(
        DISTRIBUTION_DISTANCES,
        "distances_hold",
        "Nothing is compared without a reason, nothing across a failed gate; the earlier snapshot is at least a lag "
        "before; on a grid the Wasserstein distance is no less than the distance of the means.",
        """
        with compared as (
            select d.*, l.grid_step, n.hard_gate_failed or e.hard_gate_failed as across_failure
            from research.distribution_distances as d
            left join research.ladders as l using (ladder_id)
            left join research.implied_distributions as n on d.ladder_id = n.ladder_id and d."asof" = n."asof"
            left join research.implied_distributions as e on d.ladder_id = e.ladder_id and d.earlier_asof = e."asof"
        )
        select ladder_id, "asof", lag || ': js ' || js || ', wasserstein ' || wasserstein as what
        from compared
        where
            (js is null) != (reason is not null)
            or (js is not null and across_failure)
            or earlier_asof > "asof" - case lag when '1h' then interval 1 hour else interval 1 day end
            or (grid_step is not null and wasserstein < abs(mean_change) - 1e-9 * greatest(1, abs(mean_change)))
        """,
    ),
)


def broken_rows(con: duckdb.DuckDBPyConnection, rule: Rule) -> tuple[int, str]:
    """How many rows break a rule, and the first of them in words; an empty sentence where none does."""
    found = con.execute(
        f'select count(*) over (), ladder_id, "asof", what from ({rule.broken}) order by ladder_id, "asof" limit 1'
    ).fetchall()
    if not found:
        return 0, ""
    rows, ladder, instant, what = found[0]
    return rows, f"{ladder} at {instant:%Y-%m-%d %H:%M} UTC: {what}"


def _check(rule: Rule) -> dg.AssetChecksDefinition:
    @dg.asset_check(name=rule.name, asset=asset_key(rule.table), description=rule.description)
    def check(warehouse: Warehouse) -> dg.AssetCheckResult:
        with warehouse.read() as con:
            rows, first = broken_rows(con, rule)
        return dg.AssetCheckResult(
            passed=not rows,
            severity=rule.severity,
            description=f"{rows} row(s) break it, the first: {first}" if rows else None,
            metadata={"rows": rows},
        )

    return check


#: One check per rule.
CHECKS: Sequence[dg.AssetChecksDefinition] = [_check(rule) for rule in RULES]
