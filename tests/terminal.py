"""Standard error as a terminal, for tests of what people see while they wait."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Standard error as a terminal; what it was shown is in the list when the block is over."""
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    ours, theirs = os.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while said := os.read(ours, 4096):
                shown.append(said)
        except OSError:  # how Linux says that the other side is closed
            os.close(ours)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with monkeypatch.context() as patched, os.fdopen(theirs, "w") as stream:
        patched.setenv("TERM", "xterm")
        patched.setenv("COLUMNS", "120")
        patched.setattr(sys, "stderr", stream)
        yield shown
    reader.join(timeout=10)
