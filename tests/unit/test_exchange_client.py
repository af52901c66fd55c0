"""The client asks politely, reads only, walks lists to their end and tells what it did."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.endpoints import base_url, default_pace
from kalshi_pipeline.exchange.errors import (
    CircuitOpen,
    ContractError,
    KalshiError,
    MalformedBody,
    NotFound,
    RateLimited,
    ServerError,
)
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.exchange.retrying import Breaker, RetryPolicy
from kalshi_pipeline.settings import SettingsError, SourceKind

pytestmark = pytest.mark.unit

ROOT = "https://exchange.test/trade-api/v2"


class Exchange:
    """Answers with what it was given, in order, and keeps the requests it got."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def client(self, **options: Any) -> KalshiClient:
        options.setdefault("pace", Pace(1_000_000))
        options.setdefault("policy", RetryPolicy(attempts=4))
        return KalshiClient(ROOT, http=httpx.MockTransport(self), sleep=lambda _: None, **options)


def page(cursor: str | None, *tickers: str) -> dict[str, Any]:
    return {"markets": [{"ticker": ticker} for ticker in tickers], "cursor": cursor}


def test_requests_are_get_in_english_with_an_identifier_each() -> None:
    exchange = Exchange({"series": {}}, {"series": {}})
    with exchange.client() as client:
        responses = [client.series("KXCPI"), client.series("KXU3")]
    assert [request.method for request in exchange.requests] == ["GET", "GET"]
    assert all(request.headers["Accept-Language"] == "en" for request in exchange.requests)
    sent = [request.headers["X-Request-Id"] for request in exchange.requests]
    assert sent == [response.request_id for response in responses]
    assert len(set(sent)) == 2
    assert responses[0].url == f"{ROOT}/series/KXCPI"


def test_the_client_has_no_way_to_write() -> None:
    written = [name for name in dir(KalshiClient) if name.startswith(("post", "put", "delete", "patch", "create"))]
    assert written == []


def test_market_lists_leave_combos_out() -> None:
    exchange = Exchange(page(""), page(""))
    with exchange.client() as client:
        list(client.markets("KXCPI", status="open"))
        list(client.historical_markets("KXCPI"))
    live, historical = (dict(request.url.params) for request in exchange.requests)
    assert live == {"series_ticker": "KXCPI", "status": "open", "mve_filter": "exclude", "limit": "1000"}
    assert historical == {"series_ticker": "KXCPI", "mve_filter": "exclude", "limit": "1000"}


@pytest.mark.parametrize("end", ["", None])
def test_a_list_ends_with_an_empty_cursor_and_not_with_a_short_or_empty_page(end: str | None) -> None:
    exchange = Exchange(page("a", "M1"), page("b"), page(end, "M2"))
    with exchange.client() as client:
        pages = list(client.markets("KXCPI"))
    assert [row["ticker"] for p in pages for row in p.document["markets"]] == ["M1", "M2"]
    assert [request.url.params.get("cursor") for request in exchange.requests] == [None, "a", "b"]


def test_a_list_without_a_cursor_key_is_one_page() -> None:
    exchange = Exchange({"markets": []})
    with exchange.client() as client:
        assert len(list(client.markets("KXCPI"))) == 1


def test_a_repeated_cursor_is_an_error_and_no_endless_walk() -> None:
    exchange = Exchange(page("a", "M1"), page("b", "M2"), page("a", "M1"))
    with exchange.client() as client, pytest.raises(ContractError, match="repeats the cursor 'a'"):
        list(client.markets("KXCPI"))


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503, json={"exchange_active": False, "trading_active": False}),
        httpx.ReadTimeout("late"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(200, content=b'{"series": {"ticker": "KX'),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, content=iter([b"no gzip"]), headers={"Content-Encoding": "gzip"}),
    ],
)
def test_trouble_on_the_way_is_retried(trouble: Any) -> None:
    exchange = Exchange(trouble, {"series": {}})
    with exchange.client() as client:
        client.series("KXCPI")
        done = client.statistics
    assert (done.requests, done.retries, done.throttled) == (2, 1, 0)


