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
MARKET = "KXHIGHCHI-26JAN05-T60"
CITY = {"ticker": MARKET, "event_ticker": "KXHIGHCHI-26JAN05", "series_ticker": "KXHIGHCHI"}
RECEIVED = {"ticker": MARKET, "ingested_at": DECISION + timedelta(hours=4)}


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


def ladder(*strikes: int) -> str:
    """SQL that lists markets above these strikes in an event of their own."""
    return (
        "insert into marts.markets by name select * exclude (n, strikes) replace ("
        "'KXHIGHCHI-26JAN09-T' || n as ticker, 'KXHIGHCHI-26JAN09' as event_ticker, strikes[n] as floor_strike, "
        "timestamptz '2026-01-09 00:00:00Z' as open_time, timestamptz '2026-01-10 06:00:00Z' as close_time) "
        f"from (select *, unnest(range(1, {len(strikes) + 1})) as n, {list(strikes)} as strikes from marts.markets);"
        " insert into marts.events by name select * replace ('KXHIGHCHI-26JAN09' as event_ticker) from marts.events"
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
            {**RECEIVED, "bucket_start": DECISION - MINUTE, "bucket_end": DECISION, **traded},
            {**RECEIVED, "bucket_start": DECISION, "bucket_end": DECISION + MINUTE, "price_previous": 0.42},
        ]
        trades = [(1, 0.41), (2, 0.42)]
        warehouse.load("candles", *bars, day=DAY)
        warehouse.load(
            "trades",
            *(
                {
                    **RECEIVED,
                    **{"trade_id": str(n), "count": n, "created_time": DECISION - MINUTE},
                    **{"yes_price": price, "no_price": 1 - price},
                }
                for n, price in trades
            ),
            day=DAY,
        )
        for dataset in ("candles", "trades"):
            fetched(warehouse, dataset, MARKET, "has_rows")
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


#: Checks whose findings the report of the day counts.
ABOUT_DAYS = {
    *("open_markets_were_fetched", "bars_agree_with_trades", "crossed_bars_are_rare", "facts_hold_together"),
    *("highs_and_lows_are_not_crossed", "bars_belong_to_listed_markets"),
}


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
            {"decisions_are_covered", "bars_agree_with_trades", "facts_hold_together"},
        ),
        ("update marts.candles set yes_bid_close = 0.9", {"crossed_bars_are_rare", "facts_hold_together"}),
        ("update marts.candles set yes_bid_high = 0.9", {"highs_and_lows_are_not_crossed", "facts_hold_together"}),
        (
            "update marts.candles set ticker = 'UNHEARD-OF'",
            {"bars_belong_to_listed_markets", "decisions_are_covered", "opens_have_bars", "facts_hold_together"},
        ),
        ("delete from marts.trades where trade_id = '1'", {"bars_agree_with_trades", "facts_hold_together"}),
        (
            "update marts.trades set yes_price = 0.43, no_price = 0.57 where trade_id = '2'",
            {"bars_agree_with_trades", "facts_hold_together"},
        ),
        ("update marts.quotes set yes_bid = 0.9, spread = -0.45", {"spreads_are_not_negative"}),
        (
            "update marts.quotes set yes_bid = null, yes_ask = null, mid = null, spread = null",
            {"most_quotes_have_a_side"},
        ),
        (
            "update marts.markets set status = 'finalized'; update marts.events set series_ticker = 'KXLOW'",
            {"descriptions_hold_together", "settlements_hold_together"},
        ),
        (f"{ladder(60, 61, 62, 63, 65)}", {"ladders_are_complete"}),
        (f"{ladder(60, 61, 62, 62)}", {"legs_do_not_overlap"}),
        (f"{ladder(60, 61, 62)}; update marts.markets set mutually_exclusive = true", {"ladders_pay_as_listed"}),
        (
            "insert into raw.orderbooks by name select ticker, observed_at, unnest(['yes', 'no']) as side, 1 as level, "
            "0.6 as price, 1 as count, observed_at as ingested_at, 'unit' as unit_id, partition_date "
            f"from (select '{MARKET}' as ticker, timestamptz '{DECISION}' as observed_at, date '{DAY}' as "
            "partition_date)",
            {"snapshots_agree_with_bars_and_trades"},
        ),
    ],
    ids=[
        *("never fetched", "too late", "crossed", "crossed within", "not listed", "a lost trade", "another price"),
        *("negative spreads", "empty quotes", "final without an outcome", "a leg missing"),
        *("thresholds that overlap", "thresholds that exclude each other", "a crossed book"),
    ],
)
def test_a_fault_raises_its_alarm(warehouse: DbtWarehouse, fault: str, checks: set[str]) -> None:
    warehouse.execute(fault)
    built = warehouse.build("--select", "tag:health")
    raised = built.with_status("warn") | built.with_status("fail")
    assert raised - {"days_are_healthy"} == checks
    of_the_day = checks & ABOUT_DAYS
    assert ("days_are_healthy" in raised) == bool(of_the_day)


def test_a_silent_market_is_no_fault(warehouse: DbtWarehouse) -> None:
    silent = "select 'SILENT', * exclude (ticker) from marts.markets"
    warehouse.execute(f"insert into marts.markets {silent}")
    fetched(warehouse, "candles", "SILENT", "silent")
    built = warehouse.build("--select", "candle_coverage")
    assert built.statuses["open_markets_were_fetched"] == "pass"
    assert warehouse.rows(
        "select present_markets, silent_markets, never_fetched_markets from health.candle_coverage"
    ) == [(1, 1, 0)]
