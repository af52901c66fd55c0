"""A recorded world is served as it was written down, and refused in one sentence where it cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kalshi_pipeline.sandbox.app import build_app
from kalshi_pipeline.sandbox.recorded import RecordedWorld
from kalshi_pipeline.sandbox.recorded_files import COLUMNS
from kalshi_pipeline.sandbox.world import WorldError
from tests.conftest import recorded_worlds
from tests.unit.sandbox_asking import ask, move, respond, walk

pytestmark = pytest.mark.unit

OPENS, CLOSES = datetime(2024, 3, 1, 15, tzinfo=UTC), datetime(2024, 3, 3, 5, tzinfo=UTC)
SETTLES = datetime(2024, 3, 3, 14, tzinfo=UTC)
FIRST_HOUR = int(OPENS.timestamp()) + 3600


def market(ticker: str, event: str, **changes: Any) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "event_ticker": event,
        "series_ticker": "KXHIGHNY",
        "strike_type": "greater",
        "floor_strike": 40.0,
        "cap_strike": None,
        "open_time": OPENS,
        "close_time": CLOSES,
        "settlement_ts": SETTLES,
        "settlement_ts_estimated": True,
        "result": "yes",
        "expiration_value": "41.00",
    } | changes


def bar(ticker: str, end: int, **changes: Any) -> dict[str, Any]:
    quote = {"open": 0.41, "high": 0.45, "low": 0.4, "close": 0.44}
    return (
        {"ticker": ticker, "period_interval": 60, "end_period_ts": end}
        | {f"yes_bid_{name}": price for name, price in quote.items()}
        | {f"yes_ask_{name}": price + 0.02 for name, price in quote.items()}
        | {f"price_{name}": price for name, price in quote.items()}
        | {"price_mean": 0.4321, "price_previous": None, "volume": 12.5, "open_interest": None}
        | changes
    )


Tables = dict[str, list[dict[str, Any]]]
Write = Callable[..., Path]


@pytest.fixture
def tables() -> Tables:
    event = {"event_ticker": "E-1", "series_ticker": "KXHIGHNY", "title": "High", "mutually_exclusive": True}
    series = {"series_ticker": "KXHIGHNY", "title": "NY", "category": "Climate", "frequency": "daily"}
    return {
        "series": [series | {"fee_type": "quadratic", "fee_multiplier": 1.0}],
        "events": [event],
        "markets": [market("E-1-T40", "E-1"), market("E-1-T44", "E-1", floor_strike=44.0, result="no")],
        "candles": [bar("E-1-T40", FIRST_HOUR), bar("E-1-T40", FIRST_HOUR + 7200, price_previous=0.44)],
        "trades": [
            {
                "trade_id": "a",
                "ticker": "E-1-T40",
                "created_time": OPENS,
                "count": 12.5,
                "yes_price": 0.44,
                "taker_outcome_side": "no",
            }
        ],
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_folder(tables: Tables, notes: str = "bars from trades, proxies") -> Path:
        folder = tmp_path / "world"
        folder.mkdir(exist_ok=True)
        (folder / "world.json").write_text(json.dumps({"name": "small", "notes": notes}))
        for name, rows in tables.items():
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
        return folder

    return to_folder


def test_bars_are_served_one_for_one_at_their_own_length(tables: Tables, write: Write) -> None:
    app = build_app(RecordedWorld(write(tables)))
    move(app, "2024-03-02T12:00:00Z")
    path = "/series/KXHIGHNY/markets/E-1-T40/candlesticks"
    window = {"start_ts": FIRST_HOUR - 3600, "end_ts": FIRST_HOUR + 86_400}
    answer = respond(app, path, period_interval=60, **window)
    first, second = answer.json()["candlesticks"]
    assert answer.headers["x-sandbox-quote-kind"] == "trade_proxy"
    assert first == {
        "end_period_ts": FIRST_HOUR,
        "yes_bid": {
            "open_dollars": "0.4100",
            "low_dollars": "0.4000",
            "high_dollars": "0.4500",
            "close_dollars": "0.4400",
        },
        "yes_ask": {
            "open_dollars": "0.4300",
            "low_dollars": "0.4200",
            "high_dollars": "0.4700",
            "close_dollars": "0.4600",
        },
        "price": {
            "open_dollars": "0.4100",
            "low_dollars": "0.4000",
            "high_dollars": "0.4500",
            "close_dollars": "0.4400",
            "mean_dollars": "0.4321",
        },
        "volume_fp": "12.50",
        "open_interest_fp": "0.00",
    }
    assert second["price"]["previous_dollars"] == "0.4400"
    assert ask(app, path, period_interval=1, **window)["candlesticks"] == []


def test_hours_built_from_every_trade_make_days_and_polled_minutes_do_not(tables: Tables, write: Write) -> None:
    window = {"start_ts": FIRST_HOUR, "end_ts": FIRST_HOUR + 2 * 86_400, "period_interval": 1440}
    path = "/series/KXHIGHNY/markets/E-1-T40/candlesticks"
    proxies = build_app(RecordedWorld(write(tables)), now=CLOSES)
    (day,) = ask(proxies, path, **window)["candlesticks"]
    assert day["end_period_ts"] == int(datetime(2024, 3, 2, 5, tzinfo=UTC).timestamp()) and day["volume_fp"] == "25.00"
    polled = build_app(RecordedWorld(write(tables, notes="one poll an hour, real quotes")), now=CLOSES)
    answer = respond(polled, path, **window)
    assert answer.json()["candlesticks"] == [] and "x-sandbox-quote-kind" not in answer.headers


def test_outcome_and_quote_follow_the_clock(tables: Tables, write: Write) -> None:
    app = build_app(RecordedWorld(write(tables)))
    move(app, "2024-03-01T18:30:00Z")
    now = ask(app, "/markets/E-1-T40")["market"]
    assert (now["status"], now["result"], now["yes_bid_dollars"], now["yes_bid_size_fp"]) == (
        "active",
        "",
        "0.4400",
        "1.00",
    )
    assert now["created_time"] == "0001-01-01T00:00:00Z" and now["volume_fp"] == "25.00"
    silent = ask(app, "/markets/E-1-T44")["market"]
    assert (silent["yes_bid_dollars"], silent["yes_ask_dollars"], silent["yes_ask_size_fp"]) == (
        "0.0000",
        "1.0000",
        "0.00",
    )
    move(app, "2024-03-03T13:59:59Z")
    assert ask(app, "/markets/E-1-T40")["market"]["status"] == "closed"
    move(app, SETTLES.isoformat())
    settled = ask(app, "/markets/E-1-T40")["market"]
    assert (settled["status"], settled["result"], settled["expiration_value"]) == ("finalized", "yes", "41.00")


def test_an_unsettled_market_stays_closed_and_shows_no_value(tables: Tables, write: Write) -> None:
    tables["markets"][1] |= {"result": None, "settlement_ts": None}
    app = build_app(RecordedWorld(write(tables)))
    found = ask(app, "/markets/E-1-T44")["market"]
    assert (found["status"], found["result"], found["expiration_value"]) == ("closed", "", "")


def test_the_clock_stands_at_the_end_of_the_recording(tables: Tables, write: Write) -> None:
    world = RecordedWorld(write(tables))
    assert world.info.pinned == datetime(2024, 3, 4, tzinfo=UTC), "nothing trades any more: the day is over"
    tables["markets"].append(market("E-1-T50", "E-1", close_time=datetime(2024, 6, 1, tzinfo=UTC), settlement_ts=None))
    still_open = RecordedWorld(write(tables))
    assert still_open.info.pinned == datetime(2024, 3, 3, 14, 1, tzinfo=UTC), "one minute after the last thing seen"


def test_without_strikes_a_market_has_no_strike_fields(tables: Tables, write: Write) -> None:
    tables["markets"][1] |= {"strike_type": None, "floor_strike": None}
    app = build_app(RecordedWorld(write(tables)), now=CLOSES)
    assert not {"strike_type", "floor_strike", "cap_strike"} & set(ask(app, "/markets/E-1-T44")["market"])


@pytest.mark.parametrize("name", ["series", "events", "markets", "candles"])
def test_a_missing_file_is_named(tables: Tables, write: Write, name: str) -> None:
    folder = write(tables)
    (folder / f"{name}.parquet").unlink()
    with pytest.raises(WorldError, match=rf"has no {name}\.parquet"):
        RecordedWorld(folder)


@pytest.mark.parametrize(
    ("table", "column"), [(t, c) for t in ("series", "markets", "candles") for c in COLUMNS[t][:2]]
)
def test_a_missing_column_is_named(tables: Tables, write: Write, table: str, column: str) -> None:
    for row in tables[table]:
        del row[column]
    with pytest.raises(WorldError, match=f"{table}.parquet lacks the column {column}"):
        RecordedWorld(write(tables))


def test_other_faults_of_a_folder_are_named(tables: Tables, write: Write, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="is not a folder"):
        RecordedWorld(tmp_path / "nowhere")
    folder = write(tables)
    (folder / "candles.parquet").write_bytes(b"not parquet")
    with pytest.raises(WorldError, match=r"candles\.parquet cannot be read as parquet"):
        RecordedWorld(folder)
    (folder / "world.json").write_text("{")
    with pytest.raises(WorldError, match=r"world\.json cannot be read as JSON"):
        RecordedWorld(folder)
    (folder / "world.json").unlink()
    with pytest.raises(WorldError, match=r"no world\.json"):
        RecordedWorld(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t["markets"][0].update(event_ticker="E-9"), r"names 1 event_ticker that events\.parquet lacks"),
        (lambda t: t["candles"][0].update(ticker="X"), r"names 1 ticker that markets\.parquet lacks"),
        (lambda t: t["candles"][0].update(yes_bid_close=1.5), "prices are dollars between 0 and 1"),
        (lambda t: t["candles"][0].update(yes_bid_close=None), "1 rows without yes_bid_close"),
        (lambda t: t["markets"].append(t["markets"][0]), "lists a ticker twice"),
        (lambda t: t["events"].append(t["events"][0] | {"event_ticker": "E-2"}), "no market of the event E-2"),
    ],
)
def test_contradictions_are_named(tables: Tables, write: Write, change: Callable[[Tables], None], says: str) -> None:
    change(tables)
    with pytest.raises(WorldError, match=says):
        RecordedWorld(write(tables))


@pytest.mark.parametrize("folder", recorded_worlds(), ids=lambda folder: folder.name)
def test_everything_recorded_is_served(folder: Path) -> None:
    """Rows in, rows out: every market in one tier, every bar at its length, every trade in one tier."""
    world = RecordedWorld(folder)
    app = build_app(world)
    found: list[str] = []
    for path in ("/markets", "/historical/markets"):
        before = len(found)
        for series in world.info.universe:
            pages = walk(app, path, "markets", series_ticker=series, limit=1000)
            found += [market["ticker"] for page in pages for market in page]
        assert len(found) > before, "the cutoff leaves something in each tier"
    assert len(found) == len(set(found)) == world.info.counts["markets"]
    now = int(app.floor.now().timestamp())
    assert world.info.counts["candles"] == sum(
        len(app.floor.candles(market, minutes, 0, now))
        for minutes in world.info.candle_minutes
        for market in (world.market(ticker) for ticker in found)
        if market is not None
    )
    trades = [t["trade_id"] for path in ("/markets/trades", "/historical/trades") for t in _some_trades(app, path)]
    assert len(trades) == len(set(trades))
    assert bool(trades) == bool(world.info.counts["trades"])


def _some_trades(app: Any, path: str) -> list[dict[str, Any]]:
    first = ask(app, path, limit=1000)
    second = ask(app, path, limit=1000, cursor=first["cursor"]) if first["cursor"] else {"trades": []}
    return list(first["trades"] + second["trades"])
