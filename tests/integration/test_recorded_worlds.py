"""Whatever a recorded world holds arrives in the warehouse: each bar and trade once, no market left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from kalshi_pipeline.defs.resources import open_exchange
from kalshi_pipeline.settings import Source, SourceKind
from tests.conftest import recorded_worlds
from tests.integration.pipeline import Pipeline

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORLDS = recorded_worlds()
NO_WORLD = pytest.mark.skip(reason="no recorded world lies beside the checkout (../shared/recorded)")


@pytest.fixture(scope="module", params=WORLDS or [pytest.param(None, marks=NO_WORLD)], ids=lambda path: Path(path).name)
def ingested(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The reference data, bars and trades of one world, taken in through Dagster."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline.at(
            tmp_path_factory.mktemp("data"),
            instance,
            source=Source(SourceKind.RECORDED, request.param),
            universe=(),
            sandbox_now=None,
        )
        with open_exchange(pipeline.settings) as exchange:
            days = exchange.world.first_day, exchange.world.last_day
        assert days[0] and days[1]
        pipeline.run(job="reference")
        pipeline.run(assets=("landing/candles", "raw/candles", "landing/trades", "raw/trades"), days=days)
        yield pipeline


def recorded(pipeline: Pipeline, table: str) -> int:
    """Rows of a table of the recording, straight from its file; 0 where it has none."""
    file = (pipeline.settings.source.folder or Path()) / f"{table}.parquet"
    return int(duckdb.sql(f"select count(*) from '{file}'").fetchall()[0][0]) if file.exists() else 0


@pytest.mark.parametrize("table", ["series", "events", "markets", "candles", "trades"])
def test_every_recorded_row_is_in_the_warehouse_or_in_quarantine(ingested: Pipeline, table: str) -> None:
    loaded = ingested.value(f"select count(*) from raw.{table}")
    refused = ingested.value("select count(*) from meta.quarantine where table_name = ?", f"raw.{table}")
    assert loaded + refused == recorded(ingested, table)


def test_a_recorded_world_speaks_in_the_known_forms(ingested: Pipeline) -> None:
    assert ingested.rows("select table_name, kind, field, expected, seen from meta.wire_drift") == []
