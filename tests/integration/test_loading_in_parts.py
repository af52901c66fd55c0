"""However landed files are cut into parts, the tables, the quarantine and the counts are the same."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.loaders import parts
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import WriteReport
from tests.landed import landed, response

pytestmark = pytest.mark.integration

DAYS = [date(2026, 6, 1), date(2026, 6, 2)]
#: Every two-hundredth object is faulty, which is fewer than the hundredth that blocks a load.
OBJECTS, FAULTY_EVERY = 320, 200


def market(number: int, *, settled: bool = False) -> dict[str, Any]:
    """A market; some have an unreadable strike or settlement value."""
    broken = number % FAULTY_EVERY == 7
    return {
        "ticker": f"KXHIGHNY-{number // 6}-T{number % 6}",
        "event_ticker": f"KXHIGHNY-{number // 6}",
        "market_type": "binary",
        "title": f"Market {number}",
        "status": "finalized" if settled else "active",
        "created_time": "2026-05-01T00:00:00Z",
        "open_time": "2026-06-01T14:00:00Z",
        "close_time": "2026-06-02T14:00:00Z",
        "strike_type": "greater",
        "floor_strike": "no number" if broken else number % 6,
        "yes_bid_dollars": "0.4100",
        "yes_ask_dollars": "nonsense" if broken else "0.4300",
        "result": ("yes" if number % 2 else "no") if settled else "",
        "settlement_value_dollars": "nonsense" if broken else "1.0000" if number % 2 else "0.0000",
        "settlement_ts": "2026-06-02T15:00:00Z" if settled else "",
    }


def event(number: int) -> dict[str, Any]:
    broken = number % FAULTY_EVERY == 7
    return {
        "event_ticker": f"KXHIGHNY-{number}",
        "series_ticker": "KXHIGHNY",
        "title": f"Event {number}",
        "mutually_exclusive": "perhaps" if broken else True,
    }


def trade(number: int) -> dict[str, Any]:
    return {
        "trade_id": f"trade-{number}",
        "ticker": f"KXHIGHNY-{number // 60}-T0",
        "created_time": f"2026-06-0{1 + number % 2}T{number % 24:02}:00:00Z",
        "count_fp": "none" if number % FAULTY_EVERY == 7 else "3.00",
        "yes_price_dollars": "0.4200",
        "taker_side": "yes",
    }


def book(number: int) -> dict[str, Any]:
    price = "nonsense" if number % FAULTY_EVERY == 7 else f"0.{10 + number % 80}00"
    sides = {"yes_dollars": [[price, "5.00"], ["0.0500", "7.00"]], "no_dollars": [["0.0200", "1.00"]]}
    return {"ticker": f"KXHIGHNY-{number}-T0", "orderbook_fp": sides}


@dataclass(frozen=True)
class Dataset:
    """A dataset: its table, what it lists, and the days that a load of it replaces."""

    name: str
    key: str
    make: Callable[[int], dict[str, Any]]
    days: tuple[date, ...] = ()

    def load(self, folder: Path, files: list[Path]) -> tuple[WriteReport, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """The report, the table and the quarantine of a load of the files into a new warehouse."""
        migrate(folder / "kalshi.duckdb")
        load = getattr(loaders, f"load_{self.name}")
        with Warehouse(database=str(folder / "kalshi.duckdb")).write(bulk=True) as con:
            report: WriteReport = load(con, files, *([list(self.days)] if self.days else []), run_id="load")
            rows = con.execute(f"FROM raw.{self.name} ORDER BY ALL").fetchall()
            faults = con.execute("SELECT * EXCLUDE (quarantined_at) FROM meta.quarantine ORDER BY ALL").fetchall()
        return report, rows, faults


DATASETS = [
    Dataset("markets", "markets", market),
    Dataset("settlements", "markets", lambda number: market(number, settled=number % 5 > 0)),
    Dataset("events", "events", event),
    Dataset("trades", "trades", trade, tuple(DAYS)),
    Dataset("quotes", "markets", market, (date(2026, 7, 1),)),
    Dataset("orderbooks", "orderbooks", book, (date(2026, 7, 1),)),
]


def landed_twice(dataset: Dataset, folder: Path, page: int) -> list[Path]:
    """Two tiers in a file each, in pages; the pages of a tier overlap, and so do the tiers."""
    files = []
    for tier, numbers in (("live", range(100, OBJECTS)), ("historical", range(200))):
        starts = range(numbers.start, numbers.stop, page)
        lines = [
            response(
                {dataset.key: [dataset.make(n) for n in range(start, min(start + page + 3, numbers.stop))]},
                received_at=f"2026-07-01T00:{order // 60:02}:{order % 60:02}Z",
                unit_id=f"unit-{tier}",
                tier=tier,
            )
            for order, start in enumerate(starts)
        ]
        files += landed(folder / f"{tier}.jsonl.gz", *lines)
    return files


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part_bytes=st.integers(1, 60_000), page=st.integers(5, 80))
def test_parts_of_any_size_load_as_the_whole(dataset: Dataset, part_bytes: int, page: int) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        files = landed_twice(dataset, folder, page)
        (folder / "whole").mkdir()
        (folder / "parts").mkdir()
        assert len(list(parts.in_parts(files))) == 1
        whole = dataset.load(folder / "whole", files)
        patch.setattr(parts, "PART_BYTES", part_bytes)
        assert dataset.load(folder / "parts", files) == whole
    report, rows, faults = whole
    assert report.rows == len(rows) > 0
    assert report.quarantined_rows == len(faults) > 0


def test_parts_hold_every_response_once_and_are_as_small_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 2_000)
    lines = [response({"trades": [{"trade_id": str(n)}]}, unit_id=f"unit-{n}") for n in range(40)]
    files = [
        *landed(tmp_path / "small.jsonl.gz", *lines[:3]),
        *landed(tmp_path / "large.jsonl.gz", *lines[3:]),
        *landed(tmp_path / "none.jsonl.gz"),
    ]
    held = [[line for file in part for line in _lines(file)] for part in parts.in_parts(files)]
    assert [line for part in held for line in part] == lines
    assert all(sum(map(len, part)) <= 2_000 for part in held)
    assert list(parts.in_parts([])) == [[]]


def _lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        return list(stream)
