"""Landed responses of every form become the same typed rows, each once, in the day they belong to."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kalshi_pipeline.warehouse import loaders
from kalshi_pipeline.warehouse.envelopes import BrokenLanding
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import BlockedWrite, WriteReport
from tests.landed import landed, response

pytestmark = pytest.mark.integration

DAY, NEXT_DAY = date(2026, 6, 1), date(2026, 6, 2)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


class Load:
    """A warehouse into which lines of landed files are loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        migrate(folder / "kalshi.duckdb")
        self.warehouse = Warehouse(database=str(folder / "kalshi.duckdb"))
        self.files = 0

    def __call__(self, dataset: str, *lines: str, days: list[date] | None = None) -> WriteReport:
        self.files += 1
        files = landed(self.folder / f"{self.files}.jsonl.gz", *lines) if lines else []
        load = getattr(loaders, f"load_{dataset}")
        with self.warehouse.write() as con:
            report: WriteReport = load(con, files, *([] if days is None else [days]), run_id="load-1")
        return report

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self.warehouse.read() as con:
            return con.sql(query).to_arrow_table().to_pylist()

    def values(self, query: str) -> list[Any]:
        with self.warehouse.read() as con:
            return [row[0] if len(row) == 1 else row for row in con.execute(query).fetchall()]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return Load(tmp_path)


# Candles -------------------------------------------------------------------------------------------------------------


def ohlc(form: str, *values: str) -> dict[str, Any]:
    """Open, high, low and close in the live form, the historical form or whole cents."""
    names = ("open", "high", "low", "close", "mean", "previous")
    suffix = "_dollars" if form == "live" else ""
    given = zip(names, values, strict=False)
    return {name + suffix: int(Decimal(v) * 100) if form == "cents" else v for name, v in given}


def bar(end: datetime, form: str = "live", *, bid: str = "0.4100", traded: bool = True) -> dict[str, Any]:
    suffix = "_fp" if form == "live" else ""
    volume, interest = ("12.00", "340.50") if form != "cents" else (12, 340)
    return {
        "end_period_ts": int(end.timestamp()),
        "yes_bid": ohlc(form, bid, "0.4500", "0.4000", bid),
        "yes_ask": ohlc(form, "0.5000", "0.5500", "0.4700", "0.4800"),
        "price": ohlc(form, "0.4500", "0.4700", "0.4300", "0.4600", "0.4525", "0.4400") if traded else {},
        f"volume{suffix}": volume,
        f"open_interest{suffix}": interest,
    }


def event_bars(bars: dict[str, list[dict[str, Any]]], **context: Any) -> str:
    body = {"market_tickers": list(bars), "market_candlesticks": list(bars.values()), "adjusted_end_ts": 0}
    return response(body, **{"period_minutes": 1, "quote_kind": "candle_close", **context})


def single_bars(ticker: str | None, bars: list[dict[str, Any]], **context: Any) -> str:
    body = {**({"ticker": ticker} if ticker else {}), "candlesticks": bars}
    return response(body, **{"period_minutes": 1, "quote_kind": "candle_close", **context})


def at(minutes: float) -> datetime:
    return MIDNIGHT + timedelta(minutes=minutes)


CANDLE = {
    "ticker": "A",
    "bucket_start": at(0),
    "bucket_end": at(1),
    "source": "api_event",
    "period_minutes": 1,
    "quote_kind": "candle_close",
    "yes_bid_open": Decimal("0.41"),
    "yes_bid_high": Decimal("0.45"),
    "yes_bid_low": Decimal("0.40"),
    "yes_bid_close": Decimal("0.41"),
    "yes_ask_open": Decimal("0.50"),
    "yes_ask_high": Decimal("0.55"),
    "yes_ask_low": Decimal("0.47"),
    "yes_ask_close": Decimal("0.48"),
    "price_open": Decimal("0.45"),
    "price_high": Decimal("0.47"),
    "price_low": Decimal("0.43"),
    "price_close": Decimal("0.46"),
    "price_mean": Decimal("0.4525"),
    "price_previous": Decimal("0.44"),
    "price_min": None,
    "price_max": None,
    "volume": Decimal("12.00"),
    "open_interest": Decimal("340.50"),
    "tier": "live",
    "ingested_at": datetime(2026, 7, 1, tzinfo=UTC),
    "unit_id": "unit-1",
    "partition_date": DAY,
}


