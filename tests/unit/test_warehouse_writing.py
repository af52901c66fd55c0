"""A write keeps what holds the schema, sets single faulty rows aside with a reason, and otherwise writes nothing."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, nullcontext, suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandera.pandas as pa
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi_pipeline.schemas.table import Table, column, contracts, dollars, text, timestamp
from kalshi_pipeline.warehouse import validation, writing
from kalshi_pipeline.warehouse.bookkeeping import row_counts
from kalshi_pipeline.warehouse.ddl import ddl
from kalshi_pipeline.warehouse.frames import read_table, write_table
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.opening import second_connection
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import BlockedWrite, WriteReport, append_versions, write_partition

pytestmark = pytest.mark.unit

DAY, NEXT_DAY = date(2026, 6, 1), date(2026, 6, 2)
PRICES = Table(
    schema="raw",
    name="prices",
    grain="one price",
    key=("ticker", "seen_at"),
    partition_column="day",
    columns={
        "ticker": text("Ticker."),
        "seen_at": timestamp("When."),
        "asof": timestamp("A column named like a keyword.", nullable=True),
        "price": dollars("Price.", nullable=True),
        "size": contracts("Size.", nullable=True),
        "mean": column("DOUBLE", "A statistic.", nullable=True),
        "levels": column("DOUBLE[]", "Several statistics.", nullable=True),
        "side": text("Side.", nullable=True, isin=("yes", "no")),
        "n": column("INTEGER", "A count.", nullable=True, checks=[pa.Check.ge(0)]),
        "live": column("BOOLEAN", "A flag.", nullable=True),
        "extra": column("JSON", "An object.", nullable=True),
        "day": column("DATE", "Day."),
    },
)
NOTES = Table(
    schema="research",
    name="notes",
    grain="one note",
    key=("note",),
    columns={"note": text("Note."), "value": column("DOUBLE", "Value.", nullable=True)},
)
VERSIONS = Table(
    schema="raw",
    name="versions",
    grain="one version",
    key=("thing", "observed_at"),
    columns={
        "thing": text("Thing."),
        "observed_at": timestamp("When."),
        "colour": text("Content.", isin=("red", "green", "blue")),
        "content_hash": text("Hash."),
    },
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    database = tmp_path / "kalshi.duckdb"
    migrate(database)
    made = Warehouse(database=str(database))
    with made.write() as con:
        for table in (PRICES, NOTES, VERSIONS):
            con.execute(ddl(table))
    return made


def price(minute: int = 0, *, day: date = DAY, **values: Any) -> dict[str, Any]:
    seen_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
    empty = dict.fromkeys(PRICES.columns)
    return {**empty, "ticker": "A", "seen_at": seen_at, "price": Decimal("0.5"), "day": day, **values}


FRAME = pyarrow.schema(
    [
        ("ticker", pyarrow.string()),
        ("seen_at", pyarrow.timestamp("us", "UTC")),
        ("asof", pyarrow.timestamp("us", "UTC")),
        ("price", pyarrow.decimal128(12, 6)),
        ("size", pyarrow.decimal128(18, 2)),
        ("mean", pyarrow.float64()),
        ("levels", pyarrow.list_(pyarrow.float64())),
        ("side", pyarrow.string()),
        ("n", pyarrow.int32()),
        ("live", pyarrow.bool_()),
        ("extra", pyarrow.string()),
        ("day", pyarrow.date32()),
    ]
)


def frame(rows: list[dict[str, Any]]) -> pyarrow.Table:
    return pyarrow.Table.from_pylist(rows, schema=FRAME)


def write(
    warehouse: Warehouse,
    rows: list[dict[str, Any]],
    days: tuple[date, ...] = (DAY,),
    *,
    run_id: str = "run-1",
    reason: str | None = None,
) -> WriteReport:
    with warehouse.write() as con:
        return write_table(
            con,
            PRICES,
            frame(rows),
            partitions=days,
            run_id=run_id,
            reasons=dict.fromkeys(days, reason) if reason else None,
        )


def stored(warehouse: Warehouse, query: str = "FROM raw.prices ORDER BY ALL") -> list[tuple[Any, ...]]:
    with warehouse.read() as con:
        return con.execute(query).fetchall()


# What is written -----------------------------------------------------------------------------------------------------


@given(values=st.lists(st.decimals(min_value=0, max_value=1, places=6), min_size=1, max_size=30))
@settings(max_examples=15)
def test_decimals_arrive_exactly(values: list[Decimal]) -> None:
    con = _in_memory()
    rows = [price(minute, price=value) for minute, value in enumerate(values)]
    write_table(con, PRICES, frame(rows), partitions=[DAY], run_id="run-1")
    assert [value for (value,) in con.execute("SELECT price FROM raw.prices ORDER BY seen_at").fetchall()] == values


def test_what_is_missing_is_null_and_never_nan(warehouse: Warehouse) -> None:
    write(warehouse, [price(mean=float("nan"), levels=[1.0, float("nan"), None])])
    assert stored(warehouse, "SELECT mean, levels, size, side, n, live, extra FROM raw.prices") == [
        (None, [1.0, None, None], None, None, None, None, None)
    ]


def test_every_type_comes_back_as_it_went(warehouse: Warehouse) -> None:
    row = price(
        asof=datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC), size=Decimal("12345678901234.56"), mean=0.1,
        levels=[0.5, 1.5], side="yes", n=7, live=True, extra='{"a": 1}',
    )  # fmt: skip
    write(warehouse, [row])
    with warehouse.read() as con:
        assert read_table(con, "raw.prices").to_pylist() == [row]


def test_the_same_partition_twice_gives_the_same_rows_and_the_same_load(warehouse: Warehouse) -> None:
    rows = [price(minute) for minute in range(5)]
    assert write(warehouse, rows).inserted == 5
    first = stored(warehouse), stored(warehouse, "FROM meta.partition_loads")
    again = write(warehouse, rows[::-1], run_id="run-2")
    assert (again.inserted, again.unchanged, again.changed_partitions) == (0, 5, ())
    assert (stored(warehouse), stored(warehouse, "FROM meta.partition_loads")) == first


def test_a_late_row_replaces_its_own_day_only(warehouse: Warehouse) -> None:
    loads = "SELECT partition_date, load_id, rows FROM meta.partition_loads ORDER BY 1"
    monday, tuesday = [price(0)], [price(0, day=NEXT_DAY)]
    write(warehouse, [*monday, *tuesday], (DAY, NEXT_DAY))
    (_, first, _), kept = stored(warehouse, loads)
    report = write(warehouse, [*monday, price(1), *tuesday], (DAY, NEXT_DAY))
    assert report.changed_partitions == (DAY,)
    assert (report.inserted, report.updated, report.unchanged) == (1, 0, 2)
    (day, load, rows), still = stored(warehouse, loads)
    assert (day, rows) == (DAY, 2)
    assert load > first
    assert still == kept


def test_rows_are_new_or_altered_or_as_they_were(warehouse: Warehouse) -> None:
    write(warehouse, [price(0), price(1), price(2)])
    report = write(warehouse, [price(1), price(2, mean=0.75), price(3), price(4)])
    assert (report.rows, report.inserted, report.updated, report.unchanged) == (4, 2, 1, 1)
    assert len(stored(warehouse)) == 4


def test_rows_that_are_gone_go(warehouse: Warehouse) -> None:
    write(warehouse, [price(0), price(1)])
    assert write(warehouse, [price(1)]).changed_partitions == (DAY,)
    assert len(stored(warehouse)) == 1
    assert write(warehouse, []).changed_partitions == (DAY,)
    assert stored(warehouse) == []


def test_an_empty_partition_is_recorded_with_its_reason(warehouse: Warehouse) -> None:
    write(warehouse, [], reason="no live snapshot was taken")
    recorded = stored(warehouse, "SELECT dataset, partition_date, rows, quarantined, reason FROM meta.partition_loads")
    assert recorded == [("prices", DAY, 0, 0, "no live snapshot was taken")]
    write(warehouse, [price()])
    assert stored(warehouse, "SELECT rows, reason FROM meta.partition_loads") == [(1, None)]


def test_a_table_without_partitions_is_replaced_whole(warehouse: Warehouse) -> None:
    def put(notes: list[str]) -> WriteReport:
        with warehouse.write() as con:
            return write_table(con, NOTES, pyarrow.table({"note": notes, "value": [0.5] * len(notes)}), run_id="r")

    assert put(["a", "b"]).inserted == 2
    assert put(["b", "c"]) == WriteReport(table="research.notes", rows=2, inserted=1, unchanged=1)
    assert put(["c", "b"]) == WriteReport(table="research.notes", rows=2, inserted=0, unchanged=2)
    assert stored(warehouse, "SELECT note FROM research.notes ORDER BY 1") == [("b",), ("c",)]


def test_the_way_of_writing_fits_the_table(warehouse: Warehouse) -> None:
    with warehouse.write() as con:
        with pytest.raises(ValueError, match=r"raw\.prices has partitions"):
            write_table(con, PRICES, frame([]), run_id="r")
        with pytest.raises(ValueError, match=r"research\.notes has no partitions"):
            write_table(con, NOTES, pyarrow.table({"note": ["a"]}), partitions=[DAY], run_id="r")


def test_of_repeated_rows_the_preferred_one_counts(warehouse: Warehouse) -> None:
    rows = [price(0, n=1), price(0, n=3), price(0, n=2), price(1, n=0), price(2, ticker=None), price(3, ticker=None)]
    with warehouse.write() as con:
        con.register("rows", frame(rows + [price(minute) for minute in range(10, 300)]))
        report = write_partition(con, PRICES, "rows", partitions=[DAY], run_id="r", prefer="n DESC")
    assert stored(warehouse, "SELECT n FROM raw.prices WHERE n IS NOT NULL ORDER BY seen_at") == [(3,), (0,)]
    assert report.quarantined == {"ticker: not_nullable": 2}


def test_many_rows_are_validated_in_pieces(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "CHUNK_ROWS", 64)
    rows = [price(minute, price=Decimal("2.5") if minute in (3, 700) else Decimal("0.5")) for minute in range(1000)]
    report = write(warehouse, rows)
    assert (report.inserted, report.quarantined_rows) == (998, 2)
    assert stored(warehouse, "SELECT count(*), max(price) FROM raw.prices") == [(998, Decimal("0.500000"))]


# What is set aside ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"price": Decimal("1.000001")}, "price: in_range(0.0, 1.0)"),
        ({"price": Decimal("-0.01")}, "price: in_range(0.0, 1.0)"),
        ({"price": Decimal("123456.5")}, "price: not a DECIMAL(10,6)"),
        ({"size": Decimal("-1")}, "size: greater_than_or_equal_to(0)"),
        ({"mean": float("inf")}, "mean: not finite"),
        ({"levels": [0.0, float("-inf")]}, "levels: not finite"),
        ({"side": "maybe"}, "side: isin(['yes', 'no'])"),
        ({"n": -1}, "n: greater_than_or_equal_to(0)"),
        ({"extra": "{not json"}, "extra: not a JSON"),
        ({"ticker": None}, "ticker: not_nullable"),
        ({"day": None}, "day: not_nullable"),
        ({"side": "maybe", "n": -1}, "side: isin(['yes', 'no']); n: greater_than_or_equal_to(0)"),
    ],
)
def test_a_faulty_row_is_set_aside_and_the_rest_is_written(
    warehouse: Warehouse, fault: dict[str, Any], reason: str
) -> None:
    rows = [price(minute) for minute in range(200)]
    rows[50] |= fault
    report = write(warehouse, rows)
    assert (report.rows, report.inserted, report.quarantined) == (199, 199, {reason: 1})
    kept = stored(warehouse, "SELECT table_name, partition_date, reason, row_json, run_id FROM meta.quarantine")
    [(table, day, said, row, run)] = kept
    assert (table, day, said, run) == ("raw.prices", rows[50]["day"], reason, "run-1")
    assert json.loads(row)["ticker"] == rows[50]["ticker"]
    assert stored(warehouse, "SELECT rows, quarantined FROM meta.partition_loads")[0][0] == 199


def test_setting_aside_again_does_not_pile_up(warehouse: Warehouse) -> None:
    rows = [price(minute) for minute in range(200)]
    rows[7]["n"] = -1
    rows[8]["day"] = None
    for _ in range(3):
        assert write(warehouse, rows).quarantined_rows == 2
    assert stored(warehouse, "SELECT count(*) FROM meta.quarantine") == [(2,)]
    rows[7]["n"] = 1
    write(warehouse, rows)
    assert stored(warehouse, "SELECT reason FROM meta.quarantine") == [("day: not_nullable",)]


def test_other_days_keep_what_was_set_aside(warehouse: Warehouse) -> None:
    write(warehouse, [price(m, n=-1 if m == 0 else 1) for m in range(200)])
    write(warehouse, [price(0, day=NEXT_DAY)], (NEXT_DAY,))
    assert stored(warehouse, "SELECT partition_date FROM meta.quarantine") == [(DAY,)]


# What blocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda made: made.drop_columns(["side"]), r"missing columns \['side'\]"),
        (lambda made: made.append_column("shade", made["side"]), r"unknown columns \['shade'\]"),
        (
            lambda made: made.rename_columns(["side2" if name == "side" else name for name in made.column_names]),
            r"missing columns \['side'\] and unknown columns \['side2'\]",
        ),
        (lambda made: pyarrow.concat_tables([made, made.slice(3, 2)]), "2 key.* more than once, the first is ticker A"),
        (
            lambda made: pyarrow.concat_tables([made, frame([price(0, day=date(2026, 5, 31))])]),
            "rows belong to other partitions: 2026-05-31",
        ),
        (
            lambda made: pyarrow.concat_tables([made, frame([price(1000 + m, n=-1) for m in range(4)])]),
            r"4 of 304 rows are faulty, more than 1%: n: greater_than_or_equal_to\(0\) \(4\)",
        ),
    ],
    ids=["missing column", "unknown column", "renamed column", "double key", "other day", "too many faulty rows"],
)  # fmt: skip
def test_a_fault_of_the_whole_writes_nothing(warehouse: Warehouse, change: Any, complaint: str) -> None:
    before = [price(minute, n=1) for minute in range(10)]
    write(warehouse, before)
    was = stored(warehouse), stored(warehouse, "FROM meta.partition_loads")
    with pytest.raises(BlockedWrite, match=rf"raw\.prices: .*{complaint}.*; nothing was written\.") as blocked:
        _write_frame(warehouse, change(frame([price(minute) for minute in range(300)])))
    assert blocked.value.report.table == "raw.prices"
    assert blocked.value.report.inserted == 0
    assert (stored(warehouse), stored(warehouse, "FROM meta.partition_loads")) == was
    assert stored(warehouse, "FROM meta.quarantine") == []


def test_one_percent_is_still_written_and_the_report_says_what_was_found(warehouse: Warehouse) -> None:
    rows = [price(minute, n=-1 if minute < 3 else 1) for minute in range(300)]
    assert write(warehouse, rows).quarantined == {"n: greater_than_or_equal_to(0)": 3}
    with pytest.raises(BlockedWrite) as blocked:
        write(warehouse, rows[:299])
    assert blocked.value.report.quarantined == {"n: greater_than_or_equal_to(0)": 3}
    assert blocked.value.report.rows == 296


@pytest.mark.parametrize(("name", "value"), [("mean", {"low": 0.1}), ("levels", "0.1"), ("seen_at", 12), ("day", True)])
def test_a_column_of_another_kind_blocks(warehouse: Warehouse, name: str, value: object) -> None:
    made = frame([price()])
    odd = made.set_column(made.column_names.index(name), name, pyarrow.array([value]))
    with pytest.raises(BlockedWrite, match=f"1 of 1 rows are faulty.*{name}: not "):
        _write_frame(warehouse, odd)


def test_the_database_itself_rejects_what_slips_past_the_schema(warehouse: Warehouse) -> None:
    for bad in ("'NaN'::DOUBLE", "'Infinity'::DOUBLE"):
        with pytest.raises(duckdb.ConstraintException), warehouse.write() as con:
            con.execute(f"INSERT INTO research.notes VALUES ('a', {bad})")


# Staged by a second connection ---------------------------------------------------------------------------------------


ROW = st.fixed_dictionaries(
    {"minute": st.integers(0, 5), "n": st.integers(-1, 2), "ticker": st.sampled_from(["A", "B", None])}
)


@given(loads=st.lists(st.lists(ROW, max_size=8), min_size=1, max_size=2), filler=st.sampled_from([0, 600]))
@settings(max_examples=15)
def test_a_second_connection_stages_what_one_transaction_does(loads: list[list[dict[str, Any]]], filler: int) -> None:
    one, two = _in_memory(), _in_memory()
    for rows in loads:
        made = frame([price(**row) for row in rows] + [price(100 + minute) for minute in range(filler)])
        assert _put(two, made, apart=True) == _put(one, made, apart=False)
    for query in ("FROM raw.prices", "SELECT partition_date, reason, row_json FROM meta.quarantine"):
        assert two.execute(f"{query} ORDER BY ALL").fetchall() == one.execute(f"{query} ORDER BY ALL").fetchall()


def test_loads_of_one_transaction_see_the_rows_of_each() -> None:
    con = _in_memory()
    con.begin()
    for rows in ([price(0), price(1)], [price(2)], []):
        report = _put(con, frame(rows), apart=True)
        assert isinstance(report, WriteReport) and report.rows == len(rows)
        assert con.execute("SELECT count(*) FROM raw.prices").fetchall() == [(len(rows),)]
    con.rollback()
    assert con.execute("SELECT count(*) FROM raw.prices").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("values", "error"),
    [({"n": 1}, None), ({"n": -1}, BlockedWrite), ({"extra": "one"}, duckdb.ConversionException)],
    ids=["sound", "blocked", "beyond reading"],
)
def test_a_second_connection_leaves_nothing_behind(
    warehouse: Warehouse, values: dict[str, Any], error: type[Exception] | None
) -> None:
    catalogue = """
        SELECT database_name FROM duckdb_databases() WHERE NOT internal
        UNION ALL SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal
        """
    with warehouse.get_connection() as con:
        before = con.execute(catalogue).fetchall()
        con.begin()
        with pytest.raises(error) if error else nullcontext(), second_connection(con) as source:
            source.register("made", frame([price(0, **values)]))
            source.execute("CREATE TEMP VIEW rows AS SELECT * REPLACE (coalesce(n, extra::INTEGER) AS n) FROM made")
            write_partition(con, PRICES, "rows", partitions=[DAY], run_id="r", source=source)
        con.rollback()
        assert con.execute(catalogue).fetchall() == before
    # Readers may have the file: no connection is still open.
    assert stored(warehouse) == []


def test_a_second_connection_is_in_utc_too() -> None:
    with duckdb.connect() as con, second_connection(con) as second:
        assert second.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def _put(con: duckdb.DuckDBPyConnection, made: pyarrow.Table, *, apart: bool) -> WriteReport | str:
    """Write by way of a second connection or without; what was written, or why nothing was."""
    with ExitStack() as stack:
        source = stack.enter_context(second_connection(con)) if apart else con
        source.register("rows", made)
        other = source if apart else None
        try:
            return write_partition(con, PRICES, "rows", partitions=[DAY], run_id="r", prefer="n DESC", source=other)
        except BlockedWrite as blocked:
            return str(blocked)


# Versions ------------------------------------------------------------------------------------------------------------


HISTORY = "SELECT thing, day(observed_at), colour FROM raw.versions ORDER BY ALL"


def observe(warehouse: Warehouse, *seen: tuple[str, int, str]) -> WriteReport:
    rows = {
        "thing": [thing for thing, _, _ in seen],
        "observed_at": [datetime(2026, 6, day, tzinfo=UTC) for _, day, _ in seen],
        "colour": [colour for _, _, colour in seen],
        "content_hash": [colour for _, _, colour in seen],
    }
    with warehouse.write() as con:
        con.register("seen", pyarrow.table(rows))
        return append_versions(con, VERSIONS, "seen", run_id="run-1")


def history(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return stored(warehouse, HISTORY)


def test_a_version_is_added_where_the_content_differs_from_the_one_before(warehouse: Warehouse) -> None:
    assert observe(warehouse, ("a", 1, "red"), ("b", 1, "red")).inserted == 2
    assert observe(warehouse, ("a", 2, "red"), ("b", 2, "blue")) == WriteReport(
        "raw.versions", 2, unchanged=1, updated=1
    )
    observe(warehouse, ("b", 3, "red"))
    assert history(warehouse) == [("a", 1, "red"), ("b", 1, "red"), ("b", 2, "blue"), ("b", 3, "red")]


def test_observing_again_and_replaying_change_nothing(warehouse: Warehouse) -> None:
    seen = [("a", 1, "red"), ("a", 2, "red"), ("a", 3, "blue")]
    observe(warehouse, *seen)
    was = history(warehouse)
    assert observe(warehouse, *seen).inserted == 0
    assert history(warehouse) == was == [("a", 1, "red"), ("a", 3, "blue")]


@given(
    seen=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 28), st.sampled_from(["red", "green", "blue"])),
        unique_by=lambda one: one[:2],
        max_size=8,
    )
)
@settings(max_examples=15)
def test_observations_one_by_one_or_at_once_give_the_runs_of_equal_content(seen: list[tuple[str, int, str]]) -> None:
    expected = []
    for thing in "ab":
        last = None
        for _, day, colour in sorted(one for one in seen if one[0] == thing):
            if colour != last:
                expected.append((thing, day, colour))
            last = colour
    at_once, one_by_one = _in_memory(), _in_memory()
    for con, batches in ((at_once, [seen]), (one_by_one, [[one] for one in sorted(seen, key=lambda one: one[1])])):
        for batch in batches:
            _observe(con, batch)
        assert con.execute(HISTORY).fetchall() == expected


def test_a_late_observation_is_held_against_the_one_before_it_in_time(warehouse: Warehouse) -> None:
    observe(warehouse, ("a", 1, "red"), ("a", 5, "blue"))
    assert observe(warehouse, ("a", 3, "red")).inserted == 0
    report = observe(warehouse, ("a", 4, "green"), ("b", 4, "green"), ("b", 5, "red"))
    assert (report.inserted, report.updated) == (1, 2)


def test_a_faulty_version_is_set_aside_once(warehouse: Warehouse) -> None:
    seen = [(f"t{n}", 1, "red") for n in range(200)]
    seen[9] = ("t9", 1, "pink")
    for _ in range(2):
        assert observe(warehouse, *seen).quarantined == {"colour: isin(['red', 'green', 'blue'])": 1}
    assert stored(warehouse, "SELECT count(*) FROM raw.versions") == [(199,)]
    assert stored(warehouse, "SELECT count(*) FROM meta.quarantine") == [(1,)]


def test_one_thing_observed_twice_at_once_blocks(warehouse: Warehouse) -> None:
    with pytest.raises(BlockedWrite, match="the first is thing a, observed_at 2026-06-01"):
        observe(warehouse, ("a", 1, "red"), ("a", 1, "blue"))
    assert history(warehouse) == []


# Rows in memory ------------------------------------------------------------------------------------------------------

LEVELS = Table(
    schema="research",
    name="levels",
    grain="one level",
    key=("name", "seen_at"),
    partition_column="day",
    columns={
        "name": text("Name.", isin=("low", "high")),
        "seen_at": timestamp("When."),
        "level": column("DOUBLE", "Level.", nullable=True, checks=[pa.Check.in_range(0, 1)]),
        "day": column("DATE", "Day."),
    },
)
_LEVEL_FRAME = pyarrow.schema(
    {
        "name": pyarrow.string(),
        "seen_at": pyarrow.timestamp("us", "UTC"),
        "level": pyarrow.float64(),
        "day": pyarrow.date32(),
    }
)
_LEVEL = st.one_of(st.sampled_from([None, 0.0, 0.5, 1.0]), st.sampled_from([None, 0.5, float("nan"), 7.0]))
_NAMED = st.sampled_from(["low", "high", "high", "high", "neither"])
_LEVEL_ROWS = st.dictionaries(st.tuples(_NAMED, st.integers(0, 3), st.sampled_from([DAY, NEXT_DAY])), _LEVEL)


@given(loads=st.lists(_LEVEL_ROWS, min_size=1, max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sound_rows_are_written_from_memory_as_they_would_be_from_a_staged_copy(
    warehouse: Warehouse, tmp_path: Path, loads: list[dict[tuple[str, int, date], float | None]]
) -> None:
    results = []
    for in_memory in (True, False):
        made, told = Warehouse(database=str(shutil.copy(warehouse.path, tmp_path / "copy.duckdb"))), []
        with made.write() as con:
            con.execute(ddl(LEVELS))
        for load in loads:
            rows = [
                {"name": name, "seen_at": datetime.combine(day, time(hour), UTC), "level": level, "day": day}
                for (name, hour, day), level in load.items()
            ]
            with suppress(BlockedWrite), made.write() as con:
                con.register("levels", pyarrow.Table.from_pylist(rows, schema=_LEVEL_FRAME))
                told.append(
                    write_partition(con, LEVELS, "levels", partitions=[DAY, NEXT_DAY], run_id="r", in_memory=in_memory)
                )
        queries = (
            "FROM research.levels ORDER BY ALL",
            "SELECT dataset, partition_date, load_id, rows, quarantined FROM meta.partition_loads ORDER BY ALL",
            "SELECT partition_date, reason, row_json::VARCHAR FROM meta.quarantine ORDER BY ALL",
        )
        results.append([told, *(stored(made, query) for query in queries)])
    assert results[0] == results[1]


def test_sound_rows_in_memory_are_not_copied_first(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "staged_copy", None)
    notes = pyarrow.table({"note": ["a"], "value": [1.0]})
    with warehouse.write() as con:
        assert write_table(con, NOTES, notes, run_id="r").inserted == 1
        with pytest.raises(TypeError):
            write_table(con, NOTES, notes.set_column(1, "value", [[float("nan")]]), run_id="r")


# Reports -------------------------------------------------------------------------------------------------------------


def test_reports_of_one_table_add_up() -> None:
    total = WriteReport.empty(PRICES)
    total += WriteReport("raw.prices", 4, 2, 1, 1, {"a": 1}, (NEXT_DAY,))
    total += WriteReport("raw.prices", 6, 4, 0, 2, {"a": 1, "b": 2}, (DAY,))
    assert total == WriteReport("raw.prices", 10, 6, 1, 3, {"a": 2, "b": 2}, (DAY, NEXT_DAY))
    assert total.quarantined_rows == 4
    with pytest.raises(ValueError, match="have no sum"):
        total + WriteReport.empty(NOTES)


def test_rows_are_counted_by_table(warehouse: Warehouse) -> None:
    write(warehouse, [price(0), price(1)])
    with warehouse.read() as con:
        counts = row_counts(con)
    assert counts["raw.prices"] == 2
    assert counts["meta.partition_loads"] == 1
    assert counts["research.notes"] == 0


def _write_frame(warehouse: Warehouse, made: pyarrow.Table) -> None:
    with warehouse.write() as con:
        write_table(con, PRICES, made, partitions=[DAY], run_id="run-2")


def _observe(con: duckdb.DuckDBPyConnection, seen: list[tuple[str, int, str]]) -> None:
    rows = [
        {"thing": thing, "observed_at": datetime(2026, 6, day, tzinfo=UTC), "colour": colour, "content_hash": colour}
        for thing, day, colour in seen
    ]
    fields = [(name, pyarrow.string()) for name in ("thing", "colour", "content_hash")]
    schema = pyarrow.schema([*fields, ("observed_at", pyarrow.timestamp("us", "UTC"))])
    con.register("seen", pyarrow.Table.from_pylist(rows, schema=schema))
    append_versions(con, VERSIONS, "seen", run_id="run-1")


def _in_memory() -> duckdb.DuckDBPyConnection:
    from kalshi_pipeline.warehouse.migrations import migrations

    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw;" + migrations()[0].sql)
    con.execute(ddl(PRICES) + ddl(VERSIONS))
    return con
