"""The DDL of a stated table: types, NOT NULL, CHECKs and keys, from its pandera schema.

Migrations are committed text, written with this and never generated at run time; a contract test holds the migrated
catalogue and the stated tables equal.
"""

from __future__ import annotations

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.rules import column_conditions
from kalshi_pipeline.warehouse.sql import identifier, identifiers


def ddl(table: Table) -> str:
    """``CREATE TABLE`` of a stated table.

    A table in daily partitions has its key but no index on it: DuckDB keeps a whole primary key index in memory (about
    55 bytes a row) and spends more time on it than on the rows. A key belongs to one day, so the write holds it.

    Raises:
        ValueError: a column has a check that has no SQL form here.
    """
    lines = [_column(table, name) for name in table.columns]
    if table.partition_column is None:
        lines.append(f"PRIMARY KEY ({identifiers(table.key)})")
    return f"CREATE TABLE {table.qualified_name} (\n" + ",\n".join(f"    {line}" for line in lines) + "\n);\n"


def _column(table: Table, name: str) -> str:
    column = table.columns[name]
    name_ = identifier(name)
    words = [name_, table.sql_type(name)]
    if not column.nullable:
        words.append("NOT NULL")
    if checks := column_conditions(table, name):
        words.append(f"CHECK ({' AND '.join(checks)})")
    return " ".join(words)
