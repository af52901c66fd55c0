"""What ingestion says of itself: each market in one state, failed units by name, what each load was made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import ServerError
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.runs import RunFailed
from kalshi_pipeline.warehouse.loaders import load_candles, load_markets, load_settlements
from kalshi_pipeline.warehouse.resource import Warehouse
from tests.integration.pipeline import DAYS, Pipeline

pytestmark = pytest.mark.integration

ASSETS = ("landing/candles", "raw/candles")
BROKEN = "KXHIGHCHI-26JUN30"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A day on which one event cannot be fetched: the books after the failure, after a load of the rest, repaired."""
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as patch:
        pipeline = Pipeline.at(tmp_path_factory.mktemp("data"), instance, universe=("KXHIGHCHI",), candle_minutes=60)
        pipeline.run(assets=("landing/events", "landing/markets", "raw/markets", "raw/settlements"), days=DAYS)
        patch.setattr("kalshi_pipeline.landing.candles.REQUESTS_IN_BUNDLE", 0.0)
        fetch = KalshiClient.candles

        def broken(client: KalshiClient, tickers: Any, *window: int) -> Any:
            if any(ticker.startswith(BROKEN) for ticker in tickers):
                raise ServerError("the exchange is out of order")
            return fetch(client, tickers, *window)

        told: dict[str, Any] = {"pipeline": pipeline}
        with pytest.MonkeyPatch.context() as fault:
            fault.setattr(KalshiClient, "candles", broken)
            with pytest.raises(RunFailed, match=BROKEN) as caught:
                pipeline.run(assets=ASSETS, days=DAYS)
            told["message"] = str(caught.value)
            told["failed"] = books(pipeline)
        told["rest"] = pipeline.run(assets=("raw/candles",), days=DAYS)
        told["after the rest"] = books(pipeline)
        told["repaired"] = pipeline.run(assets=ASSETS, days=DAYS)
        told["after the repair"] = books(pipeline)
        yield told


def books(pipeline: Pipeline) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "units": pipeline.rows("select distinct unit_id, state, reason from meta.ingestion_checkpoint order by all"),
        "states": pipeline.rows(
            "select partition_date, ticker, state, rows, reason from meta.market_states order by all"
        ),
        "log": pipeline.rows("select stage, dataset, outcome, message from meta.ingestion_log order by recorded_at"),
    }


def coverage(result: dg.ExecuteInProcessResult) -> Any:
    return next(one for one in result.get_asset_check_evaluations() if one.check_name == "coverage")


def test_a_failed_unit_fails_the_partition_by_name_and_the_rest_has_landed(story: dict[str, Any]) -> None:
    failed = [unit for unit in story["failed"]["units"] if unit[1] == "failed" and unit[0].startswith("KXHIGH")]
    [(unit_id, _, reason)] = failed
    assert unit_id.startswith(BROKEN) and "out of order" in reason
    assert unit_id in story["message"]
    assert sum(state == "landed" for unit, state, _ in story["failed"]["units"] if ".60m." in unit) > 1
    assert ("landing", "candles", "failed") in [row[:3] for row in story["failed"]["log"]]
    states = story["failed"]["states"]
    assert {state for _, ticker, state, *_ in states if ticker.startswith(BROKEN)} == {"failed"}


def test_the_rest_can_be_loaded_and_the_check_names_what_failed(story: dict[str, Any]) -> None:
    check = coverage(story["rest"])
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert any(name.startswith(f"failed: {BROKEN}") for name in check.metadata)
    states = story["after the rest"]["states"]
    assert {state for *_, state, _, _ in states} == {"has_rows", "failed", "not_open"}
    assert all(reason for *_, state, _, reason in states if state == "failed")


def test_a_second_run_fetches_what_failed_and_ends_every_market_in_one_state(story: dict[str, Any]) -> None:
    assert coverage(story["repaired"]).passed
    states = story["after the repair"]["states"]
    pipeline = story["pipeline"]
    markets = pipeline.value("select count(distinct ticker) from raw.markets")
    assert len(states) == len({(day, ticker) for day, ticker, *_ in states}) == markets * len(DAYS)
    assert {state for *_, state, _, _ in states} <= {"has_rows", "silent", "not_open"}
    assert sum(rows for *_, rows, _ in states) == pipeline.value("select count(*) from raw.candles")
    assert {state for _, ticker, state, *_ in states if ticker.startswith(BROKEN)} == {"has_rows"}


def test_every_load_says_what_it_was_made_of(story: dict[str, Any]) -> None:
    rows = story["pipeline"].rows(
        "select partition_date, source, units, load_id is not null from meta.data_provenance "
        "where table_name = 'raw.candles' and run_id = ? order by all",
        story["repaired"].run_id,
    )
    assert [row[0] for row in rows] == list(DAYS)
    assert all(source == "sandbox" and units > 0 and loaded for _, source, units, loaded in rows)
    digests = story["pipeline"].rows(
        "select partition_date, count(distinct units_sha256) from meta.data_provenance "
        "where table_name = 'raw.candles' group by all order by all"
    )
    assert digests == [(day, 2) for day in DAYS]


def test_a_unit_of_a_row_leads_to_its_file(story: dict[str, Any]) -> None:
    orphans = story["pipeline"].value(
        "select count(*) from raw.candles as c anti join meta.ingestion_checkpoint as u "
        "on c.unit_id = u.unit_id and c.partition_date = u.partition_date and u.state = 'landed'"
    )
    assert orphans == 0


def test_emptied_tables_are_filled_again_from_the_landing_alone(story: dict[str, Any]) -> None:
    """Nothing of this asks the exchange: loads know no client, and the manifests name every observation."""
    pipeline: Pipeline = story["pipeline"]
    tables = ("raw.candles", "raw.markets", "raw.settlements")
    before = {table: pipeline.rows(f"select * from {table} order by all") for table in tables}
    assert all(before.values())
    store = LandingStore(pipeline.settings.landing_dir)
    observations = [name for name in store.partitions("markets") if name.startswith("observation-")]
    files = [
        store.root / unit.path
        for name in observations
        if (manifest := store.manifest("markets", name))
        for unit in manifest.landed
    ]
    with Warehouse(database=str(pipeline.settings.database)).write() as con:
        for table in tables:
            con.execute(f"delete from {table}")
        load_markets(con, files, run_id="replay")
        load_settlements(con, files, run_id="replay")
        load_candles(con, store.files("candles", DAYS), DAYS, run_id="replay")
    assert {table: pipeline.rows(f"select * from {table} order by all") for table in tables} == before
