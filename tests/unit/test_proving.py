"""What was proved is kept beside the warehouse with its date, and only the last of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kalshi_pipeline.proving import keep_record, last_record
from kalshi_pipeline.research.proofs.run import ProofResult
from kalshi_pipeline.settings import Settings

pytestmark = pytest.mark.unit


def test_the_last_record_replaces_the_one_before(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.source_dir.mkdir()
    assert last_record(settings) is None
    keep_record(settings, [ProofResult("row order", 25, 1, ("L at noon differs",))], cuts=25, seed=1)
    keep_record(settings, [ProofResult("row order", 3, 0, ())], cuts=3, seed=2)
    record = last_record(settings)
    assert record is not None
    assert (record["cuts"], record["seed"]) == (3, 2)
    assert record["proofs"] == [{"name": "row order", "trials": 3, "failed": 0, "failures": []}]
    assert timedelta(0) <= datetime.now(UTC) - record["proved_at"] < timedelta(minutes=1)