@pytest.mark.parametrize(
    ("line", "differs"),
    [
        (event_bars({"A": [bar(at(1))]}), {}),
        (single_bars("A", [bar(at(1))]), {}),
        (single_bars(None, [bar(at(1))], tickers=["A"]), {}),
        (response({"markets": [{"market_ticker": "A", "candlesticks": [bar(at(1))]}]}, period_minutes=1), {}),
        (single_bars("A", [bar(at(1), "historical")], tier="historical"), {"tier": "historical"}),
        (
            single_bars("A", [bar(at(1), "cents")]),
            {"price_mean": Decimal("0.45"), "open_interest": Decimal("340.00")},
        ),
        (event_bars({"A": [bar(at(1))]}, quote_kind="trade_proxy"), {"quote_kind": "trade_proxy"}),
    ],
    ids=["event", "single", "single without ticker", "batch", "historical", "cents", "trade proxy"],
)
def test_a_bar_is_the_same_from_every_endpoint_and_era(load: Load, line: str, differs: dict[str, Any]) -> None:
    assert load("candles", line, days=[DAY]).inserted == 1
    assert load.rows("FROM raw.candles") == [{**CANDLE, **differs}]


def test_cents_beside_dollars_and_arrays_that_are_no_prices(load: Load) -> None:
    both = bar(at(1))
    both["yes_bid"] |= {"open": 99, "close": 99}
    arrays = bar(at(2), "cents")
    arrays["yes_bid"] |= {f"{name}_dollars": [0, 0] for name in ("open", "high", "low", "close")}
    load("candles", single_bars("A", [both, arrays]), days=[DAY])
    closes = "SELECT yes_bid_open, yes_bid_close FROM raw.candles ORDER BY bucket_start"
    assert load.values(closes) == [(Decimal("0.41"), Decimal("0.41"))] * 2


@pytest.mark.parametrize(
    "price", [{}, None, {"previous_dollars": "0.4400"}, {"close": None, "previous_dollars": "0.4400"}]
)
def test_a_bar_without_trades_has_no_prices_but_quotes(load: Load, price: dict[str, Any] | None) -> None:
    load("candles", single_bars("A", [bar(at(1)) | {"price": price}]), days=[DAY])
    previous = Decimal("0.44") if price else None
    assert load.values(
        "SELECT price_open, price_close, price_mean, price_previous, yes_bid_close FROM raw.candles"
    ) == [(None, None, None, previous, Decimal("0.41"))]


def test_empty_sides_are_kept_as_served(load: Load) -> None:
    empty = bar(at(1), bid="0.0000")
    empty["yes_ask"] = ohlc("live", "1.0000", "1.0000", "1.0000", "1.0000")
    load("candles", single_bars("A", [empty]), days=[DAY])
    assert load.values("SELECT yes_bid_close, yes_ask_close FROM raw.candles") == [(Decimal(0), Decimal(1))]


def test_subpenny_prices_and_fractional_counts_stay_exact(load: Load) -> None:
    odd = bar(at(1), bid="0.123456") | {"volume_fp": "0.01"}
    load("candles", single_bars("A", [odd]), days=[DAY])
    assert load.values("SELECT yes_bid_close, volume FROM raw.candles") == [(Decimal("0.123456"), Decimal("0.01"))]


def test_a_bar_belongs_to_the_day_in_which_it_ended(load: Load) -> None:
    bars = [bar(at(minutes)) for minutes in (0, 1, 1439, 1440, 1441)]
    assert load("candles", event_bars({"A": bars}), days=[DAY]).inserted == 3
    ends = "SELECT partition_date, bucket_end FROM raw.candles ORDER BY bucket_end"
    assert load.values(ends) == [(DAY, at(1)), (DAY, at(1439)), (DAY, at(1440))]
    assert load("candles", event_bars({"A": bars}), days=[NEXT_DAY]).inserted == 1
    assert load("candles", event_bars({"A": bars}), days=[DAY, NEXT_DAY]).unchanged == 4


@pytest.mark.parametrize(
    ("end", "start", "hours"),
    [
        ("2026-06-02T04:00Z", "2026-06-01T04:00Z", 24),
        ("2026-01-06T05:00Z", "2026-01-05T05:00Z", 24),
        ("2026-03-09T04:00Z", "2026-03-08T05:00Z", 23),
        ("2025-11-03T05:00Z", "2025-11-02T04:00Z", 25),
        # As recorded: the bar over the autumn change ended a day of 24 hours after it began.
        ("2025-11-03T04:00Z", "2025-11-02T04:00Z", 24),
    ],
)
def test_daily_bars_start_at_midnight_in_new_york(load: Load, end: str, start: str, hours: int) -> None:
    ended = datetime.fromisoformat(end)
    load("candles", single_bars("A", [bar(ended)], period_minutes=1440), days=[ended.date()])
    assert load.values("SELECT bucket_start, bucket_end - bucket_start, partition_date FROM raw.candles") == [
        (datetime.fromisoformat(start), timedelta(hours=hours), ended.date())
    ]


