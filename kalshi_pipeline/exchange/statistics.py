"""What a client did: requests, retries, refusals, bytes and latencies, counted across its threads.

Latencies are kept as a histogram with 5 % wide classes, so a run of any length takes the same memory and two readings
can be subtracted. Not here: what a landing did with the responses (``landing.report``).
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_CLASS_WIDTH = math.log(1.05)


@dataclass(frozen=True)
class Statistics:
    """A reading of a client's counters.

    Attributes:
        requests: attempts sent, retries included.
        retries: attempts that were sent because an earlier one failed.
        throttled: attempts answered 429.
        bytes: size of the response bodies, decompressed.
        latencies: number of attempts by class of latency.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    bytes: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict, repr=False)

    def __sub__(self, earlier: Statistics) -> Statistics:
        """What was added since an earlier reading of the same client."""
        return Statistics(
            requests=self.requests - earlier.requests,
            retries=self.retries - earlier.retries,
            throttled=self.throttled - earlier.throttled,
            bytes=self.bytes - earlier.bytes,
            latencies=Counter(self.latencies) - Counter(earlier.latencies),
        )

    def latency(self, quantile: float) -> float | None:
        """Seconds within which this share of the attempts was answered, to 5 %; ``None`` without attempts."""
        wanted = quantile * sum(self.latencies.values())
        seen = 0
        for latency_class in sorted(self.latencies):
            seen += self.latencies[latency_class]
            if seen >= wanted:
                return math.exp((latency_class + 0.5) * _CLASS_WIDTH)
        return None


class Meter:
    """The counters of one client, safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = self._retries = self._throttled = self._bytes = 0
        self._latencies: Counter[int] = Counter()

    def sent(self, seconds: float, size: int, *, throttled: bool = False) -> None:
        """Count one attempt that took ``seconds`` and brought ``size`` bytes."""
        latency_class = math.floor(math.log(max(seconds, 1e-6)) / _CLASS_WIDTH)
        with self._lock:
            self._requests += 1
            self._throttled += throttled
            self._bytes += size
            self._latencies[latency_class] += 1

    def retried(self) -> None:
        """Count one retry."""
        with self._lock:
            self._retries += 1

    def read(self) -> Statistics:
        """The counters as they are now."""
        with self._lock:
            return Statistics(self._requests, self._retries, self._throttled, self._bytes, Counter(self._latencies))
