"""Reading typed columns out of Arrow tables: the few conversions every module of this room needs.

Nothing here knows what a column means.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Instants: TypeAlias = npt.NDArray[np.datetime64]

#: An instant in every table of the project.
TIMESTAMP = pa.timestamp("us", tz="UTC")


def require(table: pa.Table, names: Iterable[str], what: str) -> None:
    """Check that a table has the columns a function reads.

    Raises:
        ValueError: a column is missing; the message names the table and the columns.
    """
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}; it has {', '.join(table.column_names) or 'no column'}.")


def rows(table: pa.Table, schema: pa.Schema) -> list[dict[str, Any]]:
    """A table's columns of a schema as rows, with every instant in UTC.

    Rows must not carry another zone: an import somewhere else in the process (pandera's) can make Arrow drop the zone
    of a ``datetime`` on the way back.
    """
    converted: list[dict[str, Any]] = table.select(schema.names).cast(schema).to_pylist()
    return converted


def instants(table: pa.Table, name: str) -> Instants:
    """A timestamp column as ``datetime64[us]`` in UTC, NaT where it is NULL."""
    column = table[name].cast(TIMESTAMP).cast(pa.timestamp("us"))
    return np.asarray(column.to_numpy(), dtype="datetime64[us]")


def timestamps(values: Instants) -> pa.Array:
    """Instants as an Arrow column in UTC, NULL where they are NaT."""
    return pa.array(values.astype("datetime64[us]"), type=pa.timestamp("us")).cast(TIMESTAMP)


def moment(value: np.datetime64) -> datetime:
    """One instant as an aware ``datetime`` in UTC."""
    naive: datetime = value.astype("datetime64[us]").item()
    return naive.replace(tzinfo=UTC)