def test_hourly_bars(load: Load) -> None:
    load("candles", single_bars("A", [bar(at(60))], period_minutes=60), days=[DAY])
    assert load.values("SELECT bucket_start, period_minutes FROM raw.candles") == [(at(0), 60)]


def test_overlapping_windows_and_tiers_give_each_bar_once(load: Load) -> None:
    live = event_bars(
        {"A": [bar(at(1), bid="0.4100"), bar(at(2))], "B": [bar(at(1))]}, received_at="2026-07-01T00:00:00Z"
    )
    later = event_bars({"A": [bar(at(2), bid="0.4200"), bar(at(3))]}, received_at="2026-07-01T00:00:05Z")
    old = single_bars(
        "A", [bar(at(1), "historical", bid="0.4300")], tier="historical", received_at="2026-07-01T00:00:09Z"
    )
    assert load("candles", old, live, later, days=[DAY]).inserted == 4
    bids = "SELECT ticker, bucket_end, yes_bid_close FROM raw.candles ORDER BY ALL"
    assert load.values(bids) == [
        ("A", at(1), Decimal("0.41")),
        ("A", at(2), Decimal("0.42")),
        ("A", at(3), Decimal("0.41")),
        ("B", at(1), Decimal("0.41")),
    ]


def test_a_bar_that_had_not_ended_is_no_bar_yet(load: Load) -> None:
    line = event_bars({"A": [bar(at(1)), bar(at(2))]}, received_at="2026-06-01T00:01:59Z")
    load("candles", line, days=[DAY])
    assert load.values("SELECT bucket_end FROM raw.candles") == [at(1)]


def test_replay_gives_identical_rows(load: Load) -> None:
    lines = [event_bars({"A": [bar(at(m)) for m in range(1, 100)]}), single_bars("B", [bar(at(5))])]
    load("candles", *lines, days=[DAY])
    first = load.rows("FROM raw.candles ORDER BY ALL")
    load("candles", days=[DAY])
    assert load.rows("FROM raw.candles") == []
    load("candles", *lines[::-1], days=[DAY])
    assert load.rows("FROM raw.candles ORDER BY ALL") == first


def test_a_response_that_is_no_success_is_left_out(load: Load) -> None:
    refused = single_bars("A", [bar(at(1))]).replace('"status": 200', '"status": 404')
    assert load("candles", refused, days=[DAY]).rows == 0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"volume_fp": "lots"}, "volume: unreadable"),
        ({"yes_bid": ohlc("live", "0.41", "0.45", "0.40", "n/a")}, "yes_bid_close: unreadable"),
        ({"yes_bid": ohlc("live", "0.41", "0.45", "0.40", "1.50")}, "yes_bid_close: in_range(0.0, 1.0)"),
        ({"end_period_ts": "soon"}, "end_ts: unreadable"),
        ({"volume_fp": "-1.00"}, "volume: greater_than_or_equal_to(0)"),
    ],
)
def test_a_faulty_bar_is_set_aside_as_it_came(load: Load, spoil: dict[str, Any], reason: str) -> None:
    bars = [bar(at(minutes)) for minutes in range(1, 200)]
    bars[20] |= spoil
    report = load("candles", event_bars({"A": bars}), days=[DAY])
    assert (report.inserted, report.quarantined) == (198, {reason: 1})
    [row] = load.values("SELECT row_json FROM meta.quarantine")
    if "unreadable" in reason:
        (name, value), *_ = spoil.items()
        kept = json.loads(row)[name]
        assert kept == value or {key: kept[key] for key in value} == value


def test_a_list_that_does_not_fit_its_tickers_is_not_guessed(load: Load) -> None:
    body = {"market_tickers": ["A"], "market_candlesticks": [[bar(at(1))], [bar(at(1))]]}
    with pytest.raises(BlockedWrite, match="ticker: not_nullable"):
        load("candles", response(body, period_minutes=1), days=[DAY])


