"""Every measure passes on a sound warehouse, fires on the fault it is for, and says when there was nothing to check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from kalshi_pipeline.defs.verification import VerificationConfig, signed_off
from kalshi_pipeline.verification.measures import MEASURES, Measure, baseline_sql
from kalshi_pipeline.verification.page import page, sentence
from kalshi_pipeline.verification.verify import (
    Finding,
    NothingToVerify,
    Verdict,
    Window,
    WindowError,
    default_windows,
    verify,
)

pytestmark = pytest.mark.unit

JUNE = Window("june", date(2026, 6, 1), date(2026, 6, 30))
TARGET = 2

# One event of two markets on one climate day, with two hourly bars each, decided on and settled.
SOUND = """
create schema meta; create schema marts; create schema research; create schema health;
create table meta.schema_version as select unnest([1, 2]) as version;
create table meta.partition_loads as
    select 'candles' as dataset, date '2026-06-10' as partition_date, 200 as rows, 0 as quarantined;
create table marts.markets as
    select unnest(['E-T', 'E-U']) as ticker, 'KXHIGHCHI' as series_ticker, 'E' as event_ticker,
        true as mutually_exclusive, timestamptz '2026-06-10 14:00:00Z' as open_time,
        timestamptz '2026-06-11 05:00:00Z' as close_time;
create table marts.market_settlements as
    select unnest(['E-T', 'E-U']) as ticker, unnest(['yes', 'no']) as outcome_kind;
create table marts.candles as
    select ticker, hour as bucket_start, hour + interval 1 hour as bucket_end, hour + interval 1 hour as available_ts,
        'api_event' as source, 60 as period_minutes, 0.40 as yes_bid_open, 0.44 as yes_ask_open,
        0.41 as yes_bid_close, 0.45 as yes_ask_close, hour::date as partition_date
    from unnest(['E-T', 'E-U']) as markets (ticker),
        unnest([timestamptz '2026-06-10 14:00:00Z', timestamptz '2026-06-10 15:00:00Z']) as hours (hour);
-- A later bar of another event, so that the settlement is due.
insert into marts.markets values
    ('F-T', 'KXHIGHAUS', 'F', false, timestamptz '2026-06-20 14:00:00Z', timestamptz '2026-06-21 05:00:00Z');
insert into marts.candles select 'F-T', timestamptz '2026-06-20 14:00:00Z', timestamptz '2026-06-20 15:00:00Z',
    timestamptz '2026-06-20 15:00:00Z', 'api_event', 60, 0.1, 0.2, 0.1, 0.2, date '2026-06-20';
create table research.hybrid_backtest as
    select 'KXHIGHCHI' as series_ticker, unnest(['E-T', 'E-U']) as ticker,
        timestamptz '2026-06-10 15:00:00Z' as decision_ts, timestamptz '2026-06-10 15:00:00Z' as available_ts,
        'filled' as stage, null::varchar as reason;
-- Stands for the health models' own function, which has its tests there.
create table decisions as
    select 'KXHIGHCHI' as series_ticker, unnest(['E-T', 'E-U']) as ticker, true as was_open, true as is_covered,
        unnest([1, 0]) as days_before, timestamptz '2026-06-10 15:00:00Z' as decision_at;
create macro health.decision_times_between(since, until) as table
    select * from decisions where decision_at::date between cast(since as date) and cast(until as date);