def test_every_attempt_takes_its_turn_at_the_pace() -> None:
    class Counting(Pace):
        taken = 0

        def acquire(self, cost: float = 10) -> None:
            self.taken += 1

    pace = Counting(5)
    exchange = Exchange(*[httpx.Response(500) for _ in range(3)], {"series": {}})
    with exchange.client(pace=pace) as client:
        client.series("KXCPI")
    assert pace.taken == 4


def test_a_refusal_slows_the_pace_and_is_counted() -> None:
    pace = Pace(100_000)
    exchange = Exchange(httpx.Response(429, json={"error": "too many requests"}), {"series": {}})
    with exchange.client(pace=pace) as client:
        client.series("KXCPI")
        done = client.statistics
    assert pace.requests_per_second == 50_000
    assert (done.requests, done.retries, done.throttled) == (2, 1, 1)


@pytest.mark.parametrize(
    ("answers", "kind", "sent"),
    [
        ([httpx.Response(404, json={"error": {"code": "not_found", "message": "no"}})], NotFound, 1),
        ([httpx.Response(429, json={"error": "too many requests"})] * 4, RateLimited, 4),
        ([httpx.Response(500)] * 4, ServerError, 4),
        ([httpx.Response(200, content=b"{")] * 4, MalformedBody, 4),
        ([{"other": 1}], ContractError, 1),
    ],
)
def test_what_cannot_be_mended_is_raised_as_its_kind(answers: list[Any], kind: type[Exception], sent: int) -> None:
    exchange = Exchange(*answers)
    with exchange.client() as client, pytest.raises(kind):
        client.series("KXNONE")
    assert len(exchange.requests) == sent


