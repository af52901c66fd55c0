"""Faults on demand: an exchange that throttles, fails, cuts its answers short, repeats a cursor or is slow.

The middleware stands in front of the app and is off unless told otherwise; which requests are hit is drawn from a seed,
so a test meets the same faults every time. Not here: refusals of bad requests (``errors``).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOO_MANY = b'{"error":"too many requests"}'


@dataclass(frozen=True)
class Faults:
    """What goes wrong, and how often. Shares are of requests, between 0 and 1.

    Attributes:
        requests_per_second: pace above which the exchange answers 429; ``None`` is no limit.
        burst: requests the bucket holds when full.
        server_errors: share answered 500, 502, 503 or 504.
        truncated: share whose JSON stops halfway.
        repeated_cursor: whether every page with a cursor returns the cursor it was asked with.
        latency_seconds: pause before every answer.
        seed: of the draws.
    """

    requests_per_second: float | None = None
    burst: float = 10.0
    server_errors: float = 0.0
    truncated: float = 0.0
    repeated_cursor: bool = False
    latency_seconds: float = 0.0
    seed: int = 0

    @classmethod
    def read(cls, values: dict[str, Any]) -> Faults:
        """Faults from a JSON object.

        Raises:
            ValueError: it names a fault that does not exist.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        return replace(cls(), **values)


class TokenBucket:
    """A bucket of requests, refilled continuously on a monotonic clock."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._level, self._at = burst, clock()

    def take(self) -> bool:
        """Take one request out; ``False`` where there is none."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class FaultLine:
    """The middleware: applies the current faults to every request of the Trade API.

    Attributes:
        app: what stands behind it; set before the first request.
        served: requests let through to the app.
        throttled: requests answered 429.
        broken: requests answered with an error or a broken body.
    """

    app: ASGIApp

    def __init__(self, faults: Faults | None = None, prefix: str = "/trade-api") -> None:
        self._prefix = prefix
        self.set(faults or Faults())

    def set(self, faults: Faults) -> None:
        """Replace the faults; counters and draws begin again."""
        self._faults = faults
        self._draw = random.Random(faults.seed)
        rate = faults.requests_per_second
        self._bucket = TokenBucket(rate, faults.burst) if rate is not None else None
        self.served = self.throttled = self.broken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or spoil it."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self.app(scope, receive, send)
            return
        faults = self._faults
        if faults.latency_seconds:
            await asyncio.sleep(faults.latency_seconds)
        if self._bucket is not None and not self._bucket.take():
            self.throttled += 1
            await Response(TOO_MANY, 429, media_type="application/json")(scope, receive, send)
            return
        if self._draw.random() < faults.server_errors:
            self.broken += 1
            await Response(b"", self._draw.choice((500, 502, 503, 504)))(scope, receive, send)
            return
        self.served += 1
        truncate = self._draw.random() < faults.truncated
        if not truncate and not faults.repeated_cursor:
            await self.app(scope, receive, send)
            return
        self.broken += 1
        await self.app(scope, receive, _spoiled(send, scope, truncate, faults.repeated_cursor))


def _spoiled(send: Send, scope: Scope, truncate: bool, repeat: bool) -> Send:
    """A ``send`` that alters the whole body before it leaves."""
    start: list[Message] = []
    body = bytearray()

    async def altered(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        out = bytes(body)
        if repeat:
            out = _with_cursor(out, scope)
        if truncate:
            out = out[: len(out) // 2]
        head = start[0]
        head["headers"] = [(k, v) for k, v in head["headers"] if k != b"content-length"]
        head["headers"].append((b"content-length", str(len(out)).encode()))
        await send(head)
        await send({"type": "http.response.body", "body": out})

    return altered


def _with_cursor(body: bytes, scope: Scope) -> bytes:
    pairs = dict(part.split("=", 1) for part in scope["query_string"].decode().split("&") if "=" in part)
    asked = pairs.get("cursor", "")
    answer = orjson.loads(body)
    if asked and isinstance(answer, dict) and "cursor" in answer:
        answer["cursor"] = asked
    return orjson.dumps(answer)
