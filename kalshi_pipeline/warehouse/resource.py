"""The warehouse as a Dagster resource: ``read()`` and ``write()`` contexts, each as short as its statement.

A subclass of Dagster's own DuckDB resource, so code written for that one works; every way in goes through the same
opening. Nothing else in the project opens the file, but for the migrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field

from kalshi_pipeline.warehouse.errors import WarehouseMissing
from kalshi_pipeline.warehouse.migrations import require_current
from kalshi_pipeline.warehouse.opening import Opening, opened


class Warehouse(DuckDBResource):
    """The DuckDB file, opened for as long as a ``with`` block lasts.

    Both contexts wait for whoever holds the file until ``lock_timeout``, refuse a file whose schema is not the one
    this code knows, and release the file on the way out whatever happens.
    """

    lock_timeout: float = Field(default=60.0, description="Seconds to wait for whoever holds the file.")
    threads: int | None = Field(default=None, description="Cap on DuckDB's threads; unset means all cores.")
    memory_limit: str | None = Field(default=None, description="Cap on DuckDB's memory, like 2GB; unset means 80 %.")

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.database)

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; other readers may hold the file at the same time.

        Raises:
            WarehouseMissing: there is no file yet.
            WarehouseLocked: a writer held the file until the timeout.
            WarehouseOutdated: the file has to be migrated.
            WarehouseTooNew: the code has to be updated.
        """
        with self._opened(read_only=True) as con:
            yield con

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: committed at the end of the block, rolled back where the block raises.

        Raises:
            WarehouseMissing: there is no file yet.
            WarehouseLocked: others held the file until the timeout.
            WarehouseOutdated: the file has to be migrated.
            WarehouseTooNew: the code has to be updated.
        """
        with self._opened(read_only=False) as con:
            con.begin()
            try:
                yield con
            except BaseException:
                # A statement that breaks a constraint may have ended the transaction already.
                with suppress(duckdb.TransactionException):
                    con.rollback()
                raise
            con.commit()

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-write connection without a transaction, for code written against Dagster's DuckDB resource."""
        with self._opened(read_only=False) as con:
            yield con

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.path.exists():
            raise WarehouseMissing(f"There is no warehouse at {self.path}; run `kalshi-pipeline migrate` to create it.")
        opening = Opening(
            read_only=read_only,
            timeout=self.lock_timeout,
            threads=self.threads,
            memory_limit=self.memory_limit,
            config=self.connection_config,
        )
        with opened(self.path, opening) as con:
            require_current(con, self.path)
            yield con
