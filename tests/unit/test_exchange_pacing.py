"""The token bucket never lets more requests through than its rate, and gives way when the exchange refuses."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.exchange.pacing import DEFAULT_COST, Pace

pytestmark = pytest.mark.unit

#: Seconds that rounding may cost or gain over a test.
ROUNDING = 1e-5


class FakeClock:
    """A monotonic clock that moves only when somebody sleeps on it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def paced(rate: float, **options: float) -> tuple[Pace, FakeClock]:
    clock = FakeClock()
    return Pace(rate, clock=clock, sleep=clock.sleep, **options), clock


def in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


step = st.tuples(
    st.floats(0, 3, allow_nan=False),  # idle seconds before the request
    st.sampled_from([1, 5, DEFAULT_COST, 2 * DEFAULT_COST, 100]),
    st.sampled_from(["ok", "ok", "ok", "refused"]),
)


@given(rate=st.floats(0.5, 500), burst=st.floats(0, 4), steps=st.lists(step, min_size=2, max_size=60))
def test_over_any_window_no_more_tokens_leave_than_rate_and_burst_allow(
    rate: float, burst: float, steps: list[tuple[float, int, str]]
) -> None:
    pace, clock = paced(rate, burst_seconds=burst)
    sent: list[tuple[float, int]] = []
    for idle, cost, answer in steps:
        clock.now += idle
        pace.acquire(cost)
        sent.append((clock.now, cost))
        if answer == "refused":
            pace.slow_down()
    for first, (began, _) in enumerate(sent):
        tokens = 0
        for moment, cost in sent[first:]:
            tokens += cost
            # Only a request dearer than the whole bucket may leave on credit.
            burst_tokens = max(pace.burst * DEFAULT_COST, cost)
            assert tokens <= rate * DEFAULT_COST * (moment - began + ROUNDING) + burst_tokens


@given(rate=st.floats(0.5, 500), idle=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0, 60.0]), max_size=80))
def test_the_rate_is_never_above_the_set_rate_over_any_window(rate: float, idle: list[float]) -> None:
    """Between the first and the last of any requests in a row lies at least their number, less one, at the set rate."""
    pace, clock = paced(rate)
    sent = []
    for seconds in idle:
        clock.now += seconds
        pace.acquire()
        sent.append(clock.now)
    for first, began in enumerate(sent):
        for after, ended in enumerate(sent[first:]):
            assert ended - began >= after / rate - ROUNDING


@given(rate=st.floats(0.5, 500), count=st.integers(50, 300))
def test_a_client_that_always_has_work_uses_the_whole_rate(rate: float, count: int) -> None:
    pace, clock = paced(rate)
    started = clock.now
    for _ in range(count):
        pace.acquire()
    at_rate = (count - 1) / rate
    assert at_rate * (1 - 1e-9) <= clock.now - started <= at_rate * 1.01 + 0.001


@pytest.mark.parametrize("rate", [2, 20, 200])
def test_sleeps_that_end_late_cost_a_queue_nothing_of_its_rate(rate: float) -> None:
    clock = FakeClock()
    drawn = random.Random(1)

    def sleep(seconds: float) -> None:
        time.sleep(0.001)  # the others come to queue meanwhile
        clock.sleep(seconds + drawn.uniform(0, 0.08))

    pace = Pace(rate, clock=clock, sleep=sleep)
    started = clock.now
    requests = iter(range(120))

    def work() -> None:
        for _ in requests:
            pace.acquire()

    in_threads(4, work)
    at_rate = 119 / rate
    assert at_rate - 1e-9 <= clock.now - started <= at_rate * 1.02 + 0.5


def test_threads_leave_in_the_order_of_their_arrival() -> None:
    arrived: list[int] = []
    served: list[int] = []
    everybody = threading.Event()
    clock = FakeClock()

    def sleep(seconds: float) -> None:
        everybody.wait()  # the first in the queue sleeps until all have come
        clock.sleep(seconds)

    pace = Pace(10, clock=clock, sleep=sleep)
    pace.acquire()

    def ask(number: int) -> None:
        arrived.append(number)
        pace.acquire()
        served.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(pace._queue) <= number:
            time.sleep(0.001)
    everybody.set()
    for thread in threads:
        thread.join()
    assert served == arrived == list(range(6))


def test_after_a_pause_only_the_burst_leaves_at_once() -> None:
    pace, clock = paced(10, burst_seconds=0.5)
    clock.now += 3_600
    for _ in range(5):
        pace.acquire()
    assert clock.now == 1_000.0 + 3_600
    pace.acquire()
    assert clock.now == pytest.approx(1_000.0 + 3_600 + 0.1)


def test_a_refusal_halves_the_rate_and_empties_the_bucket() -> None:
    pace, clock = paced(20)
    pace.slow_down()
    assert pace.requests_per_second == 10
    before = clock.now
    pace.acquire()
    assert clock.now - before == pytest.approx(0.1)


def test_nothing_leaves_while_the_exchange_asked_to_wait() -> None:
    pace, clock = paced(20)
    pace.slow_down(pause=7)
    pace.slow_down(pause=1)
    before = clock.now
    pace.acquire()
    assert clock.now - before == pytest.approx(7)


def test_dear_requests_take_their_share_of_the_rate() -> None:
    pace, clock = paced(10)
    started = clock.now
    for _ in range(20):
        pace.acquire(50)
    pace.acquire()
    assert clock.now - started == pytest.approx(20 * 0.5, rel=0.01)


def test_refusals_of_requests_already_under_way_count_once() -> None:
    pace, clock = paced(64)
    for _ in range(8):
        pace.slow_down()
        clock.now += 0.01
    assert pace.requests_per_second == 32
    clock.now += 1
    pace.slow_down()
    assert pace.requests_per_second == 16


def test_refusals_that_do_not_end_halve_the_rate_every_second() -> None:
    pace, clock = paced(64)
    for _ in range(25):
        pace.slow_down()
        clock.now += 0.1
    assert pace.requests_per_second == 8


def test_refusals_never_push_the_rate_below_the_floor() -> None:
    pace, clock = paced(20, floor=2)
    for _ in range(10):
        pace.slow_down()
        clock.now += 1.5
    assert pace.requests_per_second == 2


def test_without_refusals_the_rate_recovers_by_tenths_up_to_the_set_rate() -> None:
    pace, clock = paced(20, quiet_seconds=5)
    pace.slow_down()
    clock.now += 4.9
    assert pace.requests_per_second == 10
    clock.now += 0.2
    assert pace.requests_per_second == pytest.approx(11)
    clock.now += 5
    assert pace.requests_per_second == pytest.approx(12.1)
    clock.now += 3_600
    assert pace.requests_per_second == 20


def test_threads_share_one_rate() -> None:
    pace = Pace(200)
    moments: list[float] = []

    def work() -> None:
        for _ in range(25):
            pace.acquire()
            moments.append(time.monotonic())

    started = time.monotonic()
    in_threads(8, work)
    assert len(moments) == 200
    assert max(moments) - started >= 199 / 200 * 0.999


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_lets_nothing_through_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="positive number"):
        Pace(rate)
