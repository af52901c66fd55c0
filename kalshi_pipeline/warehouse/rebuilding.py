"""Giving a table a definition that ALTER cannot give it: DuckDB adds no CHECK and no key to a table that is there.

The table is made anew under its name and filled from the old one, all in the caller's transaction. A row that the new
definition does not admit is moved to ``meta.quarantine`` with what is wrong with it; none is lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kalshi_pipeline.warehouse.errors import MigrationError

_CREATE = re.compile(r"CREATE\s+TABLE\s+(?P<schema>\w+)\.(?P<name>\w+)\s*\(", re.IGNORECASE)
_OLD = "table_before_rebuild"
_FAULTS = "rebuild_faults"


@dataclass(frozen=True)
class Column:
    """A column as the catalogue knows it."""

    name: str
    type: str
    nullable: bool
    default: str | None


@dataclass(frozen=True)
class Constraint:
    """A constraint as the catalogue knows it; a CHECK has an expression, the others have columns."""

    type: str
    expression: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        table: the table.
        kept: rows that the new definition admits.
        quarantined: rows moved to ``meta.quarantine``.
    """

    table: str
    kept: int
    quarantined: int


def rebuild(con: duckdb.DuckDBPyConnection, create: str, *, run_id: str) -> Rebuilt:
    """Replace a table by one of the same name under a new definition, and keep the rows that it admits.

    Columns are matched by name and cast where their type changed; a column that the definition leaves out goes with the
    old table, a new one takes its default. Of rows that share a new key the one stored first is kept. Where the rows
    taken out belong to daily partitions, the loads of those days are counted anew and get a new load id, so that what
    is derived from them follows.

    Args:
        con: a connection inside a transaction.
        create: the new definition, one ``CREATE TABLE schema.name (...)``.
        run_id: who rebuilds, for the quarantine.

    Raises:
        MigrationError: there is no such table, or the definition asks for a value that no stored row can have.
    """
    named = _CREATE.search(create)
    if named is None:
        raise MigrationError("A rebuild needs one CREATE TABLE schema.name (...).")
    schema, name = named["schema"], named["name"]
    before = columns_of(con, schema, name)
    if not before:
        raise MigrationError(f"There is no table {schema}.{name} to rebuild.")
    con.execute(f'ALTER TABLE "{schema}"."{name}" RENAME TO {_OLD}')
    con.execute(create)
    old, new = f'"{schema}".{_OLD}', f'"{schema}"."{name}"'
    after = columns_of(con, schema, name)
    held = {column.name for column in before}
    _refuse_empty_handed(con, old, [c for c in after if c.name not in held])
    shared = [column for column in after if column.name in held]
    _find_faults(con, old, shared, constraints_of(con, schema, name))
    taken_out = _quarantine(con, old, f"{schema}.{name}", before, run_id)
    if taken_out and "partition_date" in held:
        _count_loads_anew(con, old, name, run_id)
    into, values = ", ".join(_quoted(c.name) for c in shared), ", ".join(map(_cast, shared))
    kept = con.execute(
        f"INSERT INTO {new} ({into}) SELECT {values} FROM {old} WHERE rowid NOT IN (SELECT row_id FROM {_FAULTS}) "
        "ORDER BY rowid"
    ).fetchall()
    con.execute(f"DROP TABLE {_FAULTS}")
    con.execute(f"DROP TABLE {old}")
    return Rebuilt(f"{schema}.{name}", int(kept[0][0]), taken_out)


