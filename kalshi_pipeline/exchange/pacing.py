"""How fast requests may leave: a token bucket that all threads of a client share, and processes where it is told to.

The exchange bills requests in tokens (10 for most). The bucket is asked once per attempt, so retries are paced like
first requests. Not here: what the bucket does over time (``bucket``), what a request costs (``costs``), what to do
after a refusal (``retrying``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from kalshi_pipeline.exchange.bucket import Bucket, Content
from kalshi_pipeline.exchange.shared_bucket import SharedContent

#: Tokens that the exchange bills for a request unless it says otherwise.
DEFAULT_COST = 10


class Keeper(Protocol):
    """Keeps the content of a bucket, and gives it to one at a time."""

    def held(self) -> AbstractContextManager[Content]:
        """The content for as long as nobody else has it."""
        ...


class Pace:
    """A token bucket: over any window of W seconds at most ``rate * W`` requests of default cost leave, and one more.

    With ``burst_seconds`` the one more is so many seconds' worth. Sleeps that end late shift a departure but not the
    ones after it, so a client with more work than pace uses the whole rate.

    A refusal (429) halves the rate, down to a floor, and empties the bucket; refusals of requests that were already
    under way count once. After ``quiet_seconds`` without a refusal the rate grows by a tenth, again and again, up to
    the rate that was set.

    Args:
        requests_per_second: the set rate, in requests of default cost.
        burst_seconds: how many seconds' worth of requests may leave at once after a pause; never less than one request.
        floor: requests per second below which refusals do not push the rate.
        quiet_seconds: length of the pause without refusals after which the rate recovers by one step.
        shared_in: file over which processes of this machine share the bucket, refusals included; ``None`` keeps it to
            this one. Where they set different rates, they keep to the highest of them together.
        clock: monotonic clock, in seconds; of the machine, where the bucket is shared.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        requests_per_second: float,
        *,
        burst_seconds: float = 0.0,
        floor: float = 1.0,
        quiet_seconds: float = 5.0,
        shared_in: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not requests_per_second > 0:
            raise ValueError(f"requests_per_second is {requests_per_second!r}; it takes a positive number.")
        rate = requests_per_second * DEFAULT_COST
        self._bucket = Bucket(
            rate=rate,
            capacity=max(rate * burst_seconds, float(DEFAULT_COST)),
            floor=min(floor * DEFAULT_COST, rate),
            quiet_seconds=quiet_seconds,
        )
        self._clock = clock
        self._sleep = sleep
        self._state = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._keeper: Keeper = (
            SharedContent(shared_in, lambda: self._bucket.full(clock()))
            if shared_in is not None
            else _OwnContent(self._bucket.full(clock()))
        )

    @property
    def requests_per_second(self) -> float:
        """The current rate in requests of default cost."""
        with self._keeper.held() as content:
            self._bucket.settle(content, self._clock())
            return self._bucket.rate * content.share / DEFAULT_COST

    @property
    def burst(self) -> float:
        """Requests of default cost that may leave at once after a pause."""
        return self._bucket.capacity / DEFAULT_COST

    def acquire(self, cost: float = DEFAULT_COST) -> None:
        """Wait until a request of ``cost`` tokens may leave. Threads take turns in the order of their arrival.

        Raises:
            PaceHeld: another process holds the shared bucket and does not let go.
        """
        turn = threading.Event()
        with self._state:
            self._queue.append(turn)
            if self._queue[0] is turn:
                turn.set()
        turn.wait()
        try:
            while (wait := self._take(cost)) > 0:
                self._sleep(wait)
        finally:
            with self._state:
                self._queue.popleft()
                if self._queue:
                    self._queue[0].set()

    def slow_down(self, pause: float = 0.0) -> None:
        """Halve the rate after a refusal, unless it was halved within the last second for the same burst.

        Args:
            pause: seconds the exchange asked to wait; nothing leaves before they are over.
        """
        with self._keeper.held() as content:
            self._bucket.refuse(content, self._clock(), pause)

    def _take(self, cost: float) -> float:
        """Take the tokens and return 0, or return the seconds until they may be there."""
        with self._keeper.held() as content:
            return self._bucket.take(content, self._clock(), cost, others=len(self._queue) > 1)


class _OwnContent:
    """The content of a bucket that the threads of one process share."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[Content]:
        """The content for as long as no other thread has it."""
        with self._lock:
            yield self._content
