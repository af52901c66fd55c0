"""Without whatever became known after an instant, the compiled models tell the same past: in every world there is.

Each world is taken in over a short window, its reference data at several moments, and built once in full. Then the
models run again over what was known at random instants; leaks planted in their SQL show that this would be noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import httpx
import pytest

from kalshi_pipeline.defs import resources
from kalshi_pipeline.proving import prove
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.settings import Source, SourceKind
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.conftest import recorded_worlds
from tests.integration.dbt_warehouse import DbtWarehouse, parsed_runner
from tests.integration.pipeline import DAYS, Pipeline
from tests.integration.truncation import Model, compiled_models, cut_warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CUTS, SEED = 50, 1
REFERENCE = [f"{layer}/{table}" for table in ("series", "events", "markets") for layer in ("landing", "raw")]
REFERENCE += ["raw/settlements", "landing/outcome_vintages", "raw/outcome_vintages"]
FACTS = [f"{layer}/{table}" for table in ("candles", "trades") for layer in ("landing", "raw")]


@dataclass(frozen=True)
class Window:
    """What is taken in of a world: days of facts, and the moments at which its reference data is looked at."""

    days: tuple[date, date]
    looks: tuple[datetime, ...]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WINDOWS = {
    "simulated": Window(DAYS, (at("2026-06-29T06:00"), at("2026-06-30T06:00"), at("2026-07-01T14:00"))),
    "weather_2024": Window(
        (date(2024, 11, 1), date(2024, 11, 10)),
        (at("2024-11-04T18:00"), at("2024-11-07T18:00"), at("2024-12-31T18:00")),
    ),
    "btc_hourly_2026_07": Window(
        (date(2026, 7, 5), date(2026, 7, 6)), (at("2026-07-05T18:00"), at("2026-07-08T00:00"))
    ),
    "econ_2026_07": Window((date(2026, 7, 5), date(2026, 7, 12)), (at("2026-07-07T18:00"), at("2026-07-12T23:00"))),
    "payrolls_to_2024_07": Window(
        (date(2024, 3, 1), date(2024, 7, 5)), (at("2024-03-20T18:00"), at("2024-08-02T00:00"))
    ),
}


@dataclass(frozen=True)
class Leak:
    """A leak in a model's SQL: what is written instead of what."""

    name: str
    model: str
    honest: str
    leaky: str

    def planted(self, models: list[Model]) -> list[Model]:
        """The models with the leak in them."""
        [own] = [model for model in models if model.relation.endswith(f'"{self.model}"')]
        assert own.sql.count(self.honest) == 1, f"{self.model} no longer says {self.honest}"
        return [replace(m, sql=m.sql.replace(self.honest, self.leaky)) if m is own else m for m in models]


LEAKS = [
    Leak(
        "strike of today in every version",
        "int_market_versions",
        'select * from "kalshi"."staging"."stg_markets"',
        "select * replace (max_by(floor_strike, observed_at) over (partition by ticker) as floor_strike) "
        'from "kalshi"."staging"."stg_markets"',
    ),
    Leak(
        "listing known before it opened",
        "int_market_versions",
        "least(observed_at, greatest(open_time, coalesce(created_time, open_time)))",
        "open_time - interval 30 days",
    ),
    Leak("bar known at its start", "quotes", "bucket_end as observed_at", "bucket_start as observed_at"),
    Leak("UTC-labelled Eastern day", "stg_candles", "bucket_end,", "bucket_end - interval 4 hours as bucket_end,"),
    Leak(
        "price filled from the next bar",
        "quotes",
        "coalesce(price_close, price_previous) as last_price",
        "coalesce(price_close, lead(price_close) over (partition by ticker order by bucket_end)) as last_price",
    ),
    Leak(
        "volume measured by the market's whole life",
        "stg_candles",
        "volume,",
        "cast(volume / nullif(max(volume) over (partition by ticker), 0) as decimal(18, 2)) as volume,",
    ),
    Leak(
        "only markets that were settled",
        "stg_candles",
        'select * from "kalshi"."raw"."candles"',
        'select * from "kalshi"."raw"."candles" semi join "kalshi"."raw"."settlements" using (ticker)',
    ),
    Leak(
        "trade known before it was made",
        "trades",
        "trades.created_time as available_ts",
        "trades.created_time - interval 1 day as available_ts",
    ),
    Leak(
        "outcome before it was learned",
        "stg_outcome_vintages",
        "= 1 then learned_at",
        "= 1 then vintage_at - interval 1 day",
    ),
    Leak(
        "result before it was learned",
        "int_settlement_versions",
        "min(learned_at) over spell as learned_at",
        "min(learned_at) over spell - interval 1 day as learned_at",
    ),
    Leak(
        "revised value as first print",
        "event_outcomes_first_print",
        "    value,",
        "(select max_by(e.value, e.learned_at) from event_values as e where e.event_ticker = event_values.event_ticker)"
        " as value,",
    ),
]