def columns_of(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> list[Column]:
    """The columns of a table of the current database in order; none where there is no such table."""
    return [
        Column(*row)
        for row in con.execute(
            "SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
            [schema, name],
        ).fetchall()
    ]


def constraints_of(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> list[Constraint]:
    """The constraints of a table of the current database."""
    return [
        Constraint(type_, expression, tuple(columns))
        for type_, expression, columns in con.execute(
            "SELECT constraint_type, expression, constraint_column_names FROM duckdb_constraints() "
            "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY ALL",
            [schema, name],
        ).fetchall()
    ]


def _refuse_empty_handed(con: duckdb.DuckDBPyConnection, old: str, added: Sequence[Column]) -> None:
    """A new column that must have a value and has no default would send every row to quarantine."""
    wanting = [column.name for column in added if not column.nullable and column.default is None]
    if wanting and con.execute(f"SELECT EXISTS (FROM {old})").fetchall()[0][0]:
        raise MigrationError(
            f"Columns {wanting} are new, NOT NULL and without a default: no stored row can have them; add a default."
        )


def _find_faults(
    con: duckdb.DuckDBPyConnection, old: str, shared: Sequence[Column], constraints: Sequence[Constraint]
) -> None:
    """Fill :data:`_FAULTS` with the rows that the new definition does not admit, and why."""
    known = {column.name for column in shared}
    reasons = [
        f"CASE WHEN {_quoted(c.name)} IS NOT NULL AND {_cast(c)} IS NULL THEN '{c.name}: not a {c.type}' END"
        for c in shared
    ]
    keys = []
    for constraint in constraints:
        if not set(constraint.columns) <= known:
            continue
        if constraint.type == "CHECK":
            said = str(constraint.expression).replace("'", "''")
            reasons.append(f"CASE WHEN NOT ({constraint.expression}) THEN 'breaks {said}' END")
        elif constraint.type == "NOT NULL":
            (column,) = constraint.columns
            reasons.append(f"CASE WHEN {_quoted(column)} IS NULL THEN '{column}: missing' END")
        elif constraint.type in ("PRIMARY KEY", "UNIQUE"):
            keys.append(constraint.columns)
    converted = ", ".join(f"{_cast(column)} AS {_quoted(column.name)}" for column in shared)
    misfits, broken = reasons[: len(shared)], reasons[len(shared) :]
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {_FAULTS} AS
        WITH converted AS (
            SELECT {converted}, rowid AS row_id, nullif(concat_ws('; ', NULL, {", ".join(misfits)}), '') AS misfit
            FROM {old}
        )
        SELECT row_id, concat_ws('; ', misfit, {", ".join(broken) or "NULL"}) AS reason
        FROM converted WHERE reason != ''
        """
    )
    for key in keys:
        listed = ", ".join(map(_quoted, key))
        con.execute(
            f"""
            INSERT INTO {_FAULTS}
            SELECT row_id, '{", ".join(key)}: the key of another row'
            FROM (
                SELECT {converted}, rowid AS row_id FROM {old} WHERE rowid NOT IN (SELECT row_id FROM {_FAULTS})
            )
            WHERE {" AND ".join(f"{_quoted(name)} IS NOT NULL" for name in key)}
            QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY row_id) > 1
            """
        )


def _quarantine(con: duckdb.DuckDBPyConnection, old: str, table: str, before: Sequence[Column], run_id: str) -> int:
    day = "partition_date" if any(column.name == "partition_date" for column in before) else "NULL"
    row = ", ".join(f"{_quoted(column.name)} := {_quoted(column.name)}" for column in before)
    moved = con.execute(
        f"""
        INSERT INTO meta.quarantine (table_name, partition_date, reason, row_json, run_id, quarantined_at)
        SELECT $table_name, {day}, reason, to_json(struct_pack({row})), $run_id, now()
        FROM {old} AS stored JOIN {_FAULTS} ON stored.rowid = row_id
        """,
        {"table_name": table, "run_id": run_id},
    ).fetchall()
    return int(moved[0][0])


def _count_loads_anew(con: duckdb.DuckDBPyConnection, old: str, dataset: str, run_id: str) -> None:
    con.execute(
        f"""
        UPDATE meta.partition_loads AS loads SET
            load_id = nextval('meta.load_id'), loaded_at = now(), run_id = $run_id,
            rows = loads.rows - gone.rows, quarantined = loads.quarantined + gone.rows
        FROM (
            SELECT partition_date, count(*) AS rows
            FROM {old} AS stored JOIN {_FAULTS} ON stored.rowid = row_id GROUP BY ALL
        ) AS gone
        WHERE loads.dataset = $dataset AND loads.partition_date = gone.partition_date
        """,
        {"dataset": dataset, "run_id": run_id},
    )


def _cast(column: Column) -> str:
    return f"TRY_CAST({_quoted(column.name)} AS {column.type})"


def _quoted(name: str) -> str:
    return f'"{name}"'
