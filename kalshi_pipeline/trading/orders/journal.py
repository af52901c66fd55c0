"""The journal: an append-only file with one line per step of every intent, on disk before the step is taken.

A line is canonical JSON (sorted keys, exact decimals as text, UTC), so the same step gives the same bytes; it holds the
hash of the line before it, so a changed or missing line shows. One process writes a journal at a time. Not here: which
steps there are (``executor``), and the table that mirrors them (``Ledger``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

Record = dict[str, Any]
_BEFORE_THE_FIRST = "0" * 64


class JournalError(RuntimeError):
    """The journal cannot be written or trusted; the message says what to do. Nothing is sent without it."""


class Ledger(Protocol):
    """A second place, for queries, that keeps every record."""

    def append(self, record: Mapping[str, Any], digest: str) -> None:
        """Keep one record with the hash of its line; raises where it cannot."""
        ...


def canonical(record: Mapping[str, Any]) -> str:
    """One line of JSON, the same for the same content.

    Raises:
        TypeError: a value has no exact form (floats among them).
    """
    return json.dumps(_plain(record), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"{value} has no time zone.")
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{value!r} has no exact form in the journal.")


class Journal:
    """The file, held for writing as long as it is open; use as a context manager.

    Args:
        path: the file; made with its folder where it is missing.
        ledger: keeps every record as well; a record that it cannot keep is an error like one the file cannot.

    Raises:
        JournalError: another process holds it, or a line was changed or lost.
    """

    def __init__(self, path: Path, ledger: Ledger | None = None) -> None:
        self.path = path
        self._ledger = ledger
        self._lock = threading.Lock()
        self.records: list[Record] = []
        self._last = _BEFORE_THE_FIRST
        self._broken = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise JournalError(f"The journal {path} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._replay()
        except BlockingIOError as error:
            self._file.close()
            raise JournalError(f"Another process writes the journal {path}; two never send at once.") from error
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others write it; a second call does nothing."""
        self._file.close()

    def append(self, step: str, at: datetime, **content: Any) -> Record:
        """Add one record and return it once it is on disk (and in the ledger).

        Raises:
            JournalError: it could not be kept.
        """
        with self._lock:
            if self._broken:
                raise JournalError(f"The journal {self.path} failed before; open it anew to see what it holds.")
            record = {"number": len(self.records) + 1, "at": at, "step": step, "before": self._last, **content}
            line = canonical(record)
            kept: Record = json.loads(line)
            try:
                self._file.write(line.encode() + b"\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            except (OSError, ValueError) as error:
                self._broken = True
                raise JournalError(f"The journal {self.path} cannot be written: {error}.") from error
            self._take(kept, line)
            if self._ledger is not None:
                try:
                    self._ledger.append(kept, self._last)
                except Exception as error:
                    raise JournalError(f"Record {kept['number']} did not reach the table: {error}") from error
            return kept

    def _take(self, record: Record, line: str) -> None:
        self.records.append(record)
        self._last = hashlib.sha256(line.encode()).hexdigest()

    def _replay(self) -> None:
        self._file.seek(0)
        whole, _, torn = self._file.read().rpartition(b"\n")
        for number, line in enumerate(whole.decode().splitlines(), 1):
            try:
                record = json.loads(line)
                sound = record["before"] == self._last and record["number"] == number
            except (ValueError, KeyError, TypeError):
                sound = False
            if not sound:
                raise JournalError(
                    f"Line {number} of the journal {self.path} does not follow from the line before it. Compare it "
                    "with the exchange's record of your orders, then begin a new one; nothing is sent with this."
                )
            self._take(record, line)
        if torn:
            # A line that never got whole announced a step that was never taken.
            self._file.truncate(len(whole) + bool(whole))
            self.append("recovered", datetime.now(UTC), torn=torn.decode(errors="replace"))