def test_a_response_of_any_size_is_read(load: Load) -> None:
    body = {"ticker": "A", "candlesticks": [bar(at(1))], "padding": "x" * 20_000_000}
    assert load("candles", response(body, period_minutes=1), days=[DAY]).inserted == 1


def test_a_broken_file_stops_the_load(load: Load) -> None:
    with pytest.raises(BrokenLanding, match=r"jsonl\.gz cannot be read .* land its days again"):
        load("candles", event_bars({"A": [bar(at(1))]})[:-40] + "\n", days=[DAY])


@pytest.mark.parametrize("dataset", ["trades", "series", "candles"])
def test_a_file_that_was_emptied_stops_the_load(load: Load, tmp_path: Path, dataset: str) -> None:
    (emptied := tmp_path / "emptied.jsonl.gz").write_bytes(b"")
    days = [] if dataset == "series" else [[DAY]]
    with load.warehouse.write() as con, pytest.raises(BrokenLanding, match=r"emptied\.jsonl\.gz cannot be read"):
        getattr(loaders, f"load_{dataset}")(con, [emptied], *days, run_id="load-1")


def test_a_day_without_files_is_empty_and_recorded(load: Load) -> None:
    for dataset in ("candles", "trades", "quotes", "orderbooks"):
        assert load(dataset, days=[DAY]).rows == 0
    assert load.values("SELECT dataset, rows FROM meta.partition_loads ORDER BY 1") == [
        ("candles", 0),
        ("orderbooks", 0),
        ("quotes", 0),
        ("trades", 0),
    ]
    for dataset in ("series", "events", "markets", "settlements"):
        assert load(dataset).rows == 0


# Trades --------------------------------------------------------------------------------------------------------------

TRADE = {
    "trade_id": "t-1",
    "ticker": "A",
    "count_fp": "3.50",
    "yes_price_dollars": "0.4100",
    "no_price_dollars": "0.5900",
    "taker_outcome_side": "yes",
    "taker_book_side": "ask",
    "created_time": "2026-06-01T12:00:00.123456Z",
    "is_block_trade": False,
}
OLD_TRADE = {
    "trade_id": "t-1",
    "ticker": "A",
    "count": 3,
    "yes_price": 41,
    "no_price": 59,
    "taker_side": "yes",
    "created_time": "2026-06-01T12:00:00.123456Z",
}


def test_trades_of_both_eras(load: Load) -> None:
    old = {**OLD_TRADE, "trade_id": "t-2"}
    del old["no_price"]
    load("trades", response({"trades": [TRADE, old], "cursor": ""}), days=[DAY])
    new_row, old_row = load.rows("FROM raw.trades ORDER BY trade_id")
    assert new_row == {
        "trade_id": "t-1",
        "ticker": "A",
        "created_time": datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC),
        "count": Decimal("3.50"),
        "yes_price": Decimal("0.41"),
        "no_price": Decimal("0.59"),
        "taker_outcome_side": "yes",
        "taker_book_side": "ask",
        "is_block_trade": False,
        "tier": "live",
        "ingested_at": datetime(2026, 7, 1, tzinfo=UTC),
        "unit_id": "unit-1",
        "partition_date": DAY,
    }
    unknown_then = {"count": Decimal("3.00"), "taker_book_side": None, "is_block_trade": None}
    assert old_row == {**new_row, "trade_id": "t-2", **unknown_then}


def test_a_trade_counts_once_and_the_live_tier_wins(load: Load) -> None:
    archived = {**TRADE, "count_fp": "9.00"}
    lines = [response({"trades": [archived]}, tier="historical"), response({"trades": [TRADE, TRADE]})]
    assert load("trades", *lines, days=[DAY]).inserted == 1
    assert load.values("SELECT tier, count FROM raw.trades") == [("live", Decimal("3.50"))]


def test_only_trades_of_the_asked_days_are_taken(load: Load) -> None:
    midnight = {**TRADE, "trade_id": "t-2", "created_time": "2026-06-02T00:00:00Z"}
    line = response({"trades": [TRADE, midnight]})
    assert load("trades", line, days=[DAY]).inserted == 1
    assert load("trades", line, days=[NEXT_DAY]).inserted == 1
    assert load.values("SELECT partition_date FROM raw.trades ORDER BY 1") == [DAY, NEXT_DAY]


