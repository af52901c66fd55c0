"""Every body the sandbox serves is one the published schemas of the exchange allow, in every world."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from kalshi_pipeline.sandbox.app import API, build_app
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.recorded import RecordedWorld
from kalshi_pipeline.sandbox.simulated import SimulatedWorld

pytestmark = pytest.mark.integration

WORLDS = ("simulated", "btc_hourly_2026_07", "econ_2026_07", "payrolls_to_2024_07", "weather_2024")
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
Get = Callable[..., Any]


@pytest.fixture(scope="module")
def schemas(shared_dir: Path) -> dict[str, Any]:
    path = shared_dir / "kalshi_schemas.json"
    if not path.exists():
        pytest.skip("the exchange's published schemas are not beside the checkout")
    return dict(json.loads(path.read_text()))


@pytest.fixture(scope="module", params=WORLDS)
def get(request: pytest.FixtureRequest, shared_dir: Path, schemas: dict[str, Any]) -> Iterator[Get]:
    """A function that asks one world for a path and holds the body against the schema of its name."""
    if request.param == "simulated":
        app = build_app(SimulatedWorld(7), now=NOW)
    else:
        app = build_app(RecordedWorld(shared_dir / "recorded" / request.param))
    checkers = {
        name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schemas["$defs"]})
        for name in schemas["$defs"]
    }

    async def fetch(path: str, query: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://sandbox{API}") as client:
            return await client.get(path, params=query)

    def ask(path: str, schema: str, query: Any = None) -> Any:
        answer = asyncio.run(fetch(path, query))
        assert answer.status_code == 200, f"{path} {query}: {answer.text[:200]}"
        body = answer.json()
        fault = jsonschema.exceptions.best_match(checkers[schema].iter_errors(body))
        assert fault is None, f"{path}: {fault.message} at {list(fault.absolute_path)}"
        return body

    ask.app = app  # type: ignore[attr-defined]
    yield ask


def test_series_and_exchange_bodies(get: Get) -> None:
    listed = get("/series", "GetSeriesListResponse")["series"]
    assert listed
    get(f"/series/{listed[0]['ticker']}", "GetSeriesResponse")
    get("/series/fee_changes", "GetSeriesFeeChangesResponse", {"show_historical": "true"})
    get("/events/fee_changes", "GetEventFeeChangesResponse")
    get("/exchange/status", "ExchangeStatus")
    get("/exchange/schedule", "GetExchangeScheduleResponse")
    get("/historical/cutoff", "GetHistoricalCutoffResponse")
    get("/account/endpoint_costs", "GetAccountEndpointCostsResponse")


def test_event_bodies(get: Get) -> None:
    flat = get("/events", "GetEventsResponse", {"limit": 4})["events"]
    nested = get("/events", "GetEventsResponse", {"limit": 4, "with_nested_markets": "true"})["events"]
    assert [event["event_ticker"] for event in flat] == [event["event_ticker"] for event in nested]
    assert any(event.get("markets") for event in nested)
    ticker = flat[0]["event_ticker"]
    get(f"/events/{ticker}", "GetEventResponse")
    get(f"/events/{ticker}", "GetEventResponse", {"with_nested_markets": "true"})
    get(f"/events/{ticker}/metadata", "GetEventMetadataResponse")


def test_market_and_book_bodies_in_both_tiers(get: Get) -> None:
    series = get("/series", "GetSeriesListResponse")["series"][0]["ticker"]
    live = get("/markets", "GetMarketsResponse", {"series_ticker": series, "limit": 120})["markets"]
    archived = get("/historical/markets", "GetMarketsResponse", {"series_ticker": series, "limit": 120})["markets"]
    assert live and archived
    get(f"/markets/{live[0]['ticker']}", "GetMarketResponse")
    get(f"/historical/markets/{archived[0]['ticker']}", "GetMarketResponse")
    get(f"/markets/{live[0]['ticker']}/orderbook", "GetMarketOrderbookResponse", {"depth": 3})
    tickers = [("tickers", market["ticker"]) for market in live[:100]]
    assert len(get("/markets/orderbooks", "GetMarketOrderbooksResponse", tickers)["orderbooks"]) == len(tickers)


def test_market_bodies_while_the_exchange_changes_its_mind(get: Get) -> None:
    app = get.app  # type: ignore[attr-defined]
    app.faults.set(Faults(restruck=0.5, retitled=0.5, amended=1.0, combos=40, duplicated=0.2))
    try:
        assert get("/markets", "GetMarketsResponse", {"limit": 200})["markets"]
        assert get("/markets", "GetMarketsResponse", {"limit": 30, "mve_filter": "only"})["cursor"]
        get("/account/endpoint_costs", "GetAccountEndpointCostsResponse")
    finally:
        app.faults.set(Faults())


def test_trade_bodies_in_both_tiers(get: Get) -> None:
    get("/markets/trades", "GetTradesResponse", {"limit": 200})
    get("/historical/trades", "GetTradesResponse", {"limit": 200})


def test_candle_bodies_in_both_dialects(get: Get) -> None:
    info = get.app.floor.world.info  # type: ignore[attr-defined]
    period = min(info.candle_minutes)
    most = 4_000 * 60 * period
    series = get("/series", "GetSeriesListResponse")["series"][0]["ticker"]
    seen = 0
    for tier, path in (("live", "/markets"), ("historical", "/historical/markets")):
        markets = get(path, "GetMarketsResponse", {"series_ticker": series, "limit": 8})["markets"]
        for market in markets:
            close = int(datetime.fromisoformat(market["close_time"]).timestamp())
            window = {"start_ts": close - most, "end_ts": close + 3600, "period_interval": period}
            ticker = market["ticker"]
            if tier == "live":
                schema, place = "GetMarketCandlesticksResponse", f"/series/{series}/markets/{ticker}/candlesticks"
                window["include_latest_before_start"] = "true"
            else:
                schema, place = "GetMarketCandlesticksHistoricalResponse", f"{path}/{ticker}/candlesticks"
            seen += len(get(place, schema, window)["candlesticks"])
        if tier == "live":
            batch = window | {"market_tickers": ",".join(market["ticker"] for market in markets[:2])}
            get("/markets/candlesticks", "BatchGetMarketCandlesticksResponse", batch)
            event = markets[0]["event_ticker"]
            get(f"/series/{series}/events/{event}/candlesticks", "GetEventCandlesticksResponse", window)
    # The settled markets of the polled economic world were never quoted; every other world has bars to show.
    assert seen or info.name == "econ_2026_07"
