"""Dagster's SQLite storage, with the event log's database engines kept.

A run over a range of days records one event per asset and day. Dagster's own event log makes a new engine for every
event, so a backfill of years spends most of its time compiling the same SQL again. Here every shard keeps its engine;
what is stored, and where, stays Dagster's business. ``dagster.yaml`` names this class.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listen

_BUSY_SECONDS = 20

# Every process of an instance loads its storage first, so a warning about dagster.yaml is settled here: it declares the
# JSON log in a way that Dagster calls beta.
warnings.filterwarnings("ignore", "Handling yaml-defined logging configuration", category=dg.BetaWarning)


class PooledSqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage whose event log is a :class:`PooledEventLog`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = PooledEventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PooledSqliteStorage:
        """Make the storage that ``dagster.yaml`` describes."""
        return cls.from_local(inst_data=inst_data, **config_value)


class PooledEventLog(SqliteEventLogStorage):
    """The SQLite event log with one engine per shard instead of one per statement."""

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        engines: dict[str, Engine] = self.__dict__.setdefault("_engines", {})
        with self._db_lock:
            if shard not in engines:
                engines[shard] = create_engine(
                    self.conn_string_for_shard(shard),
                    # Threads take turns under the lock above, so a connection may move between them.
                    connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
                )
                listen(engines[shard], "connect", _sync_at_checkpoints)
            if shard not in self._initialized_dbs:
                self._initdb(engines[shard])
                self._initialized_dbs.add(shard)
            with engines[shard].connect() as connection, connection.begin():
                yield connection

    def dispose(self) -> None:
        """Close every connection."""
        for engine in self.__dict__.pop("_engines", {}).values():
            engine.dispose()
        super().dispose()


def _sync_at_checkpoints(connection: sqlite3.Connection, _: object) -> None:
    """In SQLite's write-ahead mode a commit survives the process without waiting for the disk."""
    connection.execute("PRAGMA synchronous = NORMAL")
