"""An Arrow table under one name whose content is exchanged: how a transaction takes in more than memory holds.

A connection keeps whatever was registered with it until its transaction ends, so that a table for each batch would
pile up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
import pyarrow as pa


class ArrowSlot:
    """What statements read under the slot's name is its content at that moment.

    Args:
        schema: columns of every content.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.content: pa.Table = schema.empty_table()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """The content as a stream, in Arrow's protocol for exchange within a process."""
        return self.content.__arrow_c_stream__(requested_schema)


@contextmanager
def arrow_slots(con: duckdb.DuckDBPyConnection) -> Iterator[Callable[[str, pa.Table], None]]:
    """A way to put tables into slots: statements of ``con`` read under a name what was put there last."""
    slots: dict[str, ArrowSlot] = {}

    def put(name: str, content: pa.Table) -> None:
        if name not in slots:
            slots[name] = ArrowSlot(content.schema)
            con.register(name, slots[name])
        slots[name].content = content

    try:
        yield put
    finally:
        for name, slot in slots.items():
            slot.content = slot.content.schema.empty_table()
            # A statement that failed has ended the transaction, and the name with it.
            with suppress(duckdb.TransactionException):
                con.unregister(name)