def test_what_a_signer_puts_into_the_address_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    class InQuery(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            request.url = request.url.copy_merge_params({"api_key": "open-sesame"})
            yield request

    caplog.set_level("DEBUG")
    exchange = Exchange({"series": {}}, httpx.Response(404))
    with exchange.client(auth=InQuery()) as client:
        client.series("KXCPI")
        with pytest.raises(NotFound) as refused:
            client.series("KXNONE")
    assert "api_key=open-sesame" in str(exchange.requests[0].url)
    assert "series/KXCPI" in caplog.text and "open-sesame" not in caplog.text + str(refused.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_exchange_is_asked_again_and_a_refusing_one_is_not(status: int) -> None:
    for refusal in (400, 401, 403, 404):
        exchange = Exchange(httpx.Response(status), httpx.Response(refusal))
        with exchange.client() as client, pytest.raises(KalshiError) as refused:
            client.series("KXCPI")
        assert (refused.value.status, refused.value.attempts, len(exchange.requests)) == (refusal, 2, 2)


def test_a_run_stops_asking_an_exchange_that_is_down_and_says_so() -> None:
    exchange = Exchange(*[httpx.ConnectError("refused")] * 99)
    with exchange.client(breaker=Breaker(threshold=10)) as client:
        for _ in range(3):
            with pytest.raises(ServerError):
                client.series("KXCPI")
        with pytest.raises(CircuitOpen, match=r"failed 10 times in a row .*run again when the exchange answers"):
            client.series("KXCPI")
    assert len(exchange.requests) == 10


def test_a_request_that_the_exchange_asked_to_wait_with_holds_the_others_back() -> None:
    waited: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    pace = Pace(1_000_000, clock=lambda: now[0], sleep=sleep)
    exchange = Exchange(httpx.Response(429, headers={"Retry-After": "900"}), {"series": {}})
    with exchange.client(pace=pace, policy=RetryPolicy(longest_retry_after=30, attempts=2)) as client:
        client.series("KXCPI")
    assert sum(waited) == pytest.approx(30)


def test_a_signer_signs_every_attempt_and_leaves_no_trace_in_the_address() -> None:
    class Signer(httpx.Auth):
        serial = 0

        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            self.serial += 1
            request.headers["KALSHI-ACCESS-SIGNATURE"] = f"signature-{self.serial}"
            yield request

    exchange = Exchange(httpx.Response(502), {"series": {}})
    with exchange.client(auth=Signer()) as client:
        response = client.series("KXCPI")
    assert [r.headers["KALSHI-ACCESS-SIGNATURE"] for r in exchange.requests] == ["signature-1", "signature-2"]
    assert "signature" not in repr(response)


def test_a_response_keeps_the_bytes_and_what_the_quotes_mean() -> None:
    body = b'{"series": {"title": "caf\xc3\xa9"}}'
    answers = (
        httpx.Response(200, content=body, headers={"x-sandbox-quote-kind": "trade_proxy"}),
        httpx.Response(200, content=body),
    )
    with Exchange(*answers).client() as client:
        proxy, quote = client.series("KXCPI"), client.series("KXCPI")
    assert proxy.body == body
    assert proxy.document == json.loads(body)
    assert (proxy.quote_kind, quote.quote_kind) == ("trade_proxy", "candle_close")


def test_candle_requests_name_markets_window_and_period() -> None:
    exchange = Exchange({"markets": []}, {"ticker": "A", "candlesticks": None})
    with exchange.client() as client:
        client.candles(["A", "B"], 60, 120, 1)
        client.historical_candles("A", 60, 120, 60)
    live, historical = (request.url for request in exchange.requests)
    assert live.path.endswith("/markets/candlesticks")
    window = {"start_ts": "60", "end_ts": "120"}
    assert dict(live.params) == {"market_tickers": "A,B", "period_interval": "1", **window}
    assert historical.path.endswith("/historical/markets/A/candlesticks")
    assert dict(historical.params) == {"period_interval": "60", **window}


def test_order_books_repeat_their_key() -> None:
    exchange = Exchange({"orderbooks": []})
    with exchange.client() as client:
        client.orderbooks(["A", "B"])
    assert exchange.requests[0].url.params.get_list("tickers") == ["A", "B"]


def test_latencies_and_bytes_are_measured() -> None:
    exchange = Exchange(*[{"series": {}}] * 20)
    with exchange.client() as client:
        before = client.statistics
        for _ in range(20):
            client.series("KXCPI")
        done = client.statistics - before
    p50, p95 = done.latency(0.5), done.latency(0.95)
    assert done.requests == 20
    assert done.bytes == 20 * len(httpx.Response(200, json={"series": {}}).content)
    assert p50 is not None and p95 is not None and 0 < p50 <= p95 < 5
    assert before.latency(0.5) is None


@pytest.mark.parametrize(
    ("kind", "options", "rate"),
    [
        (SourceKind.LIVE, {}, 5),
        (SourceKind.DEMO, {"signed": True}, 20),
        (SourceKind.LIVE, {"requests_per_second": 30}, 30),
        (SourceKind.SANDBOX, {}, 2_000),
        (SourceKind.RECORDED, {"requests_per_second": 7}, 7),
    ],
)
def test_every_source_has_its_pace(kind: SourceKind, options: dict[str, Any], rate: float) -> None:
    assert default_pace(kind, **options).requests_per_second == rate


def test_only_remote_exchanges_have_an_address() -> None:
    assert base_url(SourceKind.LIVE) == "https://external-api.kalshi.com/trade-api/v2"
    assert base_url(SourceKind.DEMO) == "https://external-api.demo.kalshi.co/trade-api/v2"
    with pytest.raises(SettingsError, match="no fixed address"):
        base_url(SourceKind.SANDBOX)


def test_the_endpoints_that_describe_the_exchange_are_read() -> None:
    cases: list[tuple[Callable[[KalshiClient], Any], dict[str, Any], str]] = [
        (lambda c: c.status(), {"exchange_active": True}, "/exchange/status"),
        (lambda c: c.schedule(), {"schedule": {}}, "/exchange/schedule"),
        (lambda c: c.cutoff(), {"market_settled_ts": "2026-01-01T00:00:00Z"}, "/historical/cutoff"),
        (lambda c: c.event("E"), {"event": {}}, "/events/E"),
        (lambda c: c.market("M", "historical"), {"market": {}}, "/historical/markets/M"),
    ]
    for ask, answer, path in cases:
        exchange = Exchange(answer)
        with exchange.client() as client:
            assert ask(client).document == answer
        assert exchange.requests[0].url.path == f"/trade-api/v2{path}"
