"""When a failed request is sent again, and when a run stops asking.

Exponential backoff with full jitter under a total deadline, a Retry-After honoured and capped, and one circuit
breaker per client. Not here: which errors are worth a retry (``errors``), the pace (``pacing``).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from kalshi_pipeline.exchange.errors import CircuitOpen, KalshiError, RateLimited

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How patient a client is. Times are seconds.

    Attributes:
        attempts: how often a request is sent at most.
        first_wait: upper end of the first wait; it doubles with every attempt.
        longest_wait: upper end of any wait.
        deadline: no attempt starts later than this after the first.
        longest_retry_after: a Retry-After above this is cut to it.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    deadline: float = 120.0
    longest_retry_after: float = 60.0

    def wait(self, attempt: int, error: KalshiError, jitter: float) -> float:
        """Seconds to wait after failed attempt number ``attempt`` (from 1); ``jitter`` is uniform on [0, 1]."""
        backoff: float = jitter * min(self.first_wait * 2.0 ** (attempt - 1), self.longest_wait)
        return max(backoff, self.pause(error))

    def pause(self, error: KalshiError) -> float:
        """Seconds the exchange asked to wait, cut to the longest that is honoured; 0 where it did not ask."""
        return min(error.retry_after or 0.0, self.longest_retry_after)


class Breaker:
    """Opens after so many failures in a row, over all threads, and stays open: the run fails fast and says so.

    A refusal for pace, a 404 and the like are answers, not failures: the exchange is there. The threshold is that of
    ten requests given up in a row, so that one unit that can never be fetched does not stop the others.
    """

    def __init__(self, threshold: int = 60) -> None:
        self._threshold = threshold
        self._lock = threading.Lock()
        self._failures = 0
        self._last = ""

    @property
    def is_open(self) -> bool:
        """Whether the run has stopped asking."""
        return self._failures >= self._threshold

    def check(self) -> None:
        """Let a request pass.

        Raises:
            CircuitOpen: the breaker is open.
        """
        if self.is_open:
            raise CircuitOpen(
                f"The exchange failed {self._threshold} times in a row (last: {self._last}), so this run asks no more. "
                "What has landed is kept: run again when the exchange answers."
            )

    def answered(self) -> None:
        """An answer arrived: the row of failures ends, unless the breaker is already open."""
        with self._lock:
            if not self.is_open:
                self._failures = 0

    def failed(self, error: KalshiError) -> None:
        """An attempt gave no answer."""
        with self._lock:
            self._failures += 1
            self._last = str(error)


class Retrier:
    """Sends a request until it is answered, the policy's patience ends or the breaker opens."""

    def __init__(
        self,
        policy: RetryPolicy,
        breaker: Breaker,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy
        self._breaker = breaker
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter

    def call(self, attempt: Callable[[], T], on_retry: Callable[[KalshiError], None]) -> T:
        """Run ``attempt``, again where its error is retryable; ``on_retry`` hears every error that is retried.

        Raises:
            KalshiError: the last error, with the number of attempts on it.
            CircuitOpen: the exchange has failed too often in a row.
        """
        started = self._clock()
        number = 0
        while True:
            self._breaker.check()
            number += 1
            try:
                answer = attempt()
            except KalshiError as error:
                error.attempts = number
                if not error.retryable or isinstance(error, RateLimited):
                    self._breaker.answered()
                else:
                    self._breaker.failed(error)
                wait = self._policy.wait(number, error, self._jitter())
                too_late = self._clock() - started + wait > self._policy.deadline
                if not error.retryable or number >= self._policy.attempts or too_late:
                    raise
                on_retry(error)
                self._sleep(wait)
            else:
                self._breaker.answered()
                return answer


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, which is seconds or an HTTP date; ``None`` where it is absent or neither."""
    if not header:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max((until - now).total_seconds(), 0.0)