"""

FAULTS = {
    "schema_state": "delete from meta.schema_version where version = 2",
    "baseline_coverage": "delete from marts.candles where ticker like 'E-%'",
    "decision_coverage": "update decisions set is_covered = false where ticker = 'E-T'",
    "crossed_spreads": "update marts.candles set yes_bid_close = 0.46 where ticker = 'E-T'",
    "missing_opens": "delete from marts.candles where ticker = 'E-T' and bucket_start < '2026-06-10 15:00:00Z'; "
    "update marts.candles set bucket_end = '2026-06-10 16:01:00Z' where ticker = 'E-T'",
    "continuity": "update marts.candles set bucket_start = '2026-06-10 17:01:00Z', bucket_end = '2026-06-10 18:01:00Z' "
    "where ticker = 'E-T' and bucket_start = '2026-06-10 15:00:00Z'",
    "parity": "delete from marts.candles where ticker = 'E-U'",
    "unique_bars": "insert into marts.candles select * from marts.candles where ticker = 'E-T' limit 1",
    "bar_times": "update marts.candles set bucket_end = bucket_end + interval 1 minute where ticker = 'E-T'",
    "settled": "delete from marts.market_settlements where ticker = 'E-T'",
    "one_winner": "update marts.market_settlements set outcome_kind = 'no'",
    "quarantined": "update meta.partition_loads set quarantined = 3",
    "explained_trades": "update research.hybrid_backtest set stage = 'edge', reason = 'not_filled'",
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(SOUND)
        yield con


def finding(con: duckdb.DuckDBPyConnection, name: str) -> Finding:
    measures = [measure for measure in MEASURES if measure.name == name]
    return verify(con, [JUNE], target=TARGET, measures=measures).findings[0]


def test_every_measure_has_a_fault_that_shows_it() -> None:
    assert set(FAULTS) == {measure.name for measure in MEASURES}


@pytest.mark.parametrize("name", FAULTS)
def test_a_measure_passes_on_a_sound_warehouse_and_fires_on_its_fault(
    con: duckdb.DuckDBPyConnection, name: str
) -> None:
    before = finding(con, name)
    assert (before.verdict, before.faulty) == (Verdict.PASSED, 0)
    con.execute(FAULTS[name])
    after = finding(con, name)
    assert after.verdict is Verdict.FAILED
    assert after.subjects[0][2] > 0


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"schema_state"}))
def test_a_window_with_nothing_to_check_is_not_passed(con: duckdb.DuckDBPyConnection, name: str) -> None:
    measures = [measure for measure in MEASURES if measure.name == name]
    (found,) = verify(con, [Window("w", date(2020, 1, 1), date(2020, 1, 9))], target=TARGET, measures=measures).findings
    assert (found.verdict, found.share) == (Verdict.NO_DATA, None)


def test_bars_of_a_market_nobody_knows_break_parity(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update marts.candles set ticker = 'GONE' where ticker = 'F-T'")
    assert ("unknown market", 1, 1) in finding(con, "parity").subjects


def test_gaps_are_counted_apart_for_the_day_before_and_the_day_itself(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(FAULTS["decision_coverage"])
    assert finding(con, "decision_coverage").subjects == (
        ("KXHIGHCHI, the day before", 1, 1),
        ("KXHIGHCHI, the day itself", 1, 0),
    )


def test_a_market_that_was_not_open_at_a_decision_counts_for_nothing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update decisions set was_open = false, is_covered = false where ticker = 'E-U'")
    assert (finding(con, "decision_coverage").checked, finding(con, "decision_coverage").faulty) == (1, 0)


def test_daily_bars_may_last_an_hour_less_or_more(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update marts.candles set period_minutes = 1440, bucket_end = bucket_start + interval 25 hour")
    assert finding(con, "bar_times").verdict is Verdict.PASSED


def test_crossed_quotes_have_to_stay_below_a_tenth_of_a_percent() -> None:
    (crossed,) = [measure for measure in MEASURES if measure.name == "crossed_spreads"]
    assert crossed.passes(100_000, 99)
    assert not crossed.passes(100_000, 100)


def test_decisions_need_ninety_five_percent() -> None:
    (decided,) = [measure for measure in MEASURES if measure.name == "decision_coverage"]
    assert decided.passes(100, 5)
    assert not decided.passes(1_000, 51)


def test_a_window_is_signed_off_when_nothing_failed_and_what_is_needed_was_there(
    con: duckdb.DuckDBPyConnection,
) -> None:
    empty = Window("empty", date(2020, 1, 1), date(2020, 1, 9))
    found = verify(con, [JUNE, empty], target=TARGET)
    assert (found.signed_off(JUNE), found.signed_off(empty)) == (Verdict.PASSED, Verdict.NO_DATA)
    assert signed_off(found).passed
    con.execute(FAULTS["unique_bars"])
    found = verify(con, [JUNE, empty], target=TARGET)
    assert found.signed_off(JUNE) is Verdict.FAILED
    assert "Failed: unique_bars." in sentence(found)
    result = signed_off(found)
    assert not result.passed
    assert list(result.metadata) == ["june: unique_bars"]


def test_the_page_is_dated_and_holds_the_tables_and_the_queries(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(FAULTS["crossed_spreads"])
    text = page(verify(con, [JUNE], target=TARGET), datetime(2026, 7, 1, 9, 30, tzinfo=UTC))
    assert "Verified 2026-07-01 09:30 UTC; data until 2026-06-20T15:00+00:00." in text
    assert "## june: 2026-06-01 to 2026-06-30: failed" in text
    assert re.search(r"\| crossed_spreads \|.*\| 5 \| 2 \| 40.00% \| below 0.1% \| \*\*failed\*\* \|", text)
    assert "- crossed_spreads: KXHIGHCHI 2 of 4" in text
    assert "| KXHIGHCHI | 2026-06 | 1 | 2 | 2 | 4 |  |" in text
    assert all(sql.strip() in text for sql in [*(measure.sql for measure in MEASURES), baseline_sql()])


def test_the_baseline_counts_by_event_date_and_names_closed_events_without_a_bar(
    con: duckdb.DuckDBPyConnection,
) -> None:
    # Of the last day of May, though it closes on the first of June in UTC; eleven more have no bar, one is to close.
    con.execute("""
        insert into marts.markets
        select 'M-' || day || '-T', 'KXHIGHCHI', 'M-' || day, true, timestamptz '2026-05-01 00:00:00Z',
            timestamptz '2026-05-21 05:00:00Z' + to_days(day::integer) from range(12) as days (day);
        insert into marts.markets values ('N-T', 'KXHIGHCHI', 'N', true, timestamptz '2026-06-20 00:00:00Z',
            timestamptz '2026-06-22 05:00:00Z');
    """)
    con.execute(
        "insert into marts.candles select * replace ('M-3-T' as ticker) from marts.candles where ticker = 'E-T'"
    )
    text = page(verify(con, [JUNE], target=TARGET), datetime(2026, 7, 1, 9, 30, tzinfo=UTC))
    named = ", ".join(f"M-{day}" for day in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10))
    assert f"| KXHIGHCHI | 2026-05 | 12 | 12 | 1 | 2 | {named}, and 1 more |" in text
    assert "| KXHIGHCHI | 2026-06 | 2 | 3 | 2 | 4 |  |" in text


def test_the_windows_are_the_fixed_one_and_the_last_sixty_days(con: duckdb.DuckDBPyConnection) -> None:
    fixed, last = verify(con, target=TARGET).windows
    assert (fixed.first_day, fixed.last_day) == (date(2025, 9, 29), date(2025, 11, 27))
    assert (last.first_day, last.last_day) == (date(2026, 4, 22), date(2026, 6, 20))
    assert default_windows(None) == (fixed,)


def test_verification_changes_nothing(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute(f"attach '{tmp_path / 'w.duckdb'}' as file; copy from database memory to file; detach file")
    before = (tmp_path / "w.duckdb").read_bytes()
    with duckdb.connect(tmp_path / "w.duckdb", read_only=True) as reading:
        reading.execute("set TimeZone = 'UTC'")
        verify(reading, [JUNE], target=TARGET)
    assert (tmp_path / "w.duckdb").read_bytes() == before
    assert all(_reads(sql) for sql in [*(measure.sql for measure in MEASURES), baseline_sql()])


def _reads(sql: str) -> bool:
    code = re.sub(r"--.*", "", sql)
    return code.strip().startswith(("select", "with")) and ";" not in code


@pytest.mark.parametrize("text", ["2026-06-01", "a/b", "2026-06-30/2026-06-01", "2026-06-01/"])
def test_a_window_that_is_none_is_named(text: str) -> None:
    with pytest.raises(WindowError, match="window"):
        VerificationConfig(windows=[text]).read()


def test_a_window_is_two_days_with_a_slash_between() -> None:
    assert VerificationConfig(windows=["2026-06-01/2026-06-30"]).read() == [
        Window("2026-06-01/2026-06-30", JUNE.first_day, JUNE.last_day)
    ]


def test_before_any_day_was_filled_there_is_nothing_to_verify() -> None:
    with duckdb.connect() as empty, pytest.raises(NothingToVerify, match="kalshi-pipeline backfill"):
        verify(empty, [JUNE], target=TARGET)


def test_a_measure_names_its_query_and_its_fault() -> None:
    assert all(isinstance(measure, Measure) and measure.says.endswith(".") and measure.sql for measure in MEASURES)
