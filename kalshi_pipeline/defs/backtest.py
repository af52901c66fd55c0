"""The readiness backtest as an asset: whether the data could have been decided on, and why where it could not."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pyarrow as pa
from pydantic import Field

from kalshi_pipeline.defs.checks import asset_key, schema_check
from kalshi_pipeline.defs.partitions import ONE_RUN
from kalshi_pipeline.defs.research_tables import research_spec, written
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.schemas.backtest import HYBRID_BACKTEST
from kalshi_pipeline.trading.backtest.candidates import candidates, wanted_quotes
from kalshi_pipeline.trading.backtest.funnel import Funnel, by_series, funnel
from kalshi_pipeline.trading.backtest.simulate import Result, Rules, simulate
from kalshi_pipeline.trading.backtest.tables import WANTED_QUOTES, events_of, known_of, quotes_of, table_of
from kalshi_pipeline.warehouse import backtest_inputs
from kalshi_pipeline.warehouse.resource import Warehouse

TRADES_PER_CITY = dg.AssetCheckSpec(
    name="trades_per_city",
    asset=asset_key(HYBRID_BACKTEST),
    description="Every series with an edge in the simulation has a trade; one without says at which stage it stopped.",
)
_RULES = Rules()


class BacktestConfig(dg.Config):
    """How the backtest trades; what is left out is as :class:`Rules` has it.

    Attributes:
        seed: of the fills of resting orders.
        fill_probability: share of resting orders that are executed.
        minimum_edge_cents: expected gain per contract, fees included, below which nothing is done.
        quote_age_minutes: how old the last bar may be at a decision.
    """

    seed: int = _RULES.seed
    fill_probability: float = Field(default=_RULES.fill_probability, ge=0, le=1)
    minimum_edge_cents: int = Field(default=int(100 * _RULES.minimum_edge), ge=0)
    quote_age_minutes: int = Field(default=_RULES.quote_age // timedelta(minutes=1), ge=1)

    def rules(self) -> Rules:
        """What the simulation goes by."""
        return Rules(
            seed=self.seed,
            fill_probability=self.fill_probability,
            minimum_edge=Decimal(self.minimum_edge_cents) / 100,
            quote_age=timedelta(minutes=self.quote_age_minutes),
        )


@dg.multi_asset(
    name="hybrid_backtest",
    specs=[
        research_spec(
            HYBRID_BACKTEST,
            [
                ["research", "releases"],
                ["research", "ladder_legs"],
                ["research", "event_labels"],
                ["marts", "candles"],
                ["marts", "markets"],
                ["marts", "market_settlements"],
                ["marts", "series"],
                ["raw", "series_fee_changes"],
                ["raw", "event_fee_changes"],
            ],
            "Decisions at 10:00 local time of the day before and of the climate day, on the bar known by "
            "then: every leg with the stage of the funnel it reached. It shows whether the data is ready to decide on; "
            "what it gains is no claim about a strategy.",
        )
    ],
    check_specs=[schema_check(HYBRID_BACKTEST), TRADES_PER_CITY],
    backfill_policy=ONE_RUN,
)
def hybrid_backtest(context: dg.AssetExecutionContext, config: BacktestConfig, warehouse: Warehouse) -> Iterator[Any]:
    """Simulate every decision that the bars reach, and replace the whole table."""
    results = _simulated(warehouse, config.rules())
    cities = by_series(results)
    said = {"funnel": dg.MetadataValue.md(_markdown(cities)), "in a sentence": funnel(results).sentence()}
    yield trades_per_city(cities)
    yield from written(context, warehouse, HYBRID_BACKTEST, table_of(results), **said)


def trades_per_city(cities: Mapping[str, Funnel]) -> dg.AssetCheckResult:
    """Whether every series with an edge has a trade."""
    silent = [series for series, counts in cities.items() if counts.edges and not counts.trades]
    return dg.AssetCheckResult(
        check_name=TRADES_PER_CITY.name,
        asset_key=asset_key(HYBRID_BACKTEST),
        passed=not silent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"An edge but no trade: {', '.join(silent)}." if silent else None,
        metadata={series: counts.sentence() for series, counts in cities.items()},
    )


def _simulated(warehouse: Warehouse, rules: Rules) -> list[Result]:
    with warehouse.read() as con:
        now = backtest_inputs.observed_until(con)
        events = events_of(backtest_inputs.legs_of_climate_days(con), Registry.load().timezone_of)
        known = known_of(
            backtest_inputs.known_values(con),
            backtest_inputs.series_fees(con),
            backtest_inputs.fee_changes(con),
            backtest_inputs.fee_overrides(con),
        )
        if now is None or not events:
            return []
        wanted = [{"ticker": ticker, "decision_ts": at} for ticker, at in wanted_quotes(events, now)]
        quotes = quotes_of(backtest_inputs.quotes_at(con, pa.Table.from_pylist(wanted, schema=WANTED_QUOTES)))
    return simulate(candidates(events, known, quotes, rules, now), rules)


def _markdown(cities: Mapping[str, Funnel]) -> str:
    if not cities:
        return "No event is about a climate day, so there is nothing to decide on."
    lines = ["| series | events | snapshots | quotes | priced | edge | trades |", "|---|---|---|---|---|---|---|"]
    for series, counts in cities.items():
        reached = [counts.reached[stage] for stage in ("snapshot", "quote", "priced", "edge", "filled")]
        lines.append(f"| {series} | {counts.events} | {' | '.join(map(str, reached))} |")
    reasons = "\n".join(f"- {series}: {counts.sentence()}" for series, counts in cities.items())
    return "\n".join(lines) + "\n\n" + reasons
