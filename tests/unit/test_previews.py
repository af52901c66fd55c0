"""The first rows of a table beside its materialisation: few, short, and harmless whatever they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from kalshi_pipeline.defs.metadata import first_rows
from kalshi_pipeline.warehouse.previews import CHARACTERS, COLUMNS, ROWS, preview

pytestmark = pytest.mark.unit


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'; create schema marts")
        yield con


def shown(con: duckdb.DuckDBPyConnection, select: str) -> str:
    con.execute(f"create or replace table marts.some as {select}")
    entries: dict[str, Any] = first_rows(preview(con, "marts.some"))
    return str(entries["first rows"].value)


def test_rows_come_as_a_table_in_the_order_they_are_stored_in(con: duckdb.DuckDBPyConnection) -> None:
    select = """select 'A' as ticker, timestamptz '2026-06-30 12:00:00Z' as "asof", null::double as mean"""
    assert shown(con, select).splitlines() == [
        "| ticker | asof | mean |",
        "| --- | --- | --- |",
        "| A | 2026-06-30 12:00:00+00:00 | NULL |",
    ]


def test_few_rows_and_columns_are_shown_and_long_values_are_cut(con: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"repeat('x', 500) as column{n}" for n in range(COLUMNS + 3))
    text = shown(con, f"select {columns} from range(1000)")
    assert text.count("\n| x") == ROWS
    assert text.endswith("\n\n3 more columns.")
    assert "x" * CHARACTERS not in text
    assert len(text) < 2_500


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a | b", r"a \| b"),
        ("one\ntwo\r\n| three", r"one two \| three"),
        ("<script>", "&lt;script&gt;"),
        ("![x](http://a)", r"\!\[x\](http://a)"),
        ("**bold** `code`", r"\*\*bold\*\* \`code\`"),
    ],
)
def test_no_value_ends_a_cell_or_means_anything(con: duckdb.DuckDBPyConnection, value: str, written: str) -> None:
    con.execute("create table given as select ? as rules", [value])
    assert shown(con, "from given").splitlines() == ["| rules |", "| --- |", f"| {written} |"]


def rows_of(con: duckdb.DuckDBPyConnection, *days: date) -> list[tuple[str, ...]]:
    return [row[:1] for row in preview(con, "marts.some", days).rows]


def test_only_rows_of_the_partitions_that_were_made_are_shown(con: duckdb.DuckDBPyConnection) -> None:
    days = "select unnest(['2020-01-31', '2026-06-29', '2026-06-30']) as ticker"
    con.execute(f"create table marts.some as select ticker, ticker::date as partition_date from ({days})")
    assert rows_of(con, date(2026, 6, 30)) == [("2026-06-30",)]
    assert rows_of(con, date(2026, 6, 30), date(2026, 6, 29)) == [("2026-06-29",), ("2026-06-30",)]
    assert rows_of(con, date(2026, 7, 1)) == []


def test_a_table_without_partitions_shows_its_rows_whichever_days_a_run_is_about(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute("create table marts.some as select 'A' as ticker")
    assert rows_of(con, date(2026, 6, 30)) == [("A",)]


def test_an_empty_table_shows_nothing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table marts.some (ticker varchar)")
    assert first_rows(preview(con, "marts.some")) == {}
