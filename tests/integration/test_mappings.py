"""The versions of the mapping are written as assets, and one that contradicts itself writes nothing."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from kalshi_pipeline.defs import mappings
from kalshi_pipeline.defs.mappings import CONSISTENT, event_market_map_versions
from kalshi_pipeline.research.mappings import MAPPING_SCHEMA, VERSION_SCHEMA
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse

pytestmark = pytest.mark.integration


#: Publisher, type, and the period as tickers name it and as a date.
RELEASE = ("CPI", "CPI", "26JAN", "2026-01-01")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse with one market whose close was moved once."""
    path = tmp_path / "kalshi.duckdb"
    migrate(path)
    warehouse = Warehouse(database=str(path))
    with warehouse.write() as con:
        con.execute(
            """
            CREATE SCHEMA marts;
            CREATE TABLE marts.market_specifications AS FROM (VALUES
                ('M', 'KXCPI-26JAN', 'KXCPI', TIMESTAMPTZ '2026-01-01 00:00:00Z', TIMESTAMPTZ '2026-01-14 13:29:00Z',
                    TIMESTAMPTZ '2026-01-01 00:00:00Z'),
                ('M', 'KXCPI-26JAN', 'KXCPI', TIMESTAMPTZ '2026-01-01 00:00:00Z', TIMESTAMPTZ '2026-01-15 13:29:00Z',
                    TIMESTAMPTZ '2026-01-05 00:00:00Z')
            ) AS specifications (ticker, event_ticker, series_ticker, open_time, close_time, known_at)
            """
        )
    return warehouse


def run(warehouse: Warehouse) -> dg.ExecuteInProcessResult:
    return dg.materialize([event_market_map_versions], resources={"warehouse": warehouse}, raise_on_error=False)


def rows(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    with warehouse.read() as con:
        return con.execute(sql).fetchall()


def test_every_version_is_written_and_checked(warehouse: Warehouse) -> None:
    done = run(warehouse)
    assert done.success
    assert {e.check_name: e.passed for e in done.get_asset_check_evaluations()} == {"schema": True, CONSISTENT: True}
    assert rows(
        warehouse,
        "SELECT version_id, release_id, valid_to IS NULL FROM research.event_market_map_versions ORDER BY ALL",
    ) == [(1, "CPI:2026-01-14T13:30:00Z", False), (2, "CPI:2026-01-15T13:30:00Z", True)]
    assert rows(warehouse, "SELECT version_id, event_count FROM research.mapping_versions ORDER BY ALL") == [
        (1, 1),
        (2, 1),
    ]


def test_a_release_that_moves_has_two_versions_the_second_of_which_closes_the_first(warehouse: Warehouse) -> None:
    assert run(warehouse).success
    assert rows(
        warehouse,
        "SELECT publisher, release_type, period, period_start::VARCHAR, version_number, scheduled_at::VARCHAR, "
        "known_at::VARCHAR, valid_to::VARCHAR, event_count FROM research.release_versions ORDER BY version_number",
    ) == [
        (*RELEASE, 1, "2026-01-14 13:30:00+00", "2026-01-01 00:00:00+00", "2026-01-05 00:00:00+00", 1),
        (*RELEASE, 2, "2026-01-15 13:30:00+00", "2026-01-05 00:00:00+00", None, 1),
    ]


def test_a_release_that_moves_back_has_its_first_schedule_again(warehouse: Warehouse) -> None:
    with warehouse.write() as con:
        con.execute(
            "INSERT INTO marts.market_specifications SELECT * REPLACE ("
            "TIMESTAMPTZ '2026-01-14 13:29:00Z' AS close_time, TIMESTAMPTZ '2026-01-09 00:00:00Z' AS known_at) "
            "FROM marts.market_specifications LIMIT 1"
        )
    assert run(warehouse).success
    first, second = "CPI:2026-01-14T13:30:00Z", "CPI:2026-01-15T13:30:00Z"
    assert rows(
        warehouse,
        "SELECT version_number, release_id, version_id, valid_from::DATE::VARCHAR, valid_to::DATE::VARCHAR "
        "FROM research.release_versions ORDER BY version_number",
    ) == [
        (1, first, 1, "2026-01-01", "2026-01-05"),
        (2, second, 2, "2026-01-05", "2026-01-09"),
        (3, first, 3, "2026-01-09", None),
    ]


def test_a_mapping_that_contradicts_itself_fails_its_check_and_is_not_written(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    unregistered = pa.Table.from_pylist([{"event_ticker": "E", "version_id": 3}], schema=MAPPING_SCHEMA)
    monkeypatch.setattr(mappings, "map_versions", lambda _: (unregistered, VERSION_SCHEMA.empty_table()))
    done = run(warehouse)
    assert not done.success
    [check] = done.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.blocking) == (CONSISTENT, False, True)
    assert "not registered" in str(check.description)
    assert rows(warehouse, "SELECT count(*) FROM research.event_market_map_versions") == [(0,)]
