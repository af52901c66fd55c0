"""The past is read as it was: nothing that became known later shows through, and nothing known then is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.warehouse.resource import Warehouse
from tests.integration.dbt_warehouse import DAY, NOON, OPEN, DbtWarehouse, parsed_runner

pytestmark = pytest.mark.integration

MARKET = "KXCPI-26JAN-T0.3"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RESTRUCK, PRINTED, REVISED = NOON - HOUR, NOON + timedelta(days=2), NOON + timedelta(days=30)


def bar(minute: int, bid: float, **values: Any) -> dict[str, Any]:
    start = NOON + minute * MINUTE
    return {"bucket_start": start, "bucket_end": start + MINUTE, "yes_bid_close": bid, "volume": 5, **values}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWarehouse]:
    """One market, restruck once, with two bars, two snapshots, and an outcome that is revised."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("dbt")
        warehouse = DbtWarehouse.migrated(folder, parsed_runner(monkeypatch, folder / "kalshi.duckdb"))
        for dataset in ("series", "events"):
            warehouse.observe(dataset, {})
        warehouse.observe("markets", {}, {"floor_strike": 0.4, "observed_at": RESTRUCK})
        warehouse.observe("settlements", {"expiration_value": "0.5", "learned_at": PRINTED})
        for value, at in ((0.5, PRINTED - HOUR), (0.6, REVISED)):
            warehouse.observe("outcome_vintages", {"vintage_at": at, "learned_at": at, "value": value})
        warehouse.load(
            "candles", bar(0, 0.40), bar(3, 0.41), bar(3, 0.30, source="trades", quote_kind="trade_proxy"), day=DAY
        )
        trades = ((60, 0.50, 2), (59, 0.44, 1), (30, 0.40, 3), (0, 0.42, 4), (-60, 0.39, 1))  # as served: newest first
        warehouse.load(
            "trades",
            *(
                {"trade_id": f"t{second}", "created_time": NOON + timedelta(seconds=second), "yes_price": p, "count": n}
                for second, p, n in trades
            ),
            day=DAY,
        )
        warehouse.load("quotes", {"observed_at": NOON + 4 * MINUTE, "yes_bid": 0.42}, {"observed_at": NOON + HOUR})
        built = warehouse.dbt("run")
        assert built.success, built.messages
        yield warehouse


def at(instant: datetime) -> str:
    return f"timestamptz '{instant.isoformat(sep=' ')}'"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (NOON + MINUTE - timedelta(seconds=1), []),
        (NOON + MINUTE, [("candle_close", 0.40, 0)]),
        (NOON + 4 * MINUTE - timedelta(seconds=1), [("candle_close", 0.40, 179)]),
        (NOON + 4 * MINUTE, [("order_book", 0.42, 0)]),
        (NOON + 5 * MINUTE, [("order_book", 0.42, 60)]),
    ],
    ids=["before the first bar ends", "at its end", "before the next", "book before bar", "until replaced"],
)
def test_a_quote_stands_from_its_moment_until_the_next(
    warehouse: DbtWarehouse, asked: datetime, expected: list[tuple[Any, ...]]
) -> None:
    sql = f"select quote_kind, yes_bid::double, age_seconds from marts.quotes_asof({at(asked)})"
    assert warehouse.rows(sql) == expected


def test_a_reader_with_another_time_zone_sees_the_same_past(warehouse: DbtWarehouse, tmp_path: Path) -> None:
    copy = Warehouse(database=str(tmp_path / warehouse.database.name))
    shutil.copy(warehouse.database, copy.database)
    with copy.write() as con:
        con.execute("update marts.quotes set available_ts = available_ts - interval 10 hours")
    with copy.read() as con:
        # There it is still the day before.
        con.execute("set timezone = 'America/Los_Angeles'")
        sql = f"select yes_bid::double from marts.quotes_asof({at(NOON - 10 * HOUR + MINUTE)})"
        assert con.execute(sql).fetchall() == [(0.40,)]


@pytest.mark.parametrize(
    ("asked", "strikes"),
    [
        (OPEN - MINUTE, []),
        (OPEN, [0.3]),
        (RESTRUCK - timedelta(microseconds=1), [0.3]),
        (RESTRUCK, [0.4]),
        (NOON, [0.4]),
    ],
)
def test_a_specification_counts_until_the_next_was_known(
    warehouse: DbtWarehouse, asked: datetime, strikes: list[float]
) -> None:
    found = warehouse.rows(f"select floor_strike from marts.specifications_asof({at(asked)})")
    assert [strike for (strike,) in found] == strikes


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        (PRINTED - HOUR - MINUTE, []),
        (PRINTED - HOUR, [(0, 0.5)]),
        (REVISED - MINUTE, [(0, 0.5)]),
        (REVISED, [(1, 0.6)]),
    ],
)
def test_an_outcome_is_the_latest_number_known(
    warehouse: DbtWarehouse, asked: datetime, values: list[tuple[int, float]]
) -> None:
    assert warehouse.rows(f"select revision_number, value from marts.outcomes_asof({at(asked)})") == values


