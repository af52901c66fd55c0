"""Failed requests are sent again with patience that ends, and a dead exchange is not asked for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.exchange.errors import CircuitOpen, KalshiError, NotFound, RateLimited, ServerError
from kalshi_pipeline.exchange.retrying import Breaker, Retrier, RetryPolicy, retry_after_seconds

pytestmark = pytest.mark.unit


class Attempts:
    """Fails as told, then answers; time passes only in its sleeps."""

    def __init__(self, *errors: KalshiError) -> None:
        self.errors = list(errors)
        self.sent = 0
        self.now = 0.0
        self.waits: list[float] = []
        self.heard: list[KalshiError] = []

    def __call__(self) -> str:
        self.sent += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def through(self, policy: RetryPolicy | None = None, breaker: Breaker | None = None, jitter: float = 1.0) -> str:
        retrier = Retrier(
            policy or RetryPolicy(),
            breaker or Breaker(),
            clock=lambda: self.now,
            sleep=self.sleep,
            jitter=lambda: jitter,
        )
        return retrier.call(self, self.heard.append)


def test_waits_double_up_to_the_longest() -> None:
    attempts = Attempts(*[ServerError("down") for _ in range(5)])
    assert attempts.through(RetryPolicy(attempts=6, first_wait=0.5, longest_wait=3)) == "answer"
    assert attempts.waits == [0.5, 1, 2, 3, 3]
    assert len(attempts.heard) == 5


@given(attempt=st.integers(1, 50), jitter=st.floats(0, 1))
def test_jitter_is_full_and_bounded(attempt: int, jitter: float) -> None:
    policy = RetryPolicy(first_wait=0.5, longest_wait=30)
    wait = policy.wait(attempt, ServerError("down"), jitter)
    assert 0 <= wait <= 30
    assert wait == jitter * min(0.5 * 2 ** (attempt - 1), 30)


def test_a_final_error_is_not_sent_again() -> None:
    attempts = Attempts(NotFound("no such market"))
    with pytest.raises(NotFound):
        attempts.through()
    assert attempts.sent == 1


def test_the_last_error_says_how_often_was_tried() -> None:
    attempts = Attempts(*[ServerError("down") for _ in range(9)])
    with pytest.raises(ServerError, match=r"down \(after 4 attempts\)"):
        attempts.through(RetryPolicy(attempts=4))
    assert attempts.sent == 4


def test_no_attempt_starts_after_the_deadline() -> None:
    attempts = Attempts(*[ServerError("down") for _ in range(99)])
    with pytest.raises(ServerError):
        attempts.through(RetryPolicy(attempts=99, first_wait=10, longest_wait=10, deadline=35))
    assert attempts.waits == [10, 10, 10]


def test_retry_after_is_honoured_and_capped() -> None:
    attempts = Attempts(RateLimited("slow", retry_after=7), RateLimited("slower", retry_after=9_999))
    attempts.through(RetryPolicy(longest_retry_after=60), jitter=0.0)
    assert attempts.waits == [7, 60]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, datetime(2026, 11, 20, 12, tzinfo=UTC)) == seconds


def test_the_breaker_opens_after_failures_in_a_row_and_says_so() -> None:
    breaker = Breaker(threshold=5)
    for _ in range(2):
        with pytest.raises(ServerError):
            Attempts(*[ServerError("the line is cut") for _ in range(9)]).through(RetryPolicy(attempts=3), breaker)
    late = Attempts()
    with pytest.raises(CircuitOpen, match=r"failed 5 times in a row \(last: the line is cut.*run again when"):
        late.through(breaker=breaker)
    assert late.sent == 0


def test_an_answer_ends_the_row_of_failures() -> None:
    breaker = Breaker(threshold=3)
    for _ in range(4):
        Attempts(ServerError("down"), ServerError("down")).through(breaker=breaker)
    assert not breaker.is_open


def test_refusals_and_unknown_things_are_answers() -> None:
    breaker = Breaker(threshold=2)
    for _ in range(5):
        with pytest.raises(NotFound):
            Attempts(RateLimited("slow"), NotFound("no")).through(breaker=breaker)
    assert not breaker.is_open
