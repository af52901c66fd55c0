"""What can go wrong with a request, as one hierarchy, and the parser of the exchange's error bodies.

Every error says which address failed and whether asking again can help. Not here: how often and how long to ask again
(``retrying``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


class KalshiError(Exception):
    """A request did not give a usable answer.

    Attributes:
        status: HTTP status; ``None`` where no response arrived.
        code: the exchange's error code, where the body has one. Codes may embed identifiers: compare prefixes.
        details: the exchange's details, where the body has them.
        retryable: whether the same request may succeed later.
        retry_after: seconds the exchange asked to wait.
        attempts: how often the request was sent before this error was final.
        request_id: identifier that the last attempt was sent with; ``None`` where none was sent.
    """

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        details: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details
        self.retry_after = retry_after
        self.attempts = 1
        self.request_id: str | None = None

    def __str__(self) -> str:
        notes = [f"request {self.request_id}"] if self.request_id else []
        notes += [f"after {self.attempts} attempts"] if self.attempts > 1 else []
        return f"{self.args[0]} ({', '.join(notes)})" if notes else str(self.args[0])


class RateLimited(KalshiError):
    """The exchange answered 429: the pace is too fast for its budget."""

    retryable = True


class NotFound(KalshiError):
    """The exchange does not know what was asked for (404), in this tier at least."""


class AuthenticationFailed(KalshiError):
    """The exchange refused the caller (401 or 403)."""


class BadRequest(KalshiError):
    """The exchange refused the request itself (any other 4xx)."""


class ServerError(KalshiError):
    """The exchange failed (5xx), did not answer in time, or could not be reached."""

    retryable = True


class CircuitOpen(ServerError):
    """The exchange failed so often in a row that this run asks no more."""

    retryable = False


class ContractError(KalshiError):
    """An answer does not have the shape that the API promises."""


class IncompleteList(ContractError):
    """A list went on beyond any length it can have: what has been read of it is not all of it."""


class MalformedBody(ContractError):
    """A successful answer whose body is not a JSON object, as when a connection is cut: worth another attempt."""

    retryable = True


@dataclass(frozen=True)
class ErrorBody:
    """What an error body says, whichever of its shapes it has."""

    code: str | None = None
    message: str | None = None
    details: str | None = None


def parse_error_body(body: bytes) -> ErrorBody:
    """Read an error body in any of its shapes; anything else gives its first characters as the message.

    The shapes are ``{"error": {"code", "message", "details"}}``, ``{"code", "message", "details"}``,
    ``{"error": "text"}`` and ``{"msg": "text"}``.
    """
    try:
        said = json.loads(body)
    except ValueError:
        return ErrorBody(message=body[:200].decode("utf-8", "replace").strip() or None)
    if not isinstance(said, dict):
        return ErrorBody(message=str(said)[:200])
    inner = said.get("error", said)
    if not isinstance(inner, dict):
        return ErrorBody(message=str(inner))
    return ErrorBody(
        code=_text(inner.get("code")),
        message=_text(inner.get("message")) or _text(inner.get("msg")),
        details=_text(inner.get("details")),
    )


def error_of(status: int, body: bytes, url: str, retry_after: float | None = None) -> KalshiError:
    """The error that stands for a response of ``status`` (not 2xx) from ``url``."""
    said = parse_error_body(body)
    words = ": ".join(part for part in (said.code, said.message, said.details) if part)
    message = f"GET {url} answered {status}" + (f" ({words})" if words else "")
    return _kind(status)(message, status=status, code=said.code, details=said.details, retry_after=retry_after)


def _kind(status: int) -> type[KalshiError]:
    if status == 429:
        return RateLimited
    if status == 404:
        return NotFound
    if status in (401, 403):
        return AuthenticationFailed
    if 400 <= status < 500:
        return BadRequest
    if status in (500, 502, 503, 504):
        return ServerError
    return ContractError


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)
