"""Quote activity before an instant, against a count by hand over random quotes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.research.columns import TIMESTAMP
from kalshi_pipeline.warehouse.activity import quote_activity

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = pa.schema({"ladder_id": pa.string(), "asof": TIMESTAMP})


def warehouse(quotes: list[tuple[str, int, float | None]], legs: list[tuple[str, int]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("create schema marts; create schema research; set timezone = 'UTC'")
    con.execute(
        "create table marts.quotes (ticker varchar, available_ts timestamptz, yes_bid double, yes_ask double, "
        "quote_kind varchar, period_minutes integer, source varchar)"
    )
    con.execute("create table research.ladder_legs (ladder_id varchar, ticker varchar, known_at timestamptz)")
    for ticker, hour, bid in quotes:
        row = [ticker, START + timedelta(hours=hour), bid, 0.9, "order_book", "live"]
        con.execute("insert into marts.quotes values (?, ?, ?, ?, ?, null, ?)", row)
    for ticker, hour in legs:
        con.execute("insert into research.ladder_legs values ('L', ?, ?)", [ticker, START + timedelta(hours=hour)])
    return con


@settings(max_examples=30)
@given(
    quotes=st.dictionaries(
        st.tuples(st.sampled_from("ABC"), st.integers(0, 60)), st.one_of(st.none(), st.sampled_from([0.1, 0.2]))
    ),
    instant=st.integers(0, 70),
    hours=st.sampled_from([1, 6, 24]),
)
def test_updates_are_the_changes_of_the_window_over_the_markets_known_by_then(
    quotes: dict[tuple[str, int], Any], instant: int, hours: int
) -> None:
    listed = {"A": 0, "B": 0, "C": 40}
    con = warehouse([(ticker, hour, bid) for (ticker, hour), bid in quotes.items()], list(listed.items()))
    asked = pa.Table.from_pylist([{"ladder_id": "L", "asof": START + timedelta(hours=instant)}], schema=INSTANTS)
    (row,) = quote_activity(con, asked, hours).to_pylist()
    updates = dict.fromkeys(listed, 0)
    for ticker, known in listed.items():
        before: object = "nothing"
        for hour in sorted(hour for name, hour in quotes if name == ticker):
            changed, before = quotes[ticker, hour] != before, quotes[ticker, hour]
            updates[ticker] += changed and known <= instant and instant - hours < hour <= instant
    assert row["updates"] == sum(updates.values())
    assert row["active_markets"] == sum(count > 0 for count in updates.values())
    con.close()
