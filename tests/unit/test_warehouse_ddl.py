"""The DDL of a stated table says everything its schema says about single rows."""

from __future__ import annotations

import duckdb
import pandera.pandas as pa
import pytest

from kalshi_pipeline.schemas.table import Table, column, contracts, dollars, text
from kalshi_pipeline.warehouse.ddl import ddl

pytestmark = pytest.mark.unit


def table_of(**columns: pa.Column) -> Table:
    return Table(
        schema="main",
        name="things",
        grain="one thing",
        key=("thing",),
        columns={"thing": text("Name."), **columns},
    )


def rejected(table: Table, value: str) -> bool:
    con = duckdb.connect()
    con.execute(ddl(table))
    try:
        con.execute(f"INSERT INTO main.things VALUES ('a', {value})")
    except duckdb.ConstraintException:
        return True
    return False


@pytest.mark.parametrize(
    ("stated", "good", "bad"),
    [
        (dollars("Price."), "0.000001", "1.000001"),
        (dollars("Price."), "1", "NULL"),
        (dollars("Price.", nullable=True), "NULL", "-0.01"),
        (contracts("Count."), "0", "-0.01"),
        (text("Side.", isin=("yes", "it's")), "'it''s'", "'maybe'"),
        (column("DOUBLE", "Mean.", nullable=True), "NULL", "'NaN'::DOUBLE"),
        (column("DOUBLE", "Mean."), "-1e300", "'-Infinity'::DOUBLE"),
        (column("DOUBLE", "Ratio.", checks=[pa.Check.gt(0), pa.Check.lt(1)]), "0.5", "1.0"),
        (column("INTEGER", "Period.", checks=[pa.Check.isin([1, 60])]), "60", "5"),
        (column("INTEGER", "Level.", checks=[pa.Check.le(3)]), "3", "4"),
    ],
)
def test_the_database_takes_what_the_schema_takes(stated: pa.Column, good: str, bad: str) -> None:
    assert not rejected(table_of(value=stated), good)
    assert rejected(table_of(value=stated), bad)


def test_a_key_is_there_once() -> None:
    con = duckdb.connect()
    con.execute(ddl(table_of()))
    with pytest.raises(duckdb.ConstraintException, match="duplicate key"):
        con.execute("INSERT INTO main.things VALUES ('a'), ('a')")


def test_a_table_in_partitions_has_no_index_that_would_have_to_fit_in_memory() -> None:
    partitioned = Table(
        schema="main",
        name="facts",
        grain="one fact",
        key=("day",),
        partition_column="day",
        columns={"day": column("DATE", "Day.")},
    )
    assert "PRIMARY KEY" not in ddl(partitioned)


def test_a_column_named_like_a_keyword_is_quoted() -> None:
    duckdb.connect().execute(ddl(table_of(asof=column("TIMESTAMPTZ", "Instant."))))


def test_a_check_without_a_sql_form_is_named() -> None:
    odd = column("VARCHAR", "Code.", checks=[pa.Check.str_matches("^K")])
    with pytest.raises(ValueError, match="str_matches of column value"):
        ddl(table_of(value=odd))


def test_an_open_range_is_not_written_as_a_closed_one() -> None:
    half_open = column("DOUBLE", "Share.", checks=[pa.Check.in_range(0, 1, include_max=False)])
    with pytest.raises(ValueError, match="closed ranges"):
        ddl(table_of(value=half_open))