def test_whole_and_fractional_seconds_are_all_read(load: Load) -> None:
    times = ["12:00:00Z", "12:00:00.5Z", "12:00:00.3987Z", "12:00:00.123456Z", "08:00:00-04:00"]
    trades = [{**TRADE, "trade_id": f"t-{n}", "created_time": f"2026-06-01T{time}"} for n, time in enumerate(times)]
    assert load("trades", response({"trades": trades}), days=[DAY]).quarantined == {}
    micros = load.values("SELECT microsecond(created_time), hour(created_time) FROM raw.trades ORDER BY trade_id")
    assert micros == [(0, 12), (500_000, 12), (398_700, 12), (123_456, 12), (0, 12)]


# Markets, settlements and quotes -------------------------------------------------------------------------------------

MARKET = {
    "ticker": "KXHIGHNY-26JUN01-B68.5",
    "event_ticker": "KXHIGHNY-26JUN01",
    "market_type": "binary",
    "title": "Will it be warm?",
    "yes_sub_title": "68° to 69°",
    "no_sub_title": "68° to 69°",
    "status": "active",
    "created_time": "0001-01-01T00:00:00Z",
    "updated_time": "2026-05-31T15:00:00Z",
    "open_time": "2026-05-31T14:00:00Z",
    "close_time": "2026-06-02T04:59:00Z",
    "latest_expiration_time": "2026-06-08T14:00:00Z",
    "expected_expiration_time": None,
    "settlement_timer_seconds": 3600,
    "strike_type": "between",
    "floor_strike": 68,
    "cap_strike": 69.0,
    "custom_strike": {"round_digits": "2"},
    "can_close_early": True,
    "rules_primary": "If ...",
    "rules_secondary": "",
    "price_level_structure": "linear_cent",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
    "notional_value_dollars": "1.0000",
    "result": "",
    "expiration_value": "",
    "yes_bid_dollars": "0.4100",
    "yes_ask_dollars": "0.4300",
    "yes_bid_size_fp": "10.00",
    "yes_ask_size_fp": "7.25",
    "last_price_dollars": "0.4200",
    "volume_fp": "1000.00",
    "volume_24h_fp": "12.00",
    "open_interest_fp": "345.00",
}
SETTLED = {
    **MARKET,
    "status": "finalized",
    "result": "yes",
    "settlement_value_dollars": "1.0000",
    "settlement_ts": "2026-06-02T14:30:00Z",
    "expiration_value": "68",
}


def markets(*listed: dict[str, Any], **context: Any) -> str:
    return response({"markets": list(listed), "cursor": ""}, **context)


def test_a_markets_specification(load: Load) -> None:
    assert load("markets", markets(MARKET)).inserted == 1
    [row] = load.rows("FROM raw.markets")
    assert len(row.pop("content_hash")) == 64
    assert row == {
        "ticker": "KXHIGHNY-26JUN01-B68.5",
        "event_ticker": "KXHIGHNY-26JUN01",
        "series_ticker": "KXHIGHNY",
        "market_type": "binary",
        "title": "Will it be warm?",
        "yes_sub_title": "68° to 69°",
        "no_sub_title": "68° to 69°",
        "status": "active",
        "created_time": None,
        "updated_time": datetime(2026, 5, 31, 15, tzinfo=UTC),
        "open_time": datetime(2026, 5, 31, 14, tzinfo=UTC),
        "close_time": datetime(2026, 6, 2, 4, 59, tzinfo=UTC),
        "expected_expiration_time": None,
        "latest_expiration_time": datetime(2026, 6, 8, 14, tzinfo=UTC),
        "occurrence_datetime": None,
        "settlement_timer_seconds": 3600,
        "strike_type": "between",
        "floor_strike": 68.0,
        "cap_strike": 69.0,
        "functional_strike": None,
        "custom_strike": '{"round_digits":"2"}',
        "can_close_early": True,
        "rules_primary": "If ...",
        "rules_secondary": None,
        "price_level_structure": "linear_cent",
        "price_ranges": '[{"start":"0.0000","end":"1.0000","step":"0.0100"}]',
        "notional_value": Decimal("1.000000"),
        "tier": "live",
        "observed_at": datetime(2026, 7, 1, tzinfo=UTC),
        "ingested_at": datetime(2026, 7, 1, tzinfo=UTC),
        "unit_id": "unit-1",
    }


