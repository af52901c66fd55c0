"""One GET: paced, sent, measured, retried, and its answer checked to be a JSON object.

Shared by all threads of a run. Not here: which paths exist (``client``).
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from kalshi_pipeline.exchange.errors import KalshiError, MalformedBody, RateLimited, ServerError, error_of
from kalshi_pipeline.exchange.pacing import DEFAULT_COST, Pace
from kalshi_pipeline.exchange.request_log import Attempt
from kalshi_pipeline.exchange.retrying import Breaker, Retrier, RetryPolicy, retry_after_seconds
from kalshi_pipeline.exchange.statistics import Meter

log = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

#: A query: values that are ``None`` are left out, sequences repeat their key.
Query = Mapping[str, str | int | None]


@dataclass(frozen=True)
class Response:
    """A successful answer, as it came.

    Attributes:
        request_id: identifier the request was sent with.
        url: full address; it never holds a secret, because keys and signatures travel in headers.
        status: HTTP status.
        received_at: when the last byte had arrived.
        body: the body's bytes.
        document: the body, decoded.
        quote_kind: what bid and ask mean in it: closes of real quotes unless the exchange says otherwise.
    """

    request_id: str
    url: str
    status: int
    received_at: datetime
    body: bytes
    document: Mapping[str, Any]
    quote_kind: str = "candle_close"

    @property
    def cursor(self) -> str | None:
        """Where the next page of the list begins; empty or ``None`` on the last page."""
        return self.document.get("cursor")


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


class Transport:
    """Sends GET requests to one exchange.

    Args:
        base_url: root of the API, ``/trade-api/v2`` included.
        pace: how fast requests may leave.
        concurrency: threads that will ask at once; sizes the connection pool.
        auth: signs requests, where the caller has a key.
        policy: how patient failed requests are retried.
        breaker: when the run stops asking.
        clock: what the exchange takes for now; stamps the answers.
        http: a transport to use in place of a real socket.
        sleep: waits between attempts, for so many seconds.
        timeout: seconds without a byte after which an attempt is given up.
        journal: hears of every attempt.
    """

    def __init__(
        self,
        base_url: str,
        pace: Pace,
        *,
        concurrency: int,
        auth: httpx.Auth | None = None,
        policy: RetryPolicy | None = None,
        breaker: Breaker | None = None,
        clock: Callable[[], datetime] = utc_now,
        http: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 30.0,
        journal: Callable[[Attempt], None] | None = None,
    ) -> None:
        # httpx logs addresses as they leave, with whatever a signer has put into them; we log them as they were asked.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._journal = journal
        self._pace = pace
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._retrier = Retrier(self._policy, breaker or Breaker(), sleep=sleep)
        self._session = uuid.uuid4().hex[:12]
        self._serial = 0
        self._serial_lock = threading.Lock()
        self.meter = Meter()
        self._base_url = base_url.rstrip("/")
        host = httpx.URL(base_url).host
        self._http = httpx.Client(
            auth=auth,
            headers={"Accept": "application/json", "Accept-Language": "en", "User-Agent": "kalshi-pipeline"},
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=60.0),
            transport=http,
            # Proxies and certificates of the machine are for remote exchanges; an embedded one is next door.
            trust_env=host not in _LOOPBACK,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, query: Query | None = None, *, cost: int = DEFAULT_COST) -> Response:
        """Ask for ``path`` (below the base address), as often as the retry policy allows.

        Raises:
            KalshiError: what went wrong, one of its kinds.
        """
        params = {name: value for name, value in (query or {}).items() if value is not None}
        url = str(httpx.URL(self._base_url + path, params=params) if params else self._base_url + path)
        return self._retrier.call(lambda: self._attempt(url, cost), self._note_retry)

    def _note_retry(self, _: KalshiError) -> None:
        self.meter.retried()

    def _attempt(self, url: str, cost: int) -> Response:
        self._pace.acquire(cost)
        request_id = self._next_id()
        try:
            return self._send(request_id, url)
        except KalshiError as error:
            error.request_id = request_id
            # An answer that asking again cannot change is the caller's to judge: often it is only "not in this tier".
            level = logging.WARNING if error.retryable else logging.INFO
            log.log(level, "%s", error, extra={"request_id": request_id, "status": error.status})
            raise

    def _send(self, request_id: str, url: str) -> Response:
        """Send one attempt and note it.

        Raises:
            KalshiError: what went wrong with it.
        """
        at, started = utc_now(), time.perf_counter()
        answer: httpx.Response | None = None
        error: KalshiError | None = None
        try:
            answer = self._http.get(url, headers={"X-Request-Id": request_id})
            received_at = self._clock()
            response = self._read(request_id, url, answer, received_at)
        except httpx.TimeoutException as cause:
            error = ServerError(f"GET {url} was not answered in time ({type(cause).__name__})")
            raise error from cause
        except httpx.TransportError as cause:
            error = ServerError(f"GET {url} failed ({type(cause).__name__}: {cause})")
            raise error from cause
        except httpx.DecodingError as cause:
            error = MalformedBody(f"GET {url} answered with a body that cannot be unpacked ({cause})")
            raise error from cause
        except KalshiError as failure:
            error = failure
            raise
        finally:
            self._note(at, request_id, url, answer, time.perf_counter() - started, error)
        return response

    def _read(self, request_id: str, url: str, answer: httpx.Response, received_at: datetime) -> Response:
        """The answer as a response, if it is a usable one."""
        if not answer.is_success:
            wait = retry_after_seconds(answer.headers.get("retry-after"), utc_now())
            failure = error_of(answer.status_code, answer.content, url, wait)
            if isinstance(failure, RateLimited):
                self._pace.slow_down(self._policy.pause(failure))
            raise failure
        return Response(
            request_id=request_id,
            url=url,
            status=answer.status_code,
            received_at=received_at,
            body=answer.content,
            document=_object_in(answer.content, url),
            quote_kind=answer.headers.get("x-sandbox-quote-kind", "candle_close"),
        )

    def _note(
        self,
        at: datetime,
        request_id: str,
        url: str,
        answer: httpx.Response | None,
        seconds: float,
        error: KalshiError | None,
    ) -> None:
        status = answer.status_code if answer is not None else None
        size = len(answer.content) if answer is not None else 0
        self.meter.sent(seconds, size, throttled=status == 429)
        log.debug("request %s: GET %s %s, %.0f ms, %s bytes", request_id, url, status, seconds * 1000, size)
        if self._journal is not None:
            said = str(error.args[0]) if error is not None else None
            self._journal(Attempt(at, request_id, url, status, seconds, size, said))

    def _next_id(self) -> str:
        with self._serial_lock:
            self._serial += 1
            return f"{self._session}-{self._serial:06d}"


def _object_in(body: bytes, url: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise MalformedBody(f"GET {url} answered with {len(body)} bytes that are not JSON ({error})") from error
    if not isinstance(document, dict):
        raise MalformedBody(f"GET {url} answered with JSON that is not an object but {type(document).__name__}")
    return document
