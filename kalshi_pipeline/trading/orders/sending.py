"""The one place that sends orders and cancels: one request each, never repeated, its outcome told in three words.

Only ``executor`` sends with this module. A request whose fate is not certain is ``unknown``, whatever the exchange may
have done with it: it is looked up later, never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import httpx

from kalshi_pipeline.exchange import wire
from kalshi_pipeline.exchange.errors import ContractError, parse_error_body
from kalshi_pipeline.trading.orders.intents import OrderIntent

ORDERS = "/portfolio/events/orders"

#: The request never left: no connection was made for it.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
#: Refusals that leave open whether the order exists: a timeout, and a conflict with one that has the same identifier.
_OPEN_REFUSALS = frozenset({408, 409})


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Attributes:
        kind: accepted by the exchange, rejected (it certainly did nothing), or unknown.
        said: what the exchange, or the connection, said.
        order_id: the exchange's identifier, where it gave one.
        filled, remaining: contracts executed and still open, where it said so.
    """

    kind: Literal["accepted", "rejected", "unknown"]
    said: str
    order_id: str | None = None
    filled: Decimal | None = None
    remaining: Decimal | None = None

    def facts(self) -> dict[str, Any]:
        """What the journal keeps of it."""
        return {"said": self.said, "order_id": self.order_id, "filled": self.filled, "remaining": self.remaining}


class OrderSender:
    """Sends orders and cancels to one exchange.

    Args:
        base_url: root of the API.
        auth: signs the requests.
        timeout: seconds to wait for an answer.
        http: an httpx transport to use in place of a real socket.
    """

    def __init__(
        self, base_url: str, auth: httpx.Auth, *, timeout: float = 10.0, http: httpx.BaseTransport | None = None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = httpx.Client(
            auth=auth,
            headers={"Accept": "application/json", "User-Agent": "kalshi-pipeline"},
            timeout=timeout,
            follow_redirects=False,
            transport=http,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def place(self, intent: OrderIntent, client_order_id: str) -> Answer:
        """Send one order, once."""
        body = intent.body(client_order_id)
        return _told(
            lambda: self._http.post(self._base_url + ORDERS, json=body),
            lambda document: _placed(document, client_order_id, intent.count),
        )

    def cancel(self, order_id: str, ticker: str) -> Answer:
        """Send one cancel, once. The ticker routes it to the market's shard."""
        url = f"{self._base_url}{ORDERS}/{order_id}"
        return _told(
            lambda: self._http.delete(url, params={"market_ticker": ticker}),
            lambda document: _cancelled(document, order_id),
        )


def _told(send: Callable[[], httpx.Response], read: Callable[[Mapping[str, Any]], Answer]) -> Answer:
    try:
        response = send()
    except _NEVER_LEFT as error:
        return Answer("rejected", f"never sent: {type(error).__name__}: {error}")
    except Exception as error:  # Whatever else went wrong may have gone wrong after the exchange had read it.
        return Answer("unknown", f"{type(error).__name__}: {error}")
    if not response.is_success:
        body = parse_error_body(response.content)
        said = f"{response.status_code}: {': '.join(part for part in (body.code, body.message, body.details) if part)}"
        refused = 400 <= response.status_code < 500 and response.status_code not in _OPEN_REFUSALS
        return Answer("rejected" if refused else "unknown", said)
    try:
        document = response.json()
        if not isinstance(document, dict):
            raise ContractError(f"the answer is {type(document).__name__}, not an object")
        return read(document)
    except (ValueError, ContractError) as error:
        return Answer("unknown", f"{response.status_code} with an answer that cannot be read: {error}")


def _placed(document: Mapping[str, Any], client_order_id: str, count: Decimal) -> Answer:
    order_id = wire.required(document, "order_id")
    filled, remaining = wire.contracts(document, "fill_count"), wire.contracts(document, "remaining_count")
    ours = wire.text(document, "client_order_id") in (None, client_order_id)
    if not ours or filled is None or remaining is None or min(filled, remaining) < 0 or filled + remaining > count:
        raise ContractError(f"the answer does not fit the order: {dict(document)}")
    return Answer("accepted", "placed", order_id, filled, remaining)


def _cancelled(document: Mapping[str, Any], order_id: str) -> Answer:
    reduced = wire.contracts(document, "reduced_by")
    if wire.required(document, "order_id") != order_id or reduced is None or reduced < 0:
        raise ContractError(f"the answer does not fit the cancel: {dict(document)}")
    return Answer("accepted", f"cancelled {reduced} contracts", order_id, remaining=Decimal(0))
