"""A changed contract reaches tables that are there: rebuilt by the run that builds them, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import duckdb
import pytest

from kalshi_pipeline.defs.dbt import build_dbt_assets
from kalshi_pipeline.defs.dbt_project import manifest_path
from kalshi_pipeline.defs.resources import Dbt
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.migrations import migrate
from tests.integration.dbt_warehouse import DAY, DbtWarehouse, parsed_runner

pytestmark = pytest.mark.integration

#: A table of trades as an older release of the models would have left it: no constraint at all.
OLD_SHAPE = """
CREATE OR REPLACE TABLE marts.trades_before AS FROM marts.trades;
DROP TABLE marts.trades;
CREATE TABLE marts.trades AS SELECT * EXCLUDE (load_id), load_id FROM marts.trades_before;
DROP TABLE marts.trades_before;
"""

FIRST_PRINTS = "marts.event_outcomes_first_print"


@dataclass
class Built:
    """A warehouse with trades, built once by dbt, and the dbt assets over it."""

    file: DbtWarehouse
    assets: list[dg.AssetsDefinition]
    dbt: Dbt

    def run(self, *keys: list[str], raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            self.assets,
            selection=dg.AssetSelection.assets(*keys).without_checks(),
            partition_key=DAY.isoformat() if ["marts", "event_outcomes_first_print"] not in keys else None,
            resources={"dbt": self.dbt, "warehouse": self.file.warehouse},
            raise_on_error=raise_on_error,
        )

    def checks(self) -> list[str]:
        return [
            str(text)
            for (text,) in self.file.rows(
                "SELECT constraint_text FROM duckdb_constraints() "
                "WHERE schema_name = 'marts' AND table_name = 'trades' ORDER BY ALL"
            )
        ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    migrate(settings.database)
    with pytest.MonkeyPatch.context() as monkeypatch:
        file = DbtWarehouse(settings.database, parsed_runner(monkeypatch, settings.database))
        for dataset in ("series", "events", "markets"):
            file.observe(dataset, {})
        file.observe("settlements", {"expiration_value": "0.4"})
        file.load("trades", {})
        assert file.build().success
        yield Built(file, build_dbt_assets(manifest_path(settings.database)), Dbt.of(settings))


@pytest.fixture
def aged(built: Built) -> Built:
    """The table of trades in an old shape, its rows untouched."""
    built.file.load("trades", {})
    built.file.execute(OLD_SHAPE)
    return built


def test_the_table_is_rebuilt_with_all_its_rows_and_then_rejects_what_the_contract_rejects(aged: Built) -> None:
    aged.file.execute("INSERT INTO marts.trades SELECT * REPLACE ('maybe' AS taker_outcome_side) FROM marts.trades")
    aged.run(["marts", "trades"])
    assert any("taker_outcome_side IN ('yes', 'no')" in check for check in aged.checks())
    assert aged.file.rows("SELECT trade_id, taker_outcome_side FROM marts.trades") == [("trade-1", None)]
    with pytest.raises(duckdb.ConstraintException, match="taker_outcome_side"):
        aged.file.execute("INSERT INTO marts.trades SELECT * REPLACE ('maybe' AS taker_outcome_side) FROM marts.trades")


def test_dbt_by_itself_stops_at_the_old_table_and_builds_it_anew_when_told_to(aged: Built) -> None:
    stopped = aged.file.build("--select", "trades")
    assert not stopped.success
    assert "marts.trades was built under another contract" in stopped.messages["trades"]
    assert "CHECK((taker_outcome_side IN ('yes', 'no'))) is new" in stopped.messages["trades"]
    assert aged.checks() == []
    healed = aged.file.build("--select", stopped.messages["trades"].split("--select ")[1].split()[0], "--full-refresh")
    assert healed.success, healed.messages
    assert any("taker_outcome_side IN ('yes', 'no')" in check for check in aged.checks())
    assert aged.file.build("--select", "trades").success


@pytest.mark.slow
def test_rows_that_break_the_new_contract_stop_the_run_and_leave_the_table(aged: Built) -> None:
    aged.file.execute("ALTER TABLE raw.trades RENAME TO trades_strict")
    aged.file.execute(
        "CREATE TABLE raw.trades AS SELECT * REPLACE ('maybe' AS taker_outcome_side) FROM raw.trades_strict"
    )
    try:
        result = aged.run(["marts", "trades"], raise_on_error=False)
    finally:
        aged.file.execute("DROP TABLE raw.trades; ALTER TABLE raw.trades_strict RENAME TO trades")
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    said = str(failure.step_failure_data.error)
    assert "marts.trades cannot be rebuilt under its new contract" in said
    assert "CHECK constraint failed" in said
    assert "The table is as it was" in said
    assert aged.file.rows("SELECT trade_id FROM marts.trades") == [("trade-1",)]
    assert aged.checks() == []


@pytest.mark.slow
def test_a_run_that_does_not_build_the_table_names_it(aged: Built, capfd: pytest.CaptureFixture[str]) -> None:
    aged.run(["marts", "candles"])
    assert "marts.trades is older than its contract, and this run does not build it" in capfd.readouterr().err
    assert aged.checks() == []


def test_the_first_prints_hold_first_prints_only_in_fresh_and_in_upgraded_files(built: Built) -> None:
    _refuses_a_lie(built)
    built.file.execute(f"CREATE TABLE {FIRST_PRINTS}_before AS FROM {FIRST_PRINTS}")
    built.file.execute(
        f"DROP TABLE {FIRST_PRINTS}; ALTER TABLE {FIRST_PRINTS}_before RENAME TO event_outcomes_first_print"
    )
    built.file.execute(f"INSERT INTO {FIRST_PRINTS} SELECT * REPLACE ('revised' AS print_type) FROM {FIRST_PRINTS}")
    built.run(["marts", "event_outcomes_first_print"])
    _refuses_a_lie(built)


def _refuses_a_lie(built: Built) -> None:
    assert built.file.rows(f"SELECT event_ticker, value, print_type FROM {FIRST_PRINTS}") == [
        ("KXCPI-26JAN", 0.4, "first_print")
    ]
    for changes in ("'revised' AS print_type, 'other' AS event_ticker", "0.5 AS value", "'nan'::DOUBLE AS value"):
        with pytest.raises(duckdb.ConstraintException):
            built.file.execute(f"INSERT INTO {FIRST_PRINTS} SELECT * REPLACE ({changes}) FROM {FIRST_PRINTS}")
