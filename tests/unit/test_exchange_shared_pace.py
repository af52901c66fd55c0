"""Processes that share a bucket keep to its rate together, use all of it, and survive each other's deaths."""

from __future__ import annotations

import heapq
import random
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.exchange.bucket import Bucket, Content
from kalshi_pipeline.exchange.pacing import DEFAULT_COST, Pace
from kalshi_pipeline.exchange.shared_bucket import PaceHeld, SharedContent

pytestmark = pytest.mark.unit

ROUNDING = 1e-5


class FakeClock:
    """A monotonic clock of the machine that moves only when somebody sleeps on it."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def shared(folder: Path, clock: FakeClock, rate: float = 10, **options: float) -> Pace:
    """The pace of one more process."""
    return Pace(rate, shared_in=folder / "pace" / "exchange", clock=clock, sleep=clock.sleep, **options)


def departures(
    rate: float,
    processes: int,
    *,
    seconds: float,
    burst: float = 0.0,
    late: float = 0.0,
    idle: float = 0.0,
    seed: int = 0,
) -> list[float]:
    """When requests leave over some seconds, where every process waits for one, sends it, and idles before the next.

    Sleeps of the processes overlap here, as they do on a machine, and end late by up to so many seconds.
    """
    drawn = random.Random(seed)
    bucket = Bucket(rate * DEFAULT_COST, max(rate * burst, 1.0) * DEFAULT_COST, float(DEFAULT_COST), 5.0)
    content = bucket.full(0.0)
    agenda = [(drawn.uniform(0, idle), process) for process in range(processes)]
    heapq.heapify(agenda)
    sent = []
    while agenda[0][0] < seconds:
        now, process = heapq.heappop(agenda)
        wait = bucket.take(content, now, DEFAULT_COST, others=False)
        if wait:
            again = now + wait + drawn.uniform(0, late)
        else:
            sent.append(now)
            again = now + drawn.uniform(0, idle)
        heapq.heappush(agenda, (again, process))
    return sent


@given(
    rate=st.floats(0.5, 300),
    processes=st.integers(1, 5),
    burst=st.floats(0, 2),
    idle=st.sampled_from([0.0, 0.05, 1.0]),
    seed=st.integers(0, 9),
)
def test_no_window_holds_more_of_all_processes_requests_than_the_rate_allows(
    rate: float, processes: int, burst: float, idle: float, seed: int
) -> None:
    sent = departures(rate, processes, seconds=150 / rate, burst=burst, idle=idle, seed=seed)
    at_once = max(rate * burst, 1.0)
    for first, began in enumerate(sent):
        for count, ended in enumerate(sent[first:], start=1):
            assert count <= rate * (ended - began + ROUNDING) + at_once


@given(rate=st.floats(1, 300), processes=st.integers(2, 5), seed=st.integers(0, 9))
def test_processes_that_always_have_work_use_the_whole_rate_although_they_come_late(
    rate: float, processes: int, seed: int
) -> None:
    seconds = 300 / rate
    sent = departures(rate, processes, seconds=seconds, late=0.5 / rate, seed=seed)
    assert 0.95 * rate * seconds <= len(sent) <= rate * seconds + 1 + 0.25 * rate


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 2), st.sampled_from([1, DEFAULT_COST, 50]), st.booleans()),
        min_size=2,
        max_size=25,
    )
)
def test_over_the_file_the_joint_rate_holds_whoever_asks_and_whatever_is_refused(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, int, int, bool]]
) -> None:
    clock, folder, rate = FakeClock(), tmp_path_factory.mktemp("installation"), 20
    processes = [shared(folder, clock, rate) for _ in range(3)]
    sent: list[tuple[float, int]] = []
    for idle, process, cost, refused in steps:
        clock.now += idle
        processes[process].acquire(cost)
        sent.append((clock.now, cost))
        if refused:
            processes[process].slow_down()
    for first, (began, _) in enumerate(sent):
        tokens = 0
        for moment, cost in sent[first:]:
            tokens += cost
            # Only a request dearer than the whole bucket may leave on credit.
            assert tokens <= rate * DEFAULT_COST * (moment - began + ROUNDING) + max(DEFAULT_COST, cost)


def test_two_processes_alternate_at_the_set_rate(tmp_path: Path, clock: FakeClock) -> None:
    one, other = shared(tmp_path, clock), shared(tmp_path, clock)
    for _ in range(10):
        one.acquire()
        other.acquire()
    assert clock.now - 1_000 == pytest.approx(19 / 10)


def test_installations_have_a_pace_each(tmp_path: Path, clock: FakeClock) -> None:
    one, other = shared(tmp_path / "a", clock), shared(tmp_path / "b", clock)
    one.acquire()
    other.acquire()
    assert clock.now == 1_000


def test_a_refusal_of_one_process_slows_all_of_them_down(tmp_path: Path, clock: FakeClock) -> None:
    one, other = shared(tmp_path, clock, 20), shared(tmp_path, clock, 20)
    one.slow_down(pause=3)
    assert other.requests_per_second == 10
    other.acquire()
    assert clock.now == pytest.approx(1_003)
    clock.now += 60
    assert one.requests_per_second == other.requests_per_second == 20


def test_a_process_that_sets_another_rate_keeps_the_share_that_refusals_left(tmp_path: Path, clock: FakeClock) -> None:
    fast, slow = shared(tmp_path, clock, 40), shared(tmp_path, clock, 10)
    fast.slow_down()
    assert (fast.requests_per_second, slow.requests_per_second) == (20, 5)


def test_what_a_process_left_behind_does_not_hold_the_next_one_up(tmp_path: Path, clock: FakeClock) -> None:
    """One that was told to wait and died before it came back costs nobody more than its place."""

    def die(_: float) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "pace" / "exchange"
    dying = Pace(10, shared_in=path, clock=clock, sleep=die)
    dying.acquire()
    with pytest.raises(KeyboardInterrupt):
        dying.acquire()
    clock.now += 3_600
    next_one = shared(tmp_path, clock)
    next_one.acquire()
    next_one.acquire()
    assert clock.now - 1_000 == pytest.approx(3_600.1)


@pytest.mark.parametrize("spoiled", [b"", b"\0" * 60, b"x" * 200, b"half"])
def test_a_file_that_cannot_be_read_is_a_full_bucket(tmp_path: Path, clock: FakeClock, spoiled: bytes) -> None:
    pace = shared(tmp_path, clock)
    pace.slow_down(pause=60)
    (tmp_path / "pace" / "exchange").write_bytes(spoiled)
    pace.acquire()
    assert clock.now == 1_000
    pace.acquire()
    assert clock.now == pytest.approx(1_000.1)


def test_a_clock_that_began_anew_makes_the_bucket_full(tmp_path: Path, clock: FakeClock) -> None:
    """As after the machine was started again: the times in the file lie ahead and mean nothing."""
    shared(tmp_path, clock).slow_down(pause=60)
    rebooted = FakeClock(5.0)
    pace = shared(tmp_path, rebooted)
    assert pace.requests_per_second == 10
    pace.acquire()
    assert rebooted.now == 5.0


def test_the_content_survives_its_way_through_the_file(tmp_path: Path) -> None:
    kept = SharedContent(tmp_path / "bucket", lambda: Content(1, 2, 0.5, 4, float("-inf"), 6, float("inf")))
    with kept.held() as content:
        content.tokens = -0.1
    with SharedContent(tmp_path / "bucket", lambda: pytest.fail("the file was not read")).held() as content:
        assert content == Content(1, -0.1, 0.5, 4, float("-inf"), 6, float("inf"))


def test_a_holder_that_does_not_let_go_is_named(tmp_path: Path) -> None:
    kept = SharedContent(tmp_path / "bucket", lambda: Content(0, 0, 1, 0, 0, 0, 0), timeout=0.05)
    with FileLock(tmp_path / "bucket.lock"), pytest.raises(PaceHeld, match=r"bucket\.lock has been held"), kept.held():
        pass
