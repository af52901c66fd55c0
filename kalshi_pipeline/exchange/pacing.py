"""How fast requests may leave: a token bucket that all threads of a client share.

The exchange bills requests in tokens (10 for most). The bucket refills continuously on the monotonic clock and is
asked once per attempt, so retries are paced like first requests. Not here: what a request costs (``costs``), what to do
after a refusal (``retrying``).
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

#: Tokens that the exchange bills for a request unless it says otherwise.
DEFAULT_COST = 10

#: Shortest sleep in seconds: below it, rounding could keep the clock from moving at all.
_TICK = 1e-6

#: How late, in seconds, a thread may be woken so that the ones queueing behind it still keep to the schedule.
_LATENESS = 0.25


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
        clock: monotonic clock, in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        requests_per_second: float,
        *,
        burst_seconds: float = 0.0,
        floor: float = 1.0,
        quiet_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not requests_per_second > 0:
            raise ValueError(f"requests_per_second is {requests_per_second!r}; it takes a positive number.")
        self._set_rate = requests_per_second * DEFAULT_COST
        self._floor = min(floor * DEFAULT_COST, self._set_rate)
        self._capacity = max(self._set_rate * burst_seconds, float(DEFAULT_COST))
        self._quiet = quiet_seconds
        self._clock = clock
        self._sleep = sleep
        self._state = threading.Lock()
        self._queue: deque[threading.Event] = deque()
        self._rate = self._set_rate
        self._tokens = self._capacity
        self._settled_at = clock()
        self._calm_since = self._settled_at
        self._halved_at = -math.inf
        self._closed_until = self._settled_at

    @property
    def requests_per_second(self) -> float:
        """The current rate in requests of default cost."""
        with self._state:
            self._settle()
            return self._rate / DEFAULT_COST

    @property
    def burst(self) -> float:
        """Requests of default cost that may leave at once after a pause."""
        return self._capacity / DEFAULT_COST

    def acquire(self, cost: float = DEFAULT_COST) -> None:
        """Wait until a request of ``cost`` tokens may leave. Threads take turns in the order of their arrival."""
        turn = threading.Event()
        with self._state:
            self._settle()  # what was idle until now refills as such
            self._queue.append(turn)
            if self._queue[0] is turn:
                turn.set()
        turn.wait()
        try:
            while (wait := self._take(cost)) > 0:
                self._sleep(wait)
        finally:
            with self._state:
                self._settle()
                self._queue.popleft()
                if self._queue:
                    self._queue[0].set()

    def slow_down(self, pause: float = 0.0) -> None:
        """Halve the rate after a refusal, unless it was halved within the last second for the same burst.

        Args:
            pause: seconds the exchange asked to wait; nothing leaves before they are over.
        """
        with self._state:
            self._settle()
            if self._settled_at - self._halved_at >= 1.0:
                self._rate = max(self._rate / 2, self._floor)
                self._halved_at = self._settled_at
            self._tokens = min(self._tokens, 0.0)
            self._calm_since = self._settled_at
            self._closed_until = max(self._closed_until, self._settled_at + pause)

    def _take(self, cost: float) -> float:
        """Take the tokens and return 0, or return the seconds until they may be there."""
        with self._state:
            self._settle()
            needed = min(cost, self._capacity)
            closed = self._closed_until - self._settled_at
            if self._tokens >= needed and closed <= 0:
                self._tokens -= cost
                return 0.0
            wait = max((needed - self._tokens) / self._rate, closed, _TICK)
            # A sleep across a step of recovery would end late.
            step = self._calm_since + self._quiet - self._settled_at
            return min(wait, max(step, _TICK)) if self._rate < self._set_rate else wait

    def _settle(self) -> None:
        """Bring tokens and rate up to now; each step of recovery refills at the rate that held before it."""
        now = self._clock()
        while self._rate < self._set_rate and now - self._calm_since >= self._quiet:
            step = self._calm_since + self._quiet
            self._refill(step)
            self._rate = min(self._rate * 1.1, self._set_rate)
            self._calm_since = step
        self._refill(now)

    def _refill(self, until: float) -> None:
        """Add what the time since the last settling is worth; a queue keeps what a late sleep has cost it."""
        elapsed = max(until - self._settled_at, 0.0)
        full = self._capacity + (self._rate * _LATENESS if self._queue else 0.0)
        self._tokens = min(self._tokens + elapsed * self._rate, full)
        self._settled_at = max(until, self._settled_at)
