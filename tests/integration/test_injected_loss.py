"""One row in a hundred of a raw table is lost, repeated, delayed or altered behind our back: every one is counted.

The check that finds them holds the table against the landed responses. On untouched tables it finds nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
import duckdb
import pytest

from kalshi_pipeline.warehouse.resource import Warehouse
from tests.integration.pipeline import Pipeline

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TODAY = date(2026, 7, 1)
#: Of every raw table: the column that says when, and one whose content can be altered, as SQL over the row.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "quotes": ("observed_at", "yes_ask_size = yes_ask_size + 1"),
    "candles": ("bucket_end", "volume = volume + 1"),
    "trades": ("created_time", "count = count + 1"),
    "orderbooks": ("observed_at", "price = 1 - price"),
    "series": ("observed_at", "title = title || '?'"),
    "events": ("observed_at", "title = title || '?'"),
    "markets": ("observed_at", "close_time = close_time + INTERVAL 1 MINUTE"),
    "settlements": ("observed_at", "result = 'void'"),
}
FACTS = ("quotes", "candles", "trades", "orderbooks")
ONE_IN_A_HUNDRED = "rowid % 100 = 0"
KEYS_WITH_TIME = ("quotes", "orderbooks", "series", "events", "markets", "settlements")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline whose raw tables hold two observations of reference data and a running day of facts."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline.at(tmp_path_factory.mktemp("data"), instance)
        for _ in range(2):
            pipeline.run(job="reference")
        facts = [f"{layer}/{table}" for table in FACTS for layer in ("landing", "raw")]
        pipeline.run(assets=facts, days=(TODAY, TODAY))
        shutil.copy(pipeline.settings.database, pipeline.settings.database.with_suffix(".clean"))
        yield pipeline


@pytest.fixture
def pipeline(loaded: Pipeline) -> Pipeline:
    """The same, as it was loaded."""
    shutil.copy(loaded.settings.database.with_suffix(".clean"), loaded.settings.database)
    return loaded


def inject(pipeline: Pipeline, table: str, sql: str) -> int:
    """Change one row in a hundred of a raw table; returns how many."""
    with Warehouse(database=str(pipeline.settings.database)).write() as con:
        count = con.execute(f"SELECT count(*) FROM raw.{table} WHERE {ONE_IN_A_HUNDRED}").fetchall()[0][0]
        con.execute(sql)
    assert count > 0
    return int(count)


def reconciled(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    """What the checks of all raw tables say."""
    result = pipeline.run(job="reconcile")
    return {
        evaluation.asset_key.path[1]: {
            "passed": evaluation.passed,
            **{name: value.value for name, value in evaluation.metadata.items()},
        }
        for evaluation in result.get_asset_check_evaluations()
    }


def counts(said: Mapping[str, Any]) -> tuple[int, int, int, int]:
    return said["missing"], said["repeated"], said["altered"], said["unexpected"]


def test_untouched_tables_raise_no_alarm(pipeline: Pipeline) -> None:
    found = reconciled(pipeline)
    assert found.keys() == COLUMNS.keys()
    assert [table for table, said in found.items() if not said["passed"]] == []
    assert all(said["rows landed"] == said["rows stored"] > 0 for said in found.values())


def test_lost_rows_are_counted(pipeline: Pipeline) -> None:
    lost = {table: inject(pipeline, table, f"DELETE FROM raw.{table} WHERE {ONE_IN_A_HUNDRED}") for table in COLUMNS}
    found = reconciled(pipeline)
    assert {table: counts(said) for table, said in found.items()} == {
        table: (count, 0, 0, 0) for table, count in lost.items()
    }
    assert not any(said["passed"] for said in found.values())
    assert found["candles"]["days that differ"] == str(TODAY)


def test_repeated_rows_are_counted_or_refused_by_their_key(pipeline: Pipeline) -> None:
    again = "INSERT INTO raw.{0} SELECT * FROM raw.{0} WHERE " + ONE_IN_A_HUNDRED
    repeated = {table: inject(pipeline, table, again.format(table)) for table in FACTS}
    for table in COLUMNS.keys() - set(FACTS):
        with pytest.raises(duckdb.ConstraintException, match="Duplicate key"):
            inject(pipeline, table, again.format(table))
    found = reconciled(pipeline)
    assert {table: counts(found[table]) for table in FACTS} == {
        table: (0, count, 0, 0) for table, count in repeated.items()
    }
    assert {table for table, said in found.items() if not said["passed"]} == set(FACTS)


def test_delayed_rows_are_counted(pipeline: Pipeline) -> None:
    delayed = {
        table: inject(
            pipeline, table, f"UPDATE raw.{table} SET {when} = {when} + INTERVAL 7 SECOND WHERE {ONE_IN_A_HUNDRED}"
        )
        for table, (when, _) in COLUMNS.items()
    }
    found = reconciled(pipeline)
    assert {table: counts(said) for table, said in found.items()} == {
        table: (count, 0, 0, count) if table in KEYS_WITH_TIME else (0, 0, count, 0) for table, count in delayed.items()
    }
    assert not any(said["passed"] for said in found.values())


def test_altered_rows_are_counted(pipeline: Pipeline) -> None:
    altered = {
        table: inject(pipeline, table, f"UPDATE raw.{table} SET {change} WHERE {ONE_IN_A_HUNDRED}")
        for table, (_, change) in COLUMNS.items()
    }
    found = reconciled(pipeline)
    assert {table: counts(said) for table, said in found.items()} == {
        table: (0, 0, count, 0) for table, count in altered.items()
    }


def test_a_damaged_or_lost_landed_file_is_named(pipeline: Pipeline) -> None:
    landing = pipeline.settings.landing_dir
    (changed, *_) = sorted((landing / "trades").rglob("*.jsonl.gz"))
    was = changed.read_bytes()
    try:
        changed.write_bytes(was[:-9])
        result = pipeline.run(job="reconcile")
    finally:
        changed.write_bytes(was)
    (said,) = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.asset_key.path == ["raw", "trades"]
    ]
    assert not said.passed
    assert f"{changed.relative_to(landing)} is not the file that its manifest names" in str(said.description)
