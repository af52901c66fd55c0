"""The clock of the exchange: the one thing that decides what it knows.

It follows the wall clock or stands still at an instant, and can be moved, so that the live path can be walked through
the past. Not here: what follows from the time (``visibility``).
"""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """A clock that stands at an instant, or follows the wall clock where it is given none."""

    def __init__(self, pinned: datetime | None = None) -> None:
        self._home = pinned
        self._pinned = pinned

    def now(self) -> datetime:
        """The current instant of the exchange, UTC."""
        return self._pinned or datetime.now(UTC)

    def move(self, to: datetime | None) -> datetime:
        """Stand still at ``to``; ``None`` returns to where the clock began. Returns the new instant."""
        self._pinned = to.astimezone(UTC) if to is not None else self._home
        return self.now()


def read_instant(text: str) -> datetime:
    """Read an ISO 8601 date or time; without an offset it is UTC.

    Raises:
        ValueError: the text is neither.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date or time; write it like 2026-06-30T16:00:00Z.") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
