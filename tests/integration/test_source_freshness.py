"""`dbt source freshness` goes by when a table was last loaded, whether that brought rows or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kalshi_pipeline.schemas.raw import RAW_TABLES
from tests.integration.dbt_warehouse import DbtWarehouse, parsed_runner

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWarehouse]:
    """A warehouse whose raw tables hold nothing at all."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("dbt")
        yield DbtWarehouse.migrated(folder, parsed_runner(monkeypatch, folder / "kalshi.duckdb"))


def loaded(warehouse: DbtWarehouse, hours_ago: int, *, tables: tuple[str, ...] = (), outcome: str = "done") -> None:
    names = tables or tuple(table.name for table in RAW_TABLES)
    warehouse.execute(
        f"""
        insert into meta.ingestion_log by name
        select
            'run' as run_id, 'loading' as stage, unnest({list(names)}) as dataset, '{outcome}' as outcome,
            '{{}}' as figures, now() - interval {hours_ago} hour as recorded_at
        """
    )


def test_tables_go_stale_when_no_run_loads_them(warehouse: DbtWarehouse) -> None:
    loaded(warehouse, 60)
    assert set(warehouse.dbt("source", "freshness").statuses.values()) == {"error"}
    loaded(warehouse, 40)
    assert set(warehouse.dbt("source", "freshness").statuses.values()) == {"warn"}
    loaded(warehouse, 1)
    said = warehouse.dbt("source", "freshness")
    assert said.success and said.statuses == {table.name: "pass" for table in RAW_TABLES}


def test_a_failed_load_leaves_a_table_stale(warehouse: DbtWarehouse) -> None:
    loaded(warehouse, 1)
    warehouse.execute("delete from meta.ingestion_log where dataset = 'trades'")
    loaded(warehouse, 60, tables=("trades",))
    loaded(warehouse, 1, tables=("trades",), outcome="failed")
    said = warehouse.dbt("source", "freshness")
    assert not said.success
    assert said.with_status("runtime error") == set()
    assert said.with_status("error") == {"trades"}
