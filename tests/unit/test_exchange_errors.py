"""Every error body the exchange has is read, and every status has its kind of error."""

from __future__ import annotations

import pytest

from kalshi_pipeline.exchange.errors import (
    AuthenticationFailed,
    BadRequest,
    ContractError,
    ErrorBody,
    KalshiError,
    NotFound,
    RateLimited,
    ServerError,
    error_of,
    parse_error_body,
)

pytestmark = pytest.mark.unit

URL = "https://exchange/trade-api/v2/markets/X"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"error":{"code":"bad_request","message":"bad request","details":"invalid status filter"}}',
            ErrorBody("bad_request", "bad request", "invalid status filter"),
        ),
        (b'{"code":"invalid_content_type","message":"no"}', ErrorBody("invalid_content_type", "no", None)),
        (b'{"error":"too many requests"}', ErrorBody(None, "too many requests", None)),
        (b'{"msg":"margin is closed"}', ErrorBody(None, "margin is closed", None)),
        (b'{"error":{"code":"x","message":"m","service":"old"}}', ErrorBody("x", "m", None)),
        (b"<html>bad gateway</html>", ErrorBody(None, "<html>bad gateway</html>", None)),
        (b"", ErrorBody(None, None, None)),
        (b"[1]", ErrorBody(None, "[1]", None)),
        (b'{"exchange_active":false,"trading_active":false}', ErrorBody(None, None, None)),
    ],
)
def test_every_shape_of_error_body_is_read(body: bytes, said: ErrorBody) -> None:
    assert parse_error_body(body) == said


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, BadRequest, False),
        (401, AuthenticationFailed, False),
        (403, AuthenticationFailed, False),
        (404, NotFound, False),
        (422, BadRequest, False),
        (429, RateLimited, True),
        (500, ServerError, True),
        (502, ServerError, True),
        (503, ServerError, True),
        (504, ServerError, True),
        (501, ContractError, False),
        (302, ContractError, False),
    ],
)
def test_every_status_has_its_kind(status: int, kind: type[KalshiError], retryable: bool) -> None:
    error = error_of(status, b'{"error":{"code":"c","message":"m"}}', URL)
    assert type(error) is kind
    assert isinstance(error, KalshiError)
    assert (error.status, error.code, error.retryable) == (status, "c", retryable)


def test_the_sentence_names_address_status_and_what_the_exchange_said() -> None:
    error = error_of(404, b'{"error":{"code":"not_found","message":"market not found"}}', URL)
    assert str(error) == f"GET {URL} answered 404 (not_found: market not found)"
    error.attempts = 3
    assert str(error).endswith("(after 3 attempts)")
