"""The token bucket: what its content does over time. No clock and no lock of its own.

The bucket refills continuously. Whoever is told to wait says so in its content, because a sleep may end late: what
accrues from the moment somebody was due is kept for those who queue behind, what accrues while nobody waits is lost
beyond the capacity. Not here: whose turn it is and who keeps the content (``pacing``, ``shared_bucket``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Shortest wait in seconds: below it, rounding could keep the clock from moving at all.
_TICK = 1e-6

#: How late, in seconds, somebody may come back so that the ones queueing behind still keep to the schedule.
_LATENESS = 0.25

#: Seconds after which one who was due is taken to have died.
_GIVEN_UP = 1.0


@dataclass
class Content:
    """What is in a bucket, as of an instant. Times are seconds of a monotonic clock.

    Attributes:
        settled_at: the instant.
        tokens: what is there; negative after a request dearer than the whole bucket.
        share: current rate as a share of the set one; below 1 after refusals.
        calm_since: since when nobody has been refused, or the rate last recovered.
        halved_at: when the rate was last halved; minus infinity for never.
        closed_until: nothing leaves before.
        due: when the first of those who wait was told to come back; infinity while nobody waits.
    """

    settled_at: float
    tokens: float
    share: float
    calm_since: float
    halved_at: float
    closed_until: float
    due: float


@dataclass(frozen=True)
class Bucket:
    """The rules of a bucket.

    Attributes:
        rate: the set rate, tokens per second.
        capacity: tokens that are there after a pause.
        floor: tokens per second below which refusals do not push the rate.
        quiet_seconds: length of the pause without refusals after which the rate recovers by one step.
    """

    rate: float
    capacity: float
    floor: float
    quiet_seconds: float

    def full(self, now: float) -> Content:
        """A full bucket."""
        return Content(now, self.capacity, 1.0, now, -math.inf, now, math.inf)

    def settle(self, content: Content, now: float) -> None:
        """Bring tokens and rate up to now; each step of recovery refills at the rate that held before it.

        A content of later than now is of another clock, as after the machine was started anew: it is replaced.
        """
        if content.settled_at > now:
            vars(content).update(vars(self.full(now)))
        while content.share < 1.0 and now - content.calm_since >= self.quiet_seconds:
            step = content.calm_since + self.quiet_seconds
            self._refill(content, step)
            content.share = min(content.share * 1.1, 1.0)
            content.calm_since = step
        self._refill(content, now)

    def take(self, content: Content, now: float, cost: float, *, others: bool) -> float:
        """Take the tokens and return 0, or return the seconds until they may be there.

        Args:
            content: what is in the bucket.
            now: the time.
            cost: tokens; of those dearer than the capacity, the rest is taken on credit.
            others: whether somebody queues behind, so that what accrued over the capacity is not lost.
        """
        self.settle(content, now)
        needed = min(cost, self.capacity)
        closed = content.closed_until - now
        if content.tokens >= needed and closed <= 0:
            content.tokens -= cost
            content.due = now if others else math.inf
            if not others:
                content.tokens = min(content.tokens, self.capacity)
            return 0.0
        wait = max((needed - content.tokens) / (self.rate * content.share), closed, _TICK)
        if content.share < 1.0:  # A sleep across a step of recovery would end late.
            wait = min(wait, max(content.calm_since + self.quiet_seconds - now, _TICK))
        content.due = now + wait if content.due <= now else min(content.due, now + wait)
        return wait

    def refuse(self, content: Content, now: float, pause: float) -> None:
        """Halve the rate, unless it was halved within the last second, empty the bucket, and close it for a while."""
        self.settle(content, now)
        if now - content.halved_at >= 1.0:
            content.share = max(content.share / 2, self.floor / self.rate)
            content.halved_at = now
        content.tokens = min(content.tokens, 0.0)
        content.calm_since = now
        content.closed_until = max(content.closed_until, now + pause)

    def _refill(self, content: Content, until: float) -> None:
        """Add what the time since the last settling is worth; lateness is worth something to those who wait."""
        since, rate = content.settled_at, self.rate * content.share
        until = max(until, since)
        if until - content.due > _GIVEN_UP:
            content.due = math.inf
        late_from = min(max(content.due, since), until)
        if late_from > since:
            content.tokens = min(content.tokens + (late_from - since) * rate, self.capacity)
        if until > late_from:
            content.tokens = min(content.tokens + (until - late_from) * rate, self.capacity + rate * _LATENESS)
        content.settled_at = until
