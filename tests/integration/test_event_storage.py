"""The event log with kept connections stores what Dagster's own storage stores."""

from pathlib import Path

import dagster as dg
import pytest

from kalshi_pipeline.defs.event_storage import PooledEventLog, PooledSqliteStorage

pytestmark = pytest.mark.integration

DAYS = dg.DailyPartitionsDefinition("2026-06-01", end_date="2026-06-11", timezone="UTC")
KEY = dg.AssetKey("fact")


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def fact(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"days": len(context.partition_keys)})


def run(instance: dg.DagsterInstance) -> list[tuple[str, str | None]]:
    """Materialise the ten days in one run; returns type and partition of every event of the asset."""
    tags = {"dagster/asset_partition_range_start": "2026-06-01", "dagster/asset_partition_range_end": "2026-06-10"}
    result = dg.materialize([fact], instance=instance, tags=tags)
    records = instance.event_log_storage.get_records_for_run(result.run_id).records
    events = [record.event_log_entry.dagster_event for record in records]
    return [(event.event_type_value, event.partition) for event in events if event and event.asset_key == KEY]


def configured(folder: Path, storage: str) -> dg.DagsterInstance:
    folder.mkdir()
    (folder / "dagster.yaml").write_text(f"telemetry:\n  enabled: false\nstorage:\n{storage}")
    return dg.DagsterInstance.from_config(str(folder))


def test_it_stores_the_events_that_dagsters_own_storage_stores(tmp_path: Path) -> None:
    base = f"base_dir: {tmp_path / 'history'}"
    pooled = (
        "  custom:\n    module: kalshi_pipeline.defs.event_storage\n    class: PooledSqliteStorage\n"
        f"    config:\n      {base}\n"
    )
    with configured(tmp_path / "pooled", pooled) as instance:
        assert isinstance(instance.event_log_storage, PooledEventLog)
        events = run(instance)
        materialized = instance.get_materialized_partitions(KEY)
    with dg.DagsterInstance.ephemeral() as plain:
        assert events == run(plain)
    assert len(materialized) == 10
    # The files are Dagster's: its own storage reads them.
    with configured(tmp_path / "plain", f"  sqlite:\n    {base}\n") as instance:
        assert instance.get_materialized_partitions(KEY) == materialized


def test_a_storage_is_made_from_the_configuration(tmp_path: Path) -> None:
    storage = PooledSqliteStorage.from_config_value(None, {"base_dir": str(tmp_path)})
    assert isinstance(storage.event_log_storage, PooledEventLog)
    storage.dispose()