class ChangingExchange(SandboxServer):
    """An exchange that strikes, titles and settles a share of its markets anew."""

    def __enter__(self) -> ChangingExchange:
        faults = {"restruck": 0.3, "retitled": 0.3, "amended": 0.3}
        httpx.post(f"{self.root_url}/sandbox/faults", json=faults).raise_for_status()
        return self


@dataclass(frozen=True)
class Built:
    """A world's pipeline after research, and the models that dbt compiled for it."""

    pipeline: Pipeline
    models: list[Model]


def build(world: str, folder: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Built:
    source = Source(SourceKind.SANDBOX)
    universe = Pipeline.at(folder, instance).settings.universe
    if world != "simulated":
        source, universe = Source(SourceKind.RECORDED, {path.name: path for path in recorded_worlds()}[world]), ()
    else:
        monkeypatch.setattr(resources, "SandboxServer", ChangingExchange)
    for look in WINDOWS[world].looks:
        pipeline = Pipeline.at(folder, instance, source=source, universe=universe, sandbox_now=look, grid_minutes=None)
        pipeline.run(assets=REFERENCE)
    pipeline.run(assets=FACTS, days=WINDOWS[world].days)
    database = pipeline.settings.database
    done = DbtWarehouse(database, parsed_runner(monkeypatch, database)).dbt("run", "--exclude", "tag:health")
    assert done.success, done.messages
    pipeline.run(job="research", days=WINDOWS[world].days)
    return Built(pipeline, compiled_models(database.parent / "dbt"))


@pytest.fixture(scope="module", params=list(WINDOWS))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """One world after another."""
    if request.param != "simulated" and request.param not in {path.name for path in recorded_worlds()}:
        pytest.skip(f"the recorded world {request.param} is not beside the checkout (../shared/recorded)")
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as monkeypatch:
        yield build(request.param, tmp_path_factory.mktemp("data"), instance, monkeypatch)


def test_fifty_cuts_leave_the_past_of_the_compiled_models_as_it_was(built: Built) -> None:
    with cut_warehouse(built.pipeline.settings.database, built.models) as warehouse:
        assert warehouse.unlike_the_file() == []
        instants = warehouse.cuts(CUTS, SEED)
        assert len(set(instants)) == CUTS
        assert [said for instant in instants for said in warehouse.differences(instant)] == []


@pytest.mark.parametrize("built", ["simulated"], indirect=True)
@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_a_leak_in_a_models_sql_is_caught(built: Built, leak: Leak) -> None:
    with cut_warehouse(built.pipeline.settings.database, leak.planted(built.models)) as warehouse:
        instants = [*warehouse.cuts(CUTS, SEED)[:10], *warehouse.before_a_revision()]
        assert any(warehouse.differences(instant) for instant in instants)


def test_every_proof_holds_on_what_a_world_gives(built: Built) -> None:
    with Warehouse(database=str(built.pipeline.settings.database)).read() as con:
        results = prove(con, built.pipeline.settings, cuts=5, seed=SEED)
    assert [result.text() for result in results if not result.passed] == []
