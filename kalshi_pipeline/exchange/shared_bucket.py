"""A bucket whose content lies in a small file, so that every process of an installation takes from the same one.

Beside the file lies a lock that the operating system lets go of when its holder dies, however it dies. Times in the
file are those of the monotonic clock, which all processes of a machine share. Not here: what the content does
(``bucket``).
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

from filelock import FileLock, Timeout

from kalshi_pipeline.exchange.bucket import Content

_FORM = struct.Struct("<7d")
_SUM = struct.Struct("<I")
#: Seconds between two looks at a lock that another process holds; it holds it for a fraction of a millisecond.
_POLL = 0.001


class PaceHeld(RuntimeError):
    """Another process holds the shared pace and does not let go; the message names the file."""


class SharedContent:
    """The content of a bucket in a file; safe to share between threads and between processes of one machine.

    Args:
        path: the file; it is made with the first use. What cannot be read in it is replaced.
        fresh: makes the content of a bucket that nobody has used.
        timeout: seconds to wait for a process that holds the lock.
    """

    def __init__(self, path: Path, fresh: Callable[[], Content], *, timeout: float = 30.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._fresh = fresh
        self._threads = threading.Lock()
        self._processes = FileLock(f"{path}.lock", timeout=timeout, poll_interval=_POLL)

    @contextmanager
    def held(self) -> Iterator[Content]:
        """The content for as long as nobody else has it; what is done to it is kept unless an error leaves the block.

        Raises:
            PaceHeld: another process did not let go in time.
        """
        with self._threads:
            try:
                self._processes.acquire()
            except Timeout:
                raise PaceHeld(
                    f"{self._processes.lock_file} has been held for {self._processes.timeout:.0f} seconds by another "
                    "process that asks the same exchange; is one of them stopped?"
                ) from None
            try:
                # Unbuffered, so that a content is one read and one write of a few bytes.
                with open(self._path, "r+b", buffering=0, opener=_made) as file:
                    content = _unpacked(file.read(_FORM.size + _SUM.size)) or self._fresh()
                    yield content
                    file.seek(0)
                    file.write(_packed(content))
            finally:
                self._processes.release()


def _made(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o644)


def _packed(content: Content) -> bytes:
    numbers = _FORM.pack(*astuple(content))
    return numbers + _SUM.pack(zlib.crc32(numbers))


def _unpacked(said: bytes) -> Content | None:
    """The content; ``None`` where the file is new, or was written by half."""
    numbers, checksum = said[: _FORM.size], said[_FORM.size :]
    if len(checksum) != _SUM.size or _SUM.unpack(checksum) != (zlib.crc32(numbers),):
        return None
    return Content(*_FORM.unpack(numbers))