def test_prices_and_outcomes_make_no_new_version_but_strikes_do(load: Load) -> None:
    def seen(market: dict[str, Any], hour: int) -> int:
        line = markets(market, received_at=f"2026-06-01T{hour:02}:00:00Z", run_id=f"run-{hour}")
        report = load("markets", line)
        return report.inserted + report.updated

    assert seen(MARKET, 1) == 1
    assert (
        seen({**MARKET, "yes_bid_dollars": "0.9900", "volume_fp": "2.00", "updated_time": "2026-06-01T02:00:00Z"}, 2)
        == 0
    )
    assert seen({**MARKET, "cap_strike": 70}, 3) == 1
    assert seen({**SETTLED, "cap_strike": 70, "status": "active"}, 4) == 0
    assert load.values("SELECT cap_strike FROM raw.markets ORDER BY observed_at") == [69.0, 70.0]


def test_a_market_in_both_tiers_is_one_observation_the_newer_one(load: Load) -> None:
    newer = {**MARKET, "title": "newer", "updated_time": "2026-06-05T00:00:00Z"}
    lines = [
        markets(MARKET, received_at="2026-07-01T00:00:00Z"),
        markets(newer, received_at="2026-07-01T00:00:01Z", tier="historical"),
        markets(MARKET, received_at="2026-07-01T00:00:02Z"),
    ]
    assert load("markets", *lines).inserted == 1
    assert load.values("SELECT title, tier FROM raw.markets") == [("newer", "historical")]


def test_observations_of_several_runs_loaded_at_once_are_versions(load: Load) -> None:
    lines = [
        markets({**MARKET, "title": title}, received_at=f"2026-06-0{day}T00:00:00Z", run_id=f"run-{day}")
        for day, title in ((3, "c"), (1, "a"), (2, "a"))
    ]
    assert load("markets", *lines) == WriteReport("raw.markets", rows=3, inserted=1, unchanged=1, updated=1)
    assert load.values("SELECT title, day(observed_at) FROM raw.markets ORDER BY 2") == [("a", 1), ("c", 3)]


def test_a_market_without_strikes_or_with_a_word_for_one(load: Load) -> None:
    legacy = {name: value for name, value in MARKET.items() if "strike" not in name}
    assert load("markets", markets(legacy)).quarantined == {}
    assert load.values("SELECT strike_type, floor_strike, custom_strike FROM raw.markets") == [(None, None, None)]
    many = [{**MARKET, "ticker": f"M{n}"} for n in range(200)]
    many[3]["floor_strike"] = "TBD"
    assert load("markets", markets(*many, received_at="2026-07-02T00:00:00Z")).quarantined == {
        "floor_strike: unreadable": 1
    }


def test_an_outcome_is_known_from_its_settlement_on(load: Load) -> None:
    assert load("settlements", markets(MARKET, SETTLED)).inserted == 1
    [row] = load.rows("FROM raw.settlements")
    assert len(row.pop("content_hash")) == 64
    assert row == {
        "ticker": "KXHIGHNY-26JUN01-B68.5",
        "event_ticker": "KXHIGHNY-26JUN01",
        "series_ticker": "KXHIGHNY",
        "status": "finalized",
        "result": "yes",
        "settlement_value": Decimal("1.000000"),
        "settlement_ts": datetime(2026, 6, 2, 14, 30, tzinfo=UTC),
        "expiration_value": "68",
        "learned_at": datetime(2026, 6, 2, 14, 30, tzinfo=UTC),
        "learned_at_basis": "settlement_ts",
        "observed_at": datetime(2026, 7, 1, tzinfo=UTC),
        "ingested_at": datetime(2026, 7, 1, tzinfo=UTC),
        "unit_id": "unit-1",
    }


