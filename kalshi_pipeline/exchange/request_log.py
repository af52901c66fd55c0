"""The log of every request: one line of JSON an attempt, in a file a UTC day, kept for a week.

The identifiers in it are those that landed responses and errors carry. Not here: what a run did in numbers
(``statistics``).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from io import FileIO
from pathlib import Path

_NAME = re.compile(r"requests-(\d{4}-\d{2}-\d{2})\.jsonl")
_KEPT_DAYS = 7


@dataclass(frozen=True)
class Attempt:
    """One request as it went.

    Attributes:
        at: when it was sent, by the wall clock.
        request_id: identifier it was sent with.
        url: full address; it never holds a secret.
        status: HTTP status; ``None`` where no response arrived.
        seconds: how long it took.
        bytes: size of the body, decompressed.
        error: what went wrong, where no usable response arrived.
    """

    at: datetime
    request_id: str
    url: str
    status: int | None
    seconds: float
    bytes: int
    error: str | None = None


class RequestLog:
    """Appends attempts to the file of the day; safe to share between threads, and between processes.

    A line is written in one go to a file opened for appending, so lines of several processes do not mix.

    Args:
        folder: where the files are; it is made with the first line.
        clock: the wall clock.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._day: date | None = None
        self._file: FileIO | None = None

    def __call__(self, attempt: Attempt) -> None:
        """Write one line."""
        said = {**asdict(attempt), "at": attempt.at.isoformat(), "seconds": round(attempt.seconds, 4)}
        line = json.dumps({name: value for name, value in said.items() if value is not None}).encode() + b"\n"
        with self._lock:
            self._file_of(self._clock().date()).write(line)

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = self._day = None

    def _file_of(self, day: date) -> FileIO:
        if self._file is None or day != self._day:
            if self._file is not None:
                self._file.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._prune(day)
            self._file = (self._folder / f"requests-{day.isoformat()}.jsonl").open("ab", buffering=0)
            self._day = day
        return self._file

    def _prune(self, today: date) -> None:
        for path in self._folder.iterdir():
            found = _NAME.fullmatch(path.name)
            if found and date.fromisoformat(found[1]) < today - timedelta(days=_KEPT_DAYS):
                path.unlink(missing_ok=True)
