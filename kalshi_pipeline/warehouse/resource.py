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

from kalshi_pipeline.warehouse.errors import WarehouseLocked
from kalshi_pipeline.warehouse.migrations import require_current
from kalshi_pipeline.warehouse.opening import Handle, Opening, require_file
from kalshi_pipeline.warehouse.publishing import publication

#: DuckDB's memory in a bulk write: with what Python holds beside it, a load stays below one gibibyte at any size.
BULK_MEMORY = "384MB"


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
            WarehouseLocked: a writer held the file until the timeout; the message names it, and the published Parquet
                that can be read meanwhile.
            WarehouseOutdated: the file has to be migrated.
            WarehouseTooNew: the code has to be updated.
        """
        with self.open(read_only=True) as con:
            yield con

    @contextmanager
    def write(self, *, bulk: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: committed at the end of the block, rolled back where the block raises.

        Args:
            bulk: whether it may move any number of rows: DuckDB then keeps to :data:`BULK_MEMORY` where the warehouse
                has no cap of its own, puts what is more on disk, and stores rows in no particular order.

        Raises:
            WarehouseMissing: there is no file yet.
            WarehouseLocked: others held the file until the timeout.
            WarehouseOutdated: the file has to be migrated.
            WarehouseTooNew: the code has to be updated.
        """
        with self._open(read_only=False, bulk=bulk) as con:
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
        with self.open(read_only=False) as con:
            yield con

    def open(self, *, read_only: bool = True) -> Handle:
        """An open handle, for a session that no ``with`` block can hold; close it as soon as you can.

        Raises:
            WarehouseMissing, WarehouseLocked, WarehouseOutdated, WarehouseTooNew: as :meth:`read` and :meth:`write`.
        """
        return self._open(read_only=read_only, bulk=False)

    def _open(self, *, read_only: bool, bulk: bool) -> Handle:
        require_file(self.path)
        opening = Opening(
            read_only=read_only,
            timeout=self.lock_timeout,
            threads=self.threads,
            memory_limit=self.memory_limit or (BULK_MEMORY if bulk else None),
            keep_order=not bulk,
            config=self.connection_config,
        )
        try:
            handle = Handle(self.path, opening)
        except WarehouseLocked as locked:
            instead = publication(self.path) if read_only else None
            if instead is None:
                raise
            raise WarehouseLocked(f"{locked} {instead}") from locked
        try:
            require_current(handle.connection, self.path)
        except BaseException:
            handle.close()
            raise
        return handle
