"""Every check of health fires on what it is there to find, and on nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.dbt_warehouse import DAY, DbtWarehouse, parsed_runner

pytestmark = pytest.mark.integration

#: 10:00 in Chicago, on the day before and on the day itself.
DECISION = datetime(2026, 1, 5, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CITY = {"ticker": "CHI", "event_ticker": "KXHIGHCHI-26JAN05", "series_ticker": "KXHIGHCHI"}


def fetched(warehouse: DbtWarehouse, dataset: str, ticker: str, state: str) -> None:
    """Record that the exchange was asked about a market on the day."""
    warehouse.execute(
        f"""
        insert into meta.market_coverage by name
        select
            '{dataset}' as dataset, date '{DAY}' as partition_date, '{ticker}' as ticker, '{state}' as state,
            cast('{state}' = 'has_rows' as bigint) as rows, 'unit' as unit_id, 'run' as run_id, now() as recorded_at
        """
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWarehouse]:
    """One market of Chicago that was asked about, with two bars and the trades in them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("dbt")
        warehouse = DbtWarehouse.migrated(folder, parsed_runner(monkeypatch, folder / "kalshi.duckdb"))
        warehouse.observe("series", {"series_ticker": "KXHIGHCHI"})
        warehouse.observe("events", {"event_ticker": CITY["event_ticker"], "series_ticker": "KXHIGHCHI"})
        opened = DECISION - timedelta(minutes=30)
        times = {"open_time": opened, "close_time": datetime(2026, 1, 6, 6, tzinfo=UTC), "observed_at": opened}
        warehouse.observe("markets", {**CITY, **times})
        traded = {"volume": 3, "price_open": 0.41, "price_high": 0.42, "price_low": 0.41, "price_close": 0.42}
        bars = [
            {"ticker": "CHI", "bucket_start": DECISION - MINUTE, "bucket_end": DECISION, **traded},
            {"ticker": "CHI", "bucket_start": DECISION, "bucket_end": DECISION + MINUTE},
        ]
        trades = [(1, 0.41), (2, 0.42)]
        warehouse.load("candles", *bars, day=DAY)
        warehouse.load(
            "trades",
            *(
                {"ticker": "CHI", "trade_id": str(n), "count": n, "yes_price": price, "created_time": DECISION - MINUTE}
                for n, price in trades
            ),
            day=DAY,
        )
        for dataset in ("candles", "trades"):
            fetched(warehouse, dataset, "CHI", "has_rows")
        built = warehouse.build()
        assert built.success, built.messages
        shutil.copy(warehouse.database, folder / "healthy.duckdb")
        yield warehouse


@pytest.fixture
def warehouse(template: DbtWarehouse) -> DbtWarehouse:
    """The healthy warehouse."""
    for path in template.database.parent.glob("kalshi.duckdb*"):
        path.unlink()
    shutil.copy(template.database.with_name("healthy.duckdb"), template.database)
    return template


def test_a_healthy_day_passes_every_check(warehouse: DbtWarehouse) -> None:
    built = warehouse.build("--select", "tag:health")
    assert set(built.statuses.values()) == {"success", "pass"}, built.messages
    assert warehouse.rows("select partition_date, status, findings from health.daily_health_report") == [
        (DAY, "ok", "nothing odd")
    ]
    assert warehouse.rows(
        "select days_before, was_open, is_covered, age_minutes from health.decision_time_coverage order by all"
    ) == [(0, True, True, 0)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "checks"),
    [
        (
            "delete from meta.market_coverage where dataset = 'candles'; delete from marts.candles",
            {"open_markets_were_fetched", "decisions_are_covered", "opens_have_bars"},
        ),
        (
            "update marts.candles set bucket_end = bucket_end + interval 2 minute, "
            "bucket_start = bucket_start + interval 2 minute",
            {"decisions_are_covered", "bars_agree_with_trades"},
        ),
        ("update marts.candles set yes_bid_close = 0.9", {"crossed_bars_are_rare"}),
        ("update marts.candles set yes_bid_high = 0.9", {"highs_and_lows_are_not_crossed"}),
        (
            "update marts.candles set ticker = 'UNHEARD-OF'",
            {"bars_belong_to_listed_markets", "decisions_are_covered", "opens_have_bars"},
        ),
        ("delete from marts.trades where trade_id = '1'", {"bars_agree_with_trades"}),
        ("update marts.trades set yes_price = 0.43 where trade_id = '2'", {"bars_agree_with_trades"}),
    ],
    ids=["never fetched", "too late", "crossed", "crossed within", "not listed", "a lost trade", "another price"],
)
def test_a_fault_raises_its_alarm(warehouse: DbtWarehouse, fault: str, checks: set[str]) -> None:
    warehouse.execute(fault)
    built = warehouse.build("--select", "tag:health")
    raised = built.with_status("warn") | built.with_status("fail")
    assert raised == checks | {"days_are_healthy"}


def test_a_silent_market_is_no_fault(warehouse: DbtWarehouse) -> None:
    silent = "select 'SILENT', * exclude (ticker) from marts.markets"
    warehouse.execute(f"insert into marts.markets {silent}")
    fetched(warehouse, "candles", "SILENT", "silent")
    built = warehouse.build("--select", "candle_coverage")
    assert built.statuses["open_markets_were_fetched"] == "pass"
    assert warehouse.rows(
        "select present_markets, silent_markets, never_fetched_markets from health.candle_coverage"
    ) == [(1, 1, 0)]