def test_an_outcome_without_a_settlement_time_is_known_from_when_it_was_seen(load: Load) -> None:
    determined = {**SETTLED, "status": "determined", "settlement_ts": None, "settlement_value_dollars": None}
    load("settlements", markets(determined))
    assert load.values("SELECT learned_at = observed_at, learned_at_basis, settlement_value FROM raw.settlements") == [
        (True, "observed_at", None)
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_amended_outcome_was_not_known_while_the_first_still_stood(load: Load, at_once: bool) -> None:
    first = {**SETTLED, "result": "no", "status": "determined", "settlement_ts": None}
    lines = [
        markets(first, received_at="2026-06-02T16:00:00Z", run_id="a"),
        markets(SETTLED, received_at="2026-06-03T16:00:00Z", run_id="b"),
    ]
    for batch in [lines] if at_once else [[line] for line in lines]:
        load("settlements", *batch)
    known = "SELECT result, learned_at, learned_at_basis FROM raw.settlements ORDER BY observed_at"
    assert load.values(known) == [
        ("no", datetime(2026, 6, 2, 16, tzinfo=UTC), "observed_at"),
        ("yes", datetime(2026, 6, 3, 16, tzinfo=UTC), "observed_at"),
    ]


def test_an_outcome_seen_before_it_was_paid_keeps_the_settlement_time(load: Load) -> None:
    load(
        "settlements",
        markets({**SETTLED, "status": "determined", "settlement_ts": None}, received_at="2026-06-02T14:00:00Z"),
    )
    load("settlements", markets(SETTLED, received_at="2026-06-03T00:00:00Z", run_id="b"))
    assert load.values("SELECT status, learned_at_basis FROM raw.settlements ORDER BY observed_at") == [
        ("determined", "observed_at"),
        ("finalized", "settlement_ts"),
    ]


def test_unknown_results_and_scalar_values_are_kept(load: Load) -> None:
    odd = {**SETTLED, "result": "void", "settlement_value_dollars": None}
    scalar = {**SETTLED, "ticker": "S", "result": "scalar", "settlement_value_dollars": "0.3700"}
    load("settlements", markets(odd, scalar))
    assert load.values("SELECT result, settlement_value FROM raw.settlements ORDER BY 1") == [
        ("scalar", Decimal("0.37")),
        ("void", None),
    ]


def test_a_snapshot_of_the_books(load: Load) -> None:
    line = markets(MARKET, received_at="2026-06-01T12:00:00.25Z", unit_id="snapshot-1")
    assert load("quotes", line, days=[DAY]).inserted == 1
    assert load.rows("FROM raw.quotes") == [
        {
            "ticker": "KXHIGHNY-26JUN01-B68.5",
            "observed_at": datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC),
            "status": "active",
            "yes_bid": Decimal("0.41"),
            "yes_ask": Decimal("0.43"),
            "yes_bid_size": Decimal("10.00"),
            "yes_ask_size": Decimal("7.25"),
            "last_price": Decimal("0.42"),
            "volume": Decimal("1000.00"),
            "volume_24h": Decimal("12.00"),
            "open_interest": Decimal("345.00"),
            "ingested_at": datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC),
            "unit_id": "snapshot-1",
            "partition_date": DAY,
        }
    ]


def test_overlapping_pages_of_a_snapshot_give_one_quote_and_snapshots_add_up(load: Load) -> None:
    pages = [markets(MARKET, received_at=f"2026-06-01T12:00:0{n}Z", unit_id="snapshot-1") for n in (0, 1)]
    later = markets(MARKET, received_at="2026-06-01T12:15:00Z", unit_id="snapshot-2")
    load("quotes", *pages, later, days=[DAY])
    assert load.values("SELECT unit_id, second(observed_at) FROM raw.quotes ORDER BY 1") == [
        ("snapshot-1", 1),
        ("snapshot-2", 0),
    ]


# Series, events, order books -----------------------------------------------------------------------------------------

SERIES = {
    "ticker": "KXHIGHNY",
    "title": "Highest temperature in New York",
    "category": "Climate and Weather",
    "frequency": "daily",
    "tags": None,
    "settlement_sources": [{"name": "NWS", "url": "https://example.org"}],
    "fee_type": "quadratic",
    "fee_multiplier": 1,
}


@pytest.mark.parametrize("served", [SERIES, [SERIES]], ids=["object", "list"])
def test_a_series_alone_or_in_a_list(load: Load, served: Any) -> None:
    assert load("series", response({"series": served})).inserted == 1
    [row] = load.rows("SELECT * EXCLUDE (content_hash, observed_at, ingested_at, unit_id) FROM raw.series")
    assert row == {
        "series_ticker": "KXHIGHNY",
        "title": "Highest temperature in New York",
        "category": "Climate and Weather",
        "frequency": "daily",
        "tags": None,
        "settlement_sources": '[{"name":"NWS","url":"https://example.org"}]',
        "fee_type": "quadratic",
        "fee_multiplier": 1.0,
        "last_updated_ts": None,
    }


