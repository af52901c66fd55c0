"""Arrow tables in and out of the warehouse: the way of everything that pure functions compute.

Validation and replacement are ``writing``'s; this module only hands an Arrow table to it, or a stored table on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import pyarrow as pa

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.writing import WriteReport, write_partition

_INCOMING = "incoming_frame"

#: Rows that one thread takes at a time: as many as DuckDB stores as one group, which that thread then compresses.
_PIECE_ROWS = 122_880


def write_table(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    frame: pa.Table,
    *,
    run_id: str,
    partitions: Sequence[date] | None = None,
    reasons: Mapping[date, str] | None = None,
) -> WriteReport:
    """Replace a table without partitions, or the given days of a partitioned one, by the rows of an Arrow table.

    Raises:
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.write_partition`.
    """
    # In pieces, or a single thread would read it.
    con.register(_INCOMING, pa.Table.from_batches(frame.to_batches(_PIECE_ROWS), frame.schema))
    try:
        return write_partition(
            con, table, _INCOMING, partitions=partitions, run_id=run_id, reasons=reasons, in_memory=True
        )
    finally:
        con.unregister(_INCOMING)


def read_table(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """All rows of ``schema.table``, in no particular order."""
    schema, _, table = name.partition(".")
    return con.sql(f'FROM "{schema}"."{table}"').to_arrow_table()
