"""Bad input stops at the door: faulty rows are set aside, a faulty partition writes nothing and stops what follows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from kalshi_pipeline.runs import RunFailed
from tests.integration.pipeline import DAYS, Pipeline

pytestmark = pytest.mark.integration

DAY = (DAYS[0], DAYS[0])
FACTS = (
    "raw/candles",
    "marts/candles",
    "marts/quotes",
    "research/implied_distributions",
    "research/implied_cells",
    "research/ladder_quotes",
)


@pytest.fixture
def landed(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline whose reference data is loaded and whose candles of one day have landed."""
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline.at(tmp_path, instance, universe=("KXHIGHCHI",))
        pipeline.run(job="reference")
        pipeline.run(assets=("landing/candles", "research/ladders", "research/ladder_legs"), days=DAY)
        yield pipeline


def test_a_faulty_row_is_quarantined_and_the_rest_is_committed(landed: Pipeline) -> None:
    spoiled = _spoil_candles(landed, share=0.0, at_least=1)
    result = landed.run(assets=FACTS, days=DAY)
    check = _check(result, "raw/candles")
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert landed.value("select count(*) from meta.quarantine where table_name = 'raw.candles'") == spoiled
    assert landed.value("select count(*) from raw.candles") > 1000
    assert "yes_bid_close" in landed.value("select reason from meta.quarantine limit 1")


def test_too_many_faulty_rows_block_the_partition_and_all_that_follows(landed: Pipeline) -> None:
    landed.run(assets=FACTS, days=DAY)
    before = landed.rows("select count(*), max(load_id) from marts.candles")
    _spoil_candles(landed, share=0.05)
    bars = _change_candles(landed, lambda bar: bar.update(vwap_dollars="0.4100"))
    with pytest.raises(RunFailed, match=r"raw.candles: .* more than 1%"):
        landed.run(assets=FACTS, days=DAY)
    # What differs about the responses is told all the same.
    assert landed.rows("select kind, sum(objects) from meta.wire_drift group by kind") == [("new", bars)]
    assert landed.rows("select count(*), max(load_id) from marts.candles") == before
    run = landed.instance.get_runs(limit=1)[0]
    ran = {
        record.step_key for record in landed.instance.get_run_step_stats(run.run_id) if record.status.value == "SUCCESS"
    }
    assert ran == set()


def test_a_changed_field_is_shown_and_counted_and_the_rest_is_loaded(landed: Pipeline) -> None:
    def change(bar: dict[str, Any]) -> None:
        bar["vwap_dollars"] = "0.4100"
        bar["volume"] = bar.pop("volume_fp")

    bars = _change_candles(landed, change)
    result = landed.run(assets=("raw/candles",), days=DAY)
    check = _check(result, "raw/candles", "wire_drift")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    shown = {name: value.value for name, value in check.metadata.items() if name != "responses"}
    field = "markets[].candlesticks[]"
    assert shown == {
        f"new: {field}.vwap_dollars": bars,
        f"new: {field}.volume": bars,
        f"missing: {field}.volume_fp": bars,
    }
    assert landed.rows("select sum(objects) from meta.wire_drift where run_id = ?", result.run_id) == [(3 * bars,)]
    assert landed.value("select count(*) from raw.candles") > 1000


def _change_candles(pipeline: Pipeline, change: Callable[[dict[str, Any]], None]) -> int:
    """Change every landed bar; returns how many there are."""
    changed = 0
    for path in sorted((pipeline.settings.landing_dir / "candles").rglob("*.jsonl.gz")):
        lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        for bar in (bar for line in lines for market in line["body"]["markets"] for bar in market["candlesticks"]):
            change(bar)
            changed += 1
        path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return changed


def _spoil_candles(pipeline: Pipeline, *, share: float, at_least: int = 0) -> int:
    """Give some landed bars an impossible bid, as a faulty exchange would; returns how many."""
    spoiled = 0
    for path in sorted((pipeline.settings.landing_dir / "candles").rglob("*.jsonl.gz")):
        lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        bars = [bar for line in lines for market in line["body"].get("markets", []) for bar in market["candlesticks"]]
        wanted = max(int(len(bars) * share), at_least - spoiled)
        for bar in bars[:wanted]:
            bar["yes_bid"]["close_dollars"] = "7.0000"
            spoiled += 1
        path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    assert spoiled
    return spoiled


def _check(result: dg.ExecuteInProcessResult, asset: str, name: str = "schema") -> Any:
    return next(
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.asset_key.to_user_string() == asset and evaluation.check_name == name
    )
