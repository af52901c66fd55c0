"""How far long work has come, said part by part to whoever watches it; to nobody, if nobody does.

A part is what the work itself counts in: a unit of a landing, a day of snapshots. The watcher is the one of the context
in which the work is called, so nothing between the two needs to pass it on. Not here: how it is shown (``cli``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Hears how many parts are done, of how many, and what they are.
Watcher = Callable[[int, int, str], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Let ``watcher`` hear of the work that is called in the block."""
    before = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(before)


def say(done: int, total: int, parts: str) -> None:
    """Say that ``done`` of ``total`` parts are done."""
    if (watcher := _watcher.get()) is not None:
        watcher(done, total, parts)