def test_events_listed_or_alone(load: Load) -> None:
    event = {
        "event_ticker": "KXHIGHNY-26JUN01",
        "series_ticker": "KXHIGHNY",
        "title": "Highest temperature in New York on Jun 1?",
        "sub_title": "",
        "collateral_return_type": "MECNET",
        "mutually_exclusive": True,
        "strike_date": "2026-06-02T04:59:00Z",
        "strike_period": "",
    }
    other = {**event, "event_ticker": "KXHIGHNY-26JUN02", "mutually_exclusive": False}
    lines = [response({"events": [event, other], "cursor": ""}), response({"event": event, "markets": []})]
    assert load("events", *lines).inserted == 2
    assert load.values(
        "SELECT event_ticker, mutually_exclusive, sub_title, strike_period, strike_date FROM raw.events ORDER BY 1"
    ) == [
        ("KXHIGHNY-26JUN01", True, None, None, datetime(2026, 6, 2, 4, 59, tzinfo=UTC)),
        ("KXHIGHNY-26JUN02", False, None, None, datetime(2026, 6, 2, 4, 59, tzinfo=UTC)),
    ]


def test_order_books_best_bid_first_in_every_form(load: Load) -> None:
    today = {"yes_dollars": [["0.0100", "5.00"], ["0.0250", "7.50"]], "no_dollars": None}
    lines = [
        response({"orderbooks": [{"ticker": "A", "orderbook_fp": today}]}, received_at="2026-06-01T12:00:00Z"),
        response({"orderbook_fp": {**today, "no_dollars": []}}, tickers=["B"], received_at="2026-06-01T12:00:00Z"),
        response(
            {"orderbook": {"yes": [[1, 5], [2, 7]], "no": None}}, tickers=["C"], received_at="2026-06-01T12:00:00Z"
        ),
    ]
    assert load("orderbooks", *lines, days=[DAY]).quarantined == {}
    assert load.values("SELECT ticker, side, level, price, count FROM raw.orderbooks ORDER BY ALL") == [
        ("A", "yes", 1, Decimal("0.025"), Decimal("7.50")),
        ("A", "yes", 2, Decimal("0.01"), Decimal("5.00")),
        ("B", "yes", 1, Decimal("0.025"), Decimal("7.50")),
        ("B", "yes", 2, Decimal("0.01"), Decimal("5.00")),
        ("C", "yes", 1, Decimal("0.02"), Decimal("7.00")),
        ("C", "yes", 2, Decimal("0.01"), Decimal("5.00")),
    ]


def test_a_book_that_a_response_lists_twice_is_no_deeper_for_it(load: Load) -> None:
    book = {"ticker": "A", "orderbook_fp": {"yes_dollars": [["0.0100", "5.00"], ["0.0200", "7.00"]], "no_dollars": []}}
    other = {**book, "ticker": "B"}
    lines = [
        response({"orderbooks": [book, other, book]}, received_at="2026-06-01T12:00:00Z", unit_id="hour-12"),
        response({"orderbooks": [book]}, received_at="2026-06-01T13:00:00Z", unit_id="hour-13"),
    ]
    load("orderbooks", *lines, days=[DAY])
    assert load.values("SELECT ticker, unit_id, level, price FROM raw.orderbooks ORDER BY ticker, unit_id, level") == [
        (ticker, unit, level, price)
        for ticker, unit in [("A", "hour-12"), ("A", "hour-13"), ("B", "hour-12")]
        for level, price in [(1, Decimal("0.02")), (2, Decimal("0.01"))]
    ]


# Recorded responses --------------------------------------------------------------------------------------------------


def test_recorded_responses_of_earlier_eras_load_whole(load: Load, shared_dir: Path) -> None:
    cents = shared_dir / "wire_samples" / "era1_cents_2025-05"
    events = [json.loads(path.read_text()) for path in sorted(cents.glob("20*.json"))]
    listed = sum(len(event["markets"]) for event in events)
    lines = [response(event) for event in events]
    assert load("events", *lines).inserted == len(events)
    assert load("markets", *lines).inserted == listed
    assert load("quotes", *lines, days=[date(2026, 7, 1)]).inserted == listed
    assert load.values("SELECT count(*) FROM raw.quotes WHERE yes_bid > 0 OR yes_ask > 0") == [listed]

    both = shared_dir / "wire_samples" / "era2_obstacle_2026-01"
    document = json.loads((both / "event_candlesticks_response.json").read_text())["response"]
    bars = [bar for market in document["market_candlesticks"] for bar in market]
    ends = {datetime.fromtimestamp(bar["end_period_ts"] - 1, UTC).date() for bar in bars}
    report = load("candles", response(document, period_minutes=1440), days=sorted(ends))
    assert (report.inserted, report.quarantined) == (len(bars), {})
    closes = load.values("SELECT yes_bid_close FROM raw.candles ORDER BY ticker, bucket_end")
    assert closes == [Decimal(bar["yes_bid"]["close_dollars"]) for bar in bars]
