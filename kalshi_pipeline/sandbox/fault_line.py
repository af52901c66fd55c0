"""The middleware in front of the exchange that lets the current faults loose on every request of the Trade API.

Which requests are hit is drawn from the seed, so a test meets the same faults every time. Not here: what can go wrong
(``faults``), how a body is spoiled (``spoiling``), refusals of bad requests (``errors``).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kalshi_pipeline.sandbox.faults import DEFAULT_COST, Faults
from kalshi_pipeline.sandbox.spoiling import Spoiling

TOO_MANY = b'{"error":"too many requests"}'
EXPIRED = orjson.dumps({"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}})

#: How far the time of a signed request may be behind and ahead of the exchange, in seconds.
_BEHIND, _AHEAD = 20.0, 60.0


class TokenBucket:
    """A bucket of requests of default cost, refilled continuously on a monotonic clock."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._level, self._at = burst, clock()

    def take(self, requests: float = 1.0) -> bool:
        """Take so many requests out; ``False`` where they are not there."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < min(requests, self._burst):
            return False
        self._level -= requests
        return True


class FaultLine:
    """The middleware: applies the current faults to every request of the Trade API.

    Attributes:
        app: what stands behind it; set before the first request.
        faults: what goes wrong at present.
        served: requests let through to the app.
        throttled: requests answered 429.
        broken: requests answered with an error, too late, or with a body that was altered.
    """

    app: ASGIApp

    def __init__(self, faults: Faults | None = None, prefix: str = "/trade-api/v2") -> None:
        self._prefix = prefix
        self.set(faults or Faults())

    def set(self, faults: Faults) -> None:
        """Replace the faults; counters and draws begin again."""
        self.faults = faults
        self._draw = random.Random(faults.seed)
        rate = faults.requests_per_second
        self._bucket = TokenBucket(rate, faults.burst) if rate is not None else None
        self.served = self.throttled = self.broken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or spoil it."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self.app(scope, receive, send)
            return
        faults = self.faults
        if faults.latency_seconds:
            await asyncio.sleep(faults.latency_seconds)
        if (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
            return
        if self._draw.random() < faults.stalled:
            self.broken += 1
            await asyncio.sleep(faults.stall_seconds)
        self.served += 1
        spoiling = Spoiling.drawn(faults, self._draw)
        self.broken += spoiling is not None
        await self.app(scope, receive, spoiling.of(send, scope) if spoiling else send)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that does not reach the app."""
        cost = self.faults.cost(scope["path"].removeprefix(self._prefix)) / DEFAULT_COST
        if self._bucket is not None and not self._bucket.take(cost):
            self.throttled += 1
            return Response(TOO_MANY, 429, media_type="application/json")
        if self._draw.random() < self.faults.server_errors:
            self.broken += 1
            return Response(b"", self._draw.choice((500, 502, 503, 504)))
        if self._is_expired(scope):
            return Response(EXPIRED, 401, media_type="application/json")
        return None

    def _is_expired(self, scope: Scope) -> bool:
        """Whether a signed request says a time that is too far from the exchange's own; nothing else is verified."""
        said = dict(scope["headers"]).get(b"kalshi-access-timestamp", b"")
        if not said.isdigit():
            return False
        ahead = int(said) / 1000 - (time.time() + self.faults.clock_skew_seconds)
        return not -_BEHIND <= ahead <= _AHEAD
