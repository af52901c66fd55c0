"""How long dbt takes over one-minute bars: all of them from nothing, and one more day on top of a longer history.

``engine_seconds`` is what dbt's run results say of the two facts, without the start of dbt itself, and ``candles`` and
``quotes`` what each takes of it. The day on top should cost the same whatever lies below it: of the raw bars it scans
its own (``bars_scanned``), and of what is built the day and load of each row (``held_rows_scanned``), to know which
days are due.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.integration.dbt_warehouse import DbtWarehouse, Outcome, parsed_runner

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FIRST_DAY = date(2025, 1, 1)
MARKETS_A_DAY, BARS_A_MARKET = 50, 1000
FACTS = ("candles", "quotes")


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DbtWarehouse:
    return DbtWarehouse.migrated(tmp_path, parsed_runner(monkeypatch, tmp_path / "kalshi.duckdb"))


def _load_day(warehouse: DbtWarehouse, number: int) -> None:
    """Fifty thousand bars of fifty markets that trade on this day only, a tenth of them without a bid."""
    day = FIRST_DAY + timedelta(days=number)
    sides = ", ".join(
        f"if(cell % 10 = 0 and '{side}' = 'yes_bid', 0, base + {shift}) as {side}_{name}"
        for side, shift in (("yes_bid", 0), ("yes_ask", 0.05))
        for name in ("open", "high", "low", "close")
    )
    warehouse.execute(
        f"""
        insert into raw.candles by name
        select
            'KXHIGHCHI-{number}-B' || market as ticker,
            timestamptz '{day} 00:00:00Z' + minute * interval 1 minute as bucket_start,
            bucket_start + interval 1 minute as bucket_end,
            'api_event' as source, 1 as period_minutes, 'candle_close' as quote_kind, 'live' as tier,
            {sides},
            base + 0.02 as price_previous, cell % 100 as volume, 1000 as open_interest,
            bucket_end as ingested_at, 'unit' as unit_id, date '{day}' as partition_date
        from (
            select market, minute, hash(market, minute) as cell, 0.1 + (cell % 7000) / 10000 as base
            from range({MARKETS_A_DAY}) as markets(market), range({BARS_A_MARKET}) as minutes(minute)
        )
        """
    )
    warehouse.execute(
        f"""
        insert into meta.partition_loads by name
        select
            'candles' as dataset, date '{day}' as partition_date, nextval('meta.load_id') as load_id,
            now() as loaded_at, 'run' as run_id, {MARKETS_A_DAY * BARS_A_MARKET} as rows, 0 as quarantined
        """
    )


def _note(benchmark: BenchmarkFixture, warehouse: DbtWarehouse, built: Outcome, **figures: Any) -> None:
    assert built.success, built.messages
    seconds = {fact: round(built.seconds[fact], 2) for fact in FACTS}
    benchmark.extra_info.update(
        figures,
        engine_seconds=round(sum(seconds.values()), 2),
        **seconds,
        file_megabytes=round(warehouse.database.stat().st_size / 1e6),
        peak_megabytes=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    )


def _scanned(warehouse: DbtWarehouse) -> dict[str, int]:
    """Rows that the statement of ``marts.candles`` reads for the day that is due, by table."""
    compiled = warehouse.dbt("compile", "--select", "candles")
    assert compiled.success, compiled.messages
    folder = warehouse.database.parent / "dbt" / "compiled" / "kalshi_pipeline" / "models" / "marts"
    with warehouse.warehouse.read() as con:
        plan = con.execute(f"explain (analyze, format json) {(folder / 'candles.sql').read_text('utf-8')}").fetchall()
    rows: dict[str, int] = {}

    def walk(operator: Mapping[str, Any]) -> None:
        table = operator.get("extra_info", {}).get("Table")
        if table:
            rows[table.partition(".")[2]] = rows.get(table.partition(".")[2], 0) + operator["operator_rows_scanned"]
        for child in operator.get("children", []):
            walk(child)

    walk(json.loads(plan[0][1]))
    return rows


@pytest.mark.parametrize("history", [20, 60, 200], ids="{} days".format)
def test_one_more_day(history: int, benchmark: BenchmarkFixture, warehouse: DbtWarehouse) -> None:
    """Fifty thousand bars, and as many quotes, on top of one, three and ten millions that were built from nothing."""
    for number in range(history):
        _load_day(warehouse, number)
    from_nothing = warehouse.build()
    assert from_nothing.success, from_nothing.messages
    next_day = count(history)
    built = benchmark.pedantic(warehouse.build, setup=lambda: _load_day(warehouse, next(next_day)), rounds=3)
    _load_day(warehouse, next(next_day))
    scanned = _scanned(warehouse)
    # A scan reads whole row groups of 122,880 rows: the day can lie in two of them.
    assert scanned["raw.candles"] <= 2 * 122_880
    _note(
        benchmark,
        warehouse,
        built,
        bars_scanned=scanned["raw.candles"],
        held_rows_scanned=scanned["marts.candles"],
        history_rows=warehouse.rows("select count(*) from marts.quotes")[0][0] - 3 * MARKETS_A_DAY * BARS_A_MARKET,
        from_nothing_engine_seconds=round(sum(from_nothing.seconds[fact] for fact in FACTS), 2),
    )
