"""What tests of the warehouse file share: another process that holds it, and one that tries to open it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held_by_another_process(database: Path, *, seconds: float = 60.0) -> Iterator[int]:
    """Another process has the file open for writing; yields its process id."""
    program = (
        f"import duckdb, time; con = duckdb.connect({str(database)!r}); print('open', flush=True); "
        f"time.sleep({seconds})"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "open\n"
        try:
            yield process.pid
        finally:
            process.kill()


def opens_elsewhere(database: Path) -> bool:
    """Whether a second process can open the file for writing."""
    program = f"import duckdb; duckdb.connect({str(database)!r}).close()"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0
