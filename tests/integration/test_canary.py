"""The canary finds nothing on an exchange that keeps its contract, and names what one has broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from kalshi_pipeline.defs.canary import canary_job
from kalshi_pipeline.defs.resources import exchange_resource
from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.probes import probe
from kalshi_pipeline.sandbox.app import API
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.settings import Settings, Source, SourceKind

pytestmark = pytest.mark.integration

#: A few weeks of daily highs lie in either tier.
NOW = datetime(2025, 11, 25, 18, tzinfo=UTC)
Spoil = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SandboxServer("sandbox", seed=7, now=NOW) as server:
        yield server.root_url + API


class Spoiled(httpx.HTTPTransport):
    """The exchange with answers changed on the way."""

    def __init__(self, spoil: Spoil) -> None:
        super().__init__()
        self.spoil = spoil

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        body = json.loads(answer.read())
        return httpx.Response(answer.status_code, json=self.spoil(request.url.path.removeprefix(API), body))


def faults(url: str, spoil: Spoil = lambda _, body: body) -> dict[str, str]:
    """The faults that the probes find, by name."""
    with KalshiClient(url, pace=Pace(1_000), clock=lambda: NOW, http=Spoiled(spoil)) as client:
        findings = probe(client, "KXHIGHCHI")
    assert len({finding.name for finding in findings}) == len(findings) >= 12
    return {finding.name: finding.fault for finding in findings if finding.fault}


def test_an_exchange_that_keeps_its_contract_has_no_faults(url: str) -> None:
    assert faults(url) == {}


def within(wanted: str, change: Callable[[Any], Any]) -> Spoil:
    return lambda path, body: change(body) if path == wanted else body


def each(key: str, **values: Any) -> Callable[[Any], Any]:
    return lambda body: {**body, key: [{**row, **values} for row in body.get(key, [])]}


@pytest.mark.parametrize(
    ("spoil", "named", "said"),
    [
        (within("/markets", each("markets", status="resting")), "live markets", "unknown statuses: ['resting']"),
        (within("/markets", each("markets", no_bid_dollars="0.9900")), "live markets", "bids 0.99"),
        (within("/historical/markets", each("markets", yes_bid_dollars={})), "archived markets", "a form it never had"),
        (within("/historical/markets", each("markets", volume_fp="0.00")), "archived candles", "has ever traded"),
        (within("/events", each("events", series_ticker="KXB")), "events", "says KXB"),
        (within("/historical/cutoff", lambda body: {**body, "trades_created_ts": None}), "cutoff", "lacks an instant"),
        (within("/markets/candlesticks", lambda body: {**body, "markets": []}), "live candles", "No bar came back"),
        (within("/exchange/status", lambda body: {}), "status and schedule", "without 'exchange_active'"),
        (within("/markets/trades", each("trades", no_price_dollars="0.0001")), "trades", "pay"),
        (within("/account/endpoint_costs", lambda body: {}), "endpoint costs", "without 'default_cost'"),
        (within("/series/KXHIGHCHI", lambda body: {"series": None}), "series", "has no 'ticker'"),
    ],
)
def test_what_the_exchange_breaks_is_named(url: str, spoil: Spoil, named: str, said: str) -> None:
    found = faults(url, spoil)
    assert said in found.get(named, f"{named} found nothing; there is {found}")


def test_a_crossed_book_is_a_fault(url: str) -> None:
    crossed = {"orderbook_fp": {"yes_dollars": [["0.6000", "1.00"]], "no_dollars": [["0.6000", "1.00"]]}}
    assert (
        "is crossed: 0.6000 bid"
        in faults(url, within("/markets/orderbooks", each("orderbooks", **crossed)))["order books"]
    )


def test_a_refusal_that_does_not_come_is_a_fault(url: str) -> None:
    class Lenient(Spoiled):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            return (
                answer if answer.status_code == 200 else httpx.Response(200, json={"candlesticks": [], "markets": []})
            )

    with KalshiClient(url, pace=Pace(1_000), clock=lambda: NOW, http=Lenient(lambda _, body: body)) as client:
        (refusals,) = (finding for finding in probe(client, "KXHIGHCHI") if finding.name == "refusals")
    assert "was answered where BadRequest was expected" in (refusals.fault or "")


def run_canary(settings: Settings, exchange: Any) -> dg.ExecuteInProcessResult:
    resources = {"settings": settings, "exchange": exchange}
    return canary_job.execute_in_process(resources=resources, raise_on_error=False)


def test_the_job_succeeds_over_the_embedded_exchange_and_says_what_it_asked(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, universe=("KXHIGHCHI",), sandbox_now=NOW)
    assert run_canary(settings, exchange_resource(settings)).success


def test_the_job_asks_no_remote_exchange_that_it_may_not_ask(tmp_path: Path) -> None:
    settings = replace(Settings(data_dir=tmp_path), source=Source(SourceKind.LIVE))
    result = run_canary(settings, dg.ResourceDefinition.hardcoded_resource(None))
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "KALSHI_RUN_LIVE_API=1" in failure.step_failure_data.error_display_string
