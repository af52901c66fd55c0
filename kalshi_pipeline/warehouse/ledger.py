"""The tables of the trading boundary: appends the executor's records, and the account's fills and positions.

The journal file is what the executor trusts; these tables are for queries. Rows are added one by one as things happen,
so they do not go through the writing of partitions: the tables' own CHECKs refuse a wrong one, and the executor stops.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import duckdb

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.schemas.trading import INTENT_STEPS, INTENTS, POSITIONS, TRADES
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.sql import identifiers


class TradeLedger:
    """Keeps what the executor did in the ``trading`` schema. Each call is one short transaction.

    Args:
        warehouse: the warehouse; a file that is held by others makes a call wait, and then fail.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def append(self, record: Mapping[str, Any], digest: str) -> None:
        """Add a record of the journal: a step, and with ``intended`` the intent."""
        common = {
            "record_id": digest,
            "number": record["number"],
            "recorded_at": datetime.fromisoformat(record["at"]),
            "client_order_id": record.get("client_order_id", ""),
            "run_id": record.get("run_id", ""),
            "environment": record.get("environment"),
            "is_live": record.get("live", False),
        }
        step = {
            **common,
            "step": record["step"],
            "reasons": [reason["code"] for reason in record.get("reasons", ())],
            "said": record.get("said"),
            "order_id": record.get("order_id"),
            "record": json.dumps(record, sort_keys=True),
        }
        with self._warehouse.write() as con:
            _insert(con, INTENT_STEPS, [step])
            if record["step"] == "intended":
                _insert(con, INTENTS, [{**common, **{name: record[name] for name in _OF_AN_INTENT}}])

    def keep_trades(self, trades: Iterable[Mapping[str, Any]]) -> int:
        """Add fills that are not there yet; returns how many."""
        with self._warehouse.write() as con:
            return _insert(con, TRADES, trades)

    def keep_positions(self, positions: Iterable[Mapping[str, Any]], observed_at: datetime) -> int:
        """Add what the account holds at an instant; returns how many markets."""
        with self._warehouse.write() as con:
            return _insert(con, POSITIONS, [{**row, "observed_at": observed_at} for row in positions])


_OF_AN_INTENT = tuple(name for name in INTENTS.columns if name not in INTENT_STEPS.columns)


def _insert(con: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    names = list(table.columns)
    marks = ", ".join("?" for _ in names)
    added = 0
    for row in rows:
        told = con.execute(
            f"INSERT INTO {table.qualified_name} ({identifiers(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            [row[name] for name in names],
        ).fetchall()
        added += int(told[0][0])
    return added
