"""Opening the DuckDB file: the one place that calls ``duckdb.connect`` on it.

DuckDB gives a file to one writing process, or to any number of reading ones. A connection that finds the file taken
tries again, with full jitter between attempts, until a deadline; then it says who holds the file. What a connection
is used for belongs to ``resource``, ``migrations`` and ``writing``.
"""

from __future__ import annotations

import random
import re
import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from kalshi_pipeline.warehouse.errors import WarehouseError, WarehouseLocked, WarehouseMissing

_HOLDER = re.compile(r"lock is held in (?P<command>.+?) \(PID (?P<pid>\d+)\)")
_LOCK = "Could not set lock on file"
_OTHER_MODE = "different configuration than existing connections"

#: Seconds an attempt waits at most before the first and before any later retry.
FIRST_WAIT, LONGEST_WAIT = 0.02, 0.5


@dataclass(frozen=True)
class Opening:
    """How a file is opened.

    Attributes:
        read_only: whether other readers may hold the file at the same time.
        timeout: seconds to wait for whoever holds it.
        threads: cap on DuckDB's threads; ``None`` leaves all cores.
        memory_limit: cap on DuckDB's memory, like ``2GB``; ``None`` leaves DuckDB's own 80 %.
        keep_order: whether rows are stored and returned in the order they come, which costs memory.
        config: further DuckDB options, set as the connection is made.
    """

    read_only: bool
    timeout: float = 60.0
    threads: int | None = None
    memory_limit: str | None = None
    keep_order: bool = True
    config: Mapping[str, Any] = field(default_factory=dict)


class Handle:
    """A connection to the file in a UTC session, for code that cannot hold it in a ``with`` block.

    Closing is idempotent. A handle that is forgotten is closed when Python finds it unused, or at the end of the
    process, with a ``ResourceWarning``: until then it keeps others from the file.

    Args:
        database: the file.
        opening: how it is opened.

    Raises:
        WarehouseLocked: the file was held until the timeout; the message names the holder.
        WarehouseError: the file is not a DuckDB file, or cannot be read or created.
    """

    def __init__(self, database: Path, opening: Opening) -> None:
        self._database = database
        self._con = _connect(database, opening)
        self._finalizer = weakref.finalize(self, _close_forgotten, self._con, database)
        try:
            _set_up(self._con, opening)
        except BaseException:
            self.close()
            raise

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The open connection.

        Raises:
            WarehouseError: the handle is closed.
        """
        if self.closed:
            raise WarehouseError(f"This handle on {self._database} is closed; open another.")
        return self._con

    @property
    def closed(self) -> bool:
        """Whether the file is released."""
        return not self._finalizer.alive

    def close(self) -> None:
        """Release the file; closing again does nothing."""
        if self._finalizer.detach():
            self._con.close()

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        return self.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def opened(database: Path, opening: Opening) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file in a UTC session, closed on the way out whatever happens.

    Raises:
        WarehouseLocked: the file was held until the timeout; the message names the holder.
        WarehouseError: the file is not a DuckDB file, or cannot be read or created.
    """
    with Handle(database, opening) as con:
        yield con


@contextmanager
def second_connection(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Another connection to the database that ``con`` has open, in a UTC session, closed on the way out.

    It has transactions, temporary tables and registered names of its own.
    """
    with con.cursor() as second:
        _set_session(second)
        yield second


def require_file(database: Path) -> None:
    """Refuse a file that is not there: opening it for writing would make one without a schema.

    Raises:
        WarehouseMissing: there is no file.
    """
    if not database.exists():
        raise WarehouseMissing(f"There is no warehouse at {database}; run `kalshi-pipeline migrate` to create it.")


def _set_session(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET TimeZone = 'UTC'")
    # A run's output belongs to Dagster, not to a bar on the terminal.
    con.execute("SET enable_progress_bar = false")
    # With few left rows known at planning time DuckDB compares every pair, which takes minutes over a day of bars.
    con.execute("SET asof_loop_join_threshold = 0")


def _set_up(con: duckdb.DuckDBPyConnection, opening: Opening) -> None:
    _set_session(con)
    if opening.threads is not None:
        con.execute(f"SET threads = {int(opening.threads)}")
    if opening.memory_limit is not None:
        con.execute("SET memory_limit = ?", [opening.memory_limit])
    if not opening.keep_order:
        con.execute("SET preserve_insertion_order = false")


def _close_forgotten(con: duckdb.DuckDBPyConnection, database: Path) -> None:
    con.close()
    warnings.warn(f"A handle on {database} was never closed; close it, or use a with block.", ResourceWarning, 2)


def _connect(
    database: Path,
    opening: Opening,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> duckdb.DuckDBPyConnection:
    deadline = clock() + opening.timeout
    longest = FIRST_WAIT
    while True:
        try:
            return duckdb.connect(database, read_only=opening.read_only, config=dict(opening.config))
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            holder = _holder(str(error))
            if holder is None:
                raise WarehouseError(f"{database} cannot be opened: {_first_line(error)}") from error
            left = deadline - clock()
            if left <= 0:
                raise WarehouseLocked(
                    f"{database} is held by {holder} and was not released within {opening.timeout:g} s; "
                    "wait for it to end or close it, then try again."
                ) from error
            # Full jitter: waiters that started together do not come back together.
            sleep(min(left, random.uniform(0, longest)))
            longest = min(LONGEST_WAIT, longest * 2)


def _holder(message: str) -> str | None:
    """Who holds the lock, from DuckDB's words; ``None`` where the error is not about a lock."""
    if _OTHER_MODE in message:
        return "another connection of this process (reading while writing, or the reverse)"
    if _LOCK not in message:
        return None
    found = _HOLDER.search(message)
    return f"process {found['pid']} ({found['command']})" if found else "another process"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
