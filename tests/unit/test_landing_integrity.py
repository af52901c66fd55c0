"""A landed file that is gone, or is not the one its manifest names, is found and named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kalshi_pipeline.landing.integrity import damaged_files
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry
from kalshi_pipeline.landing.store import LandingStore

pytestmark = pytest.mark.unit

CONTENT = b"one line of a response\n"
NAMES = ("whole", "gone", "altered")


def unit(name: str) -> UnitEntry:
    return UnitEntry(name, {}, path=f"candles/{name}.jsonl.gz", sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def store(tmp_path: Path) -> LandingStore:
    """Two days that share files; one of the files is gone and one has another byte at its end."""
    store = LandingStore(tmp_path)
    failed = UnitEntry("failed", {}, state="failed", reason="no answer")
    for day in ("2026-06-29", "2026-06-30"):
        units = (*map(unit, NAMES), failed)
        store.write_manifest(Manifest("candles", day, False, "run", f"{day}T23:00:00+00:00", "", units))
    for name in NAMES:
        (tmp_path / unit(name).path).write_bytes(CONTENT)
    (tmp_path / unit("gone").path).unlink()
    (tmp_path / unit("altered").path).write_bytes(CONTENT[:-1])
    return store


def test_what_is_gone_or_altered_is_named_once_however_many_days_need_it(store: LandingStore) -> None:
    assert damaged_files(store, "candles", ["2026-06-29", "2026-06-30"]) == {
        "candles/gone.jsonl.gz": "gone",
        "candles/altered.jsonl.gz": "not the file that its manifest names",
    }


def test_a_day_without_a_manifest_needs_no_file(store: LandingStore) -> None:
    assert damaged_files(store, "candles", ["2020-01-01"]) == {}