def test_a_mapping_and_the_schedule_of_a_release_are_the_versions_known(warehouse: DbtWarehouse) -> None:
    warehouse.execute(
        "insert into research.event_market_map_versions "
        "select version_id, 'KXCPI-26FEB', 'KXCPI', 'CPI:' || version_id, 'CPI', 'g', valid_from, null, valid_from, "
        "valid_from, valid_from, valid_to, valid_from from (values "
        f"(1, {at(OPEN)}, {at(RESTRUCK)}), (2, {at(RESTRUCK)}, null)) as v (version_id, valid_from, valid_to)"
    )
    for macro in ("mapping_asof", "releases_asof"):
        found = [
            [release for (release,) in warehouse.rows(f"select release_id from marts.{macro}({at(asked)})")]
            for asked in (OPEN - MINUTE, OPEN, RESTRUCK - MINUTE, RESTRUCK)
        ]
        assert found == [[], ["CPI:1"], ["CPI:1"], ["CPI:2"]]


def test_bars_without_activity_are_filled_for_a_while_and_say_so(warehouse: DbtWarehouse) -> None:
    sql = (
        "select date_diff('minute', timestamptz '2026-01-05 12:00:00+00', bucket_end), yes_bid::double, is_synthetic, "
        "quote_age_minutes, volume::double "
        f"from marts.candles_dense('{MARKET}', {at(NOON - MINUTE)}, {at(NOON + 7 * MINUTE)}, max_fill_minutes := 2)"
    )
    assert warehouse.rows(sql) == [
        (0, None, True, None, None),
        (1, 0.40, False, 0, 5.0),
        (2, 0.40, True, 1, 0.0),
        (3, 0.40, True, 2, 0.0),
        (4, 0.41, False, 0, 5.0),
        (5, 0.41, True, 1, 0.0),
        (6, 0.41, True, 2, 0.0),
        (7, None, True, None, None),
    ]


def test_a_dense_window_begins_with_what_stood_before_it(warehouse: DbtWarehouse) -> None:
    sql = f"select yes_bid::double, quote_age_minutes from marts.candles_dense('{MARKET}', {at(NOON + 6 * MINUTE)}, "
    assert warehouse.rows(sql + f"{at(NOON + 8 * MINUTE)})") == [(0.41, 3), (0.41, 4)]


def by_source(columns: str, until: datetime, minutes: int = 1, market: str = f"'{MARKET}'") -> str:
    window = f"{market}, {at(NOON)}, {at(until)}, minutes := {minutes}"
    return f"select {columns} from marts.candles_by_source({window}) order by bucket_start, source"


def test_bars_of_trades_follow_time_and_yield_to_the_exchanges_own(warehouse: DbtWarehouse) -> None:
    """They open and close in the order of time, their mean weighs contracts, a bar starts with its first instant."""
    columns = "minute(bucket_start), source, is_preferred, yes_bid_close::double, price_open::double, "
    columns += "price_high::double, price_low::double, price_close::double, price_mean::double, volume::double"
    assert warehouse.rows(by_source(columns, NOON + 5 * MINUTE)) == [
        (0, "api_event", True, 0.40, None, None, None, None, None, 5.0),
        (0, "trades", False, None, 0.42, 0.44, 0.40, 0.44, 0.415, 8.0),
        (1, "trades", True, None, 0.50, 0.50, 0.50, 0.50, 0.50, 2.0),
        (3, "api_event", True, 0.41, None, None, None, None, None, 5.0),
    ]


def test_a_bar_of_trades_is_there_once_it_has_ended(warehouse: DbtWarehouse) -> None:
    preferred = "minute(bucket_end), available_ts = bucket_end, is_preferred"
    assert warehouse.rows(by_source(preferred, NOON + 2 * MINUTE - timedelta(seconds=1))) == [
        (1, True, True),
        (1, True, False),
    ]
    hourly = "period_minutes, price_open::double, price_close::double, volume::double"
    assert warehouse.rows(by_source(hourly, NOON + HOUR, 60)) == [(60, 0.42, 0.50, 10.0)]


def test_daily_bars_of_trades_go_from_midnight_to_midnight_in_new_york(warehouse: DbtWarehouse) -> None:
    columns = "bucket_start::varchar, bucket_end::varchar, volume::double"
    assert warehouse.rows(by_source(columns, NOON + 24 * HOUR, 1440, market="null")) == [
        ("2026-01-05 05:00:00+00", "2026-01-06 05:00:00+00", 11.0)
    ]
