"""Requests are billed by endpoint: by the most literal entry of the exchange's list, else at the default."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.costs import EndpointCosts
from kalshi_pipeline.exchange.errors import ContractError, ServerError
from kalshi_pipeline.exchange.pacing import DEFAULT_COST, Pace

pytestmark = pytest.mark.unit

ROOT = "/trade-api/v2"
LISTED = {
    "default_cost": 12,
    "endpoint_costs": [
        {"method": "GET", "path": f"{ROOT}/markets/{{ticker}}", "cost": 3},
        {"method": "GET", "path": "/markets/trades", "cost": 20},
        {"method": "get", "path": f"{ROOT}/markets/{{ticker}}/orderbook", "cost": 5},
        {"method": "POST", "path": "/events", "cost": 99},
    ],
}


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/markets/KXCPI-26JUN-T0.3", 3),
        ("/markets/trades", 20),
        ("/markets/trades?ticker=A", 20),
        ("/markets/A/orderbook", 5),
        ("/markets", 12),
        ("/events", 12),
        ("/markets/A/orderbook/more", 12),
    ],
)
def test_a_path_costs_what_the_most_literal_entry_says(path: str, cost: int) -> None:
    assert EndpointCosts.from_wire(LISTED, ROOT).of(path) == cost


def test_without_a_list_everything_costs_the_default() -> None:
    assert EndpointCosts().of("/markets") == DEFAULT_COST
    assert EndpointCosts.from_wire({"default_cost": 10, "endpoint_costs": None}, ROOT) == EndpointCosts()


@pytest.mark.parametrize("cost", [None, "10", -1, True, 1.5])
def test_a_cost_that_is_no_number_of_tokens_is_refused(cost: Any) -> None:
    with pytest.raises(ContractError, match="as the cost of an endpoint"):
        EndpointCosts.from_wire({"default_cost": cost}, ROOT)


class Counting(Pace):
    """A pace that never waits and notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.taken: list[float] = []

    def acquire(self, cost: float = DEFAULT_COST) -> None:
        self.taken.append(cost)


def client(pace: Pace, costs: httpx.Response) -> KalshiClient:
    def answer(request: httpx.Request) -> httpx.Response:
        return costs if request.url.path.endswith("endpoint_costs") else httpx.Response(200, json={"trades": []})

    return KalshiClient(f"https://exchange.test{ROOT}", pace=pace, http=httpx.MockTransport(answer), sleep=lambda _: 0)


def test_a_client_pays_what_the_exchange_charges_once_it_has_learned_it() -> None:
    pace = Counting()
    with client(pace, httpx.Response(200, json=LISTED)) as asking:
        list(asking.trades("A", 0, 1))
        asking.learn_costs()
        list(asking.trades("A", 0, 1))
    assert pace.taken == [10, 10, 20]


@pytest.mark.parametrize("refusal", [httpx.Response(404), httpx.Response(401), httpx.Response(200, json={"cost": 1})])
def test_an_exchange_that_does_not_say_charges_the_default(refusal: httpx.Response) -> None:
    pace = Counting()
    with client(pace, refusal) as asking:
        assert asking.learn_costs() == EndpointCosts()


def test_an_exchange_that_does_not_answer_is_an_error() -> None:
    with client(Counting(), httpx.Response(503)) as asking, pytest.raises(ServerError):
        asking.learn_costs()
