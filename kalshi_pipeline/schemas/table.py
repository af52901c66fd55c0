"""The vocabulary in which a table is stated: a grain, a key, and columns with a unit, a type and a range.

A :class:`Table` wraps one pandera schema. Everything else about the table (its DDL, the Dagster column
schema, the drift test against dbt's YAML) is derived from it, so that a column is described once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandera.pandas as pa

#: DuckDB type -> dtype of the pandas frame that pandera validates.
FRAME_DTYPES: Mapping[str, str] = {
    "VARCHAR": "str",
    "JSON": "str",
    "BOOLEAN": "boolean",
    "INTEGER": "Int64",
    "BIGINT": "Int64",
    "DOUBLE": "float64",
    "DATE": "datetime64[us]",
    "TIMESTAMPTZ": "datetime64[us, UTC]",
}

DOLLARS = "DECIMAL(10,6)"
CONTRACTS = "DECIMAL(18,2)"
MONEY = "DECIMAL(18,6)"


def column(
    sql_type: str,
    description: str,
    *,
    unit: str | None = None,
    nullable: bool = False,
    checks: Sequence[pa.Check] = (),
) -> pa.Column:
    """State one column.

    Args:
        sql_type: the DuckDB type the column is stored as.
        description: what the column holds, one sentence.
        unit: the unit of its values, where it has one (``dollars``, ``contracts``, ``seconds``).
        nullable: whether a missing value is allowed. Missing is always NULL, never NaN, never 0.
        checks: pandera checks on single values; a row that fails one is quarantined.
    """
    return pa.Column(
        FRAME_DTYPES.get(sql_type, "float64" if sql_type.startswith("DECIMAL") else "object"),
        checks=list(checks),
        nullable=nullable,
        coerce=True,
        description=description,
        metadata={"sql_type": sql_type, "unit": unit},
    )


def text(description: str, *, nullable: bool = False, isin: Sequence[str] | None = None) -> pa.Column:
    """A VARCHAR column, optionally restricted to a set of words."""
    checks = [pa.Check.isin(list(isin))] if isin else []
    return column("VARCHAR", description, nullable=nullable, checks=checks)


def timestamp(description: str, *, nullable: bool = False) -> pa.Column:
    """A TIMESTAMPTZ column, in UTC."""
    return column("TIMESTAMPTZ", description, unit="UTC", nullable=nullable)


def dollars(description: str, *, nullable: bool = False, low: float = 0.0, high: float = 1.0) -> pa.Column:
    """An exact decimal amount of dollars per contract within ``[low, high]``."""
    return column(DOLLARS, description, unit="dollars", nullable=nullable, checks=[pa.Check.in_range(low, high)])


def contracts(description: str, *, nullable: bool = False) -> pa.Column:
    """An exact, non-negative number of contracts (0.01 granularity)."""
    return column(CONTRACTS, description, unit="contracts", nullable=nullable, checks=[pa.Check.ge(0)])


def money(description: str, *, nullable: bool = False) -> pa.Column:
    """An exact decimal amount of dollars of any size and sign: a fee, a gain, what was paid."""
    return column(MONEY, description, unit="dollars", nullable=nullable)


@dataclass(frozen=True)
class Table:
    """A table that Python writes.

    Attributes:
        schema: the DuckDB schema it lives in (``raw``, ``research``).
        name: its name, in the plural after what it holds.
        grain: what one row is, one sentence.
        key: the columns that identify a row (the primary key).
        columns: its columns in stored order.
        partition_column: the DATE column that says which daily partition a row belongs to, if any.
    """

    schema: str
    name: str
    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, pa.Column]
    partition_column: str | None = None

    @property
    def qualified_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"

    @property
    def frame_schema(self) -> pa.DataFrameSchema:
        """The pandera schema: strict (no unknown, no missing column), unique on the key."""
        return pa.DataFrameSchema(
            dict(self.columns),
            strict=True,
            unique=list(self.key),
            name=self.qualified_name,
            description=self.grain,
        )

    def sql_type(self, name: str) -> str:
        """The DuckDB type of a column."""
        return str(self._metadata(name)["sql_type"])

    def unit(self, name: str) -> str | None:
        """The unit of a column's values, if it has one."""
        unit: str | None = self._metadata(name)["unit"]
        return unit

    def meaning(self, name: str) -> str:
        """What a column holds, with its unit in brackets."""
        unit, said = self.unit(name), self.columns[name].description
        return f"{said} [{unit}]" if unit else str(said)

    def _metadata(self, name: str) -> Mapping[str, Any]:
        return self.columns[name].metadata or {}
