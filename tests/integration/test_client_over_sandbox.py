"""The client over a real socket: it uses the permitted rate and is hardly ever refused, and does not wait for ever.

The exchange bills from a bucket of its own; sixteen threads share one client. The bucket holds what it takes to forgive
requests that the machine delayed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.endpoints import default_pace
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.retrying import RetryPolicy
from kalshi_pipeline.exchange.statistics import Statistics
from kalshi_pipeline.sandbox.app import API
from kalshi_pipeline.sandbox.server import SandboxServer, serve_in_thread
from kalshi_pipeline.settings import SourceKind

pytestmark = pytest.mark.integration

THREADS = 16
SetFaults = Callable[..., dict[str, int]]


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with SandboxServer("sandbox", seed=7) as server:
        yield server.root_url


@pytest.fixture
def faults(root: str) -> Iterator[SetFaults]:
    """Sets what goes wrong and tells what the faults before did; nothing goes wrong when the test is over."""

    def set_faults(**faults: Any) -> dict[str, int]:
        done: dict[str, int] = httpx.post(f"{root}/sandbox/faults", json=faults).raise_for_status().json()
        return done

    yield set_faults
    set_faults()


def ask_for(client: KalshiClient, seconds: float) -> tuple[Statistics, float]:
    """Ask from all threads until so many seconds are over; what was done, and how long it really took."""
    client.status()  # the connection is made before the time is taken
    before, began = client.statistics, time.monotonic()

    def work(_: int) -> None:
        while time.monotonic() - began < seconds:
            client.status()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    return client.statistics - before, time.monotonic() - began


def permitted(rate: float) -> dict[str, float]:
    return {"requests_per_second": rate, "burst": max(2.0, 0.3 * rate)}


def assert_rate_is_used_and_kept(done: Statistics, seconds: float, rate: float) -> None:
    assert done.requests >= 0.95 * rate * seconds, (
        f"{done.requests / seconds:.2f} of {rate} requests a second were used"
    )
    assert done.requests <= rate * seconds + 1 + 0.3 * rate
    assert done.throttled <= 0.01 * done.requests, f"{done.throttled} of {done.requests} requests were refused"


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        pytest.param(20, 4),
        pytest.param(5, 30, marks=pytest.mark.slow),
        pytest.param(20, 30, marks=pytest.mark.slow),
        pytest.param(100, 30, marks=pytest.mark.slow),
    ],
)
def test_the_permitted_rate_is_used_and_hardly_anything_refused(
    root: str, faults: SetFaults, rate: float, seconds: float
) -> None:
    faults(**permitted(rate))
    with KalshiClient(root + API, pace=Pace(rate), concurrency=THREADS) as client:
        done, took = ask_for(client, seconds)
    assert_rate_is_used_and_kept(done, took, rate)
    assert faults()["throttled"] == done.throttled


def test_a_client_that_is_set_too_fast_settles_at_what_is_permitted(root: str, faults: SetFaults) -> None:
    """Refusals halve its rate until the exchange is content; every request succeeds in the end."""
    faults(**permitted(40))
    pace = Pace(160)
    with KalshiClient(root + API, pace=pace, concurrency=THREADS) as client:
        done, _ = ask_for(client, 3)
    assert done.throttled > 0
    assert pace.requests_per_second <= 44
    assert faults() == {"served": done.requests - done.throttled + 1, "throttled": done.throttled, "broken": 0}


def test_without_a_key_five_requests_a_second_leave_and_with_one_twenty() -> None:
    assert default_pace(SourceKind.LIVE).requests_per_second == 5
    assert default_pace(SourceKind.LIVE, signed=True).requests_per_second == 20


def test_dear_endpoints_are_paced_at_their_price(root: str, faults: SetFaults) -> None:
    """At five times the price a fifth as many requests leave; a client that did not ask the price would be refused."""
    faults(costs={"/exchange/status": 50}, **permitted(50))
    with KalshiClient(root + API, pace=Pace(50), concurrency=THREADS) as client:
        client.learn_costs()
        done, took = ask_for(client, 2)
    assert done.throttled == 0
    assert 0.6 * 10 * took <= done.requests <= 10 * took + 4


def test_an_answer_that_does_not_come_is_given_up_and_asked_for_again(root: str, faults: SetFaults) -> None:
    faults(stalled=0.5, stall_seconds=30, seed=2)
    policy = RetryPolicy(attempts=30, first_wait=0.01, longest_wait=0.01)
    with KalshiClient(root + API, pace=Pace(500), timeout=0.3, policy=policy) as client:
        for _ in range(5):
            assert client.status().document["exchange_active"] is True
        assert client.statistics.retries > 0


def test_no_more_connections_are_opened_than_threads_ask() -> None:
    """Forty requests at once through a client for three threads keep to three connections."""
    ports = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ports.add(scope["client"][1])
        await asyncio.sleep(0.005)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"exchange_active": true}'})

    with (
        serve_in_thread(app) as address,
        KalshiClient(address + API, pace=Pace(5_000), concurrency=3) as client,
        ThreadPoolExecutor(10) as pool,
    ):
        list(pool.map(lambda _: client.status(), range(40)))
    assert 1 <= len(ports) <= 3
