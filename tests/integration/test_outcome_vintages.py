"""Three feeds of published values become one append-only table of statements, each with the moment it was known."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from kalshi_pipeline.defs.raw import statistic_rules
from kalshi_pipeline.exchange.alfred import ALFRED_URL, KeyInQuery, vintages
from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.pacing import Pace
from kalshi_pipeline.landing.report import LandingFailed
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.vintages import land_vintages
from kalshi_pipeline.sandbox.server import SandboxServer
from kalshi_pipeline.settings import Settings, Source, SourceKind
from kalshi_pipeline.warehouse.loaders.outcomes import VintagesFileError, load_outcome_vintages
from kalshi_pipeline.warehouse.migrations import migrate
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import BlockedWrite, WriteReport
from tests.landed import landed, response

pytestmark = pytest.mark.integration

SETTLED = datetime(2026, 2, 11, 14, tzinfo=UTC)


class Loads:
    """A warehouse that takes in feeds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        migrate(folder / "kalshi.duckdb")
        self.warehouse = Warehouse(database=str(folder / "kalshi.duckdb"))

    def settle(self, text: str | None, ticker: str = "M", at: datetime = SETTLED) -> None:
        with self.warehouse.write() as con:
            con.execute(
                "INSERT INTO raw.settlements (ticker, event_ticker, series_ticker, result, expiration_value, "
                "learned_at, learned_at_basis, observed_at, content_hash, ingested_at, unit_id) "
                "VALUES (?, 'E', 'KXCPI', 'yes', ?, ?, 'settlement_ts', ?, ?, ?, 'unit')",
                [ticker, text, at, at, str(at), at],
            )

    def __call__(self, *lines: str, file: Path | None = None) -> WriteReport:
        files = landed(self.folder / f"{len(lines)}.jsonl.gz", *lines) if lines else []
        with self.warehouse.write() as con:
            return load_outcome_vintages(con, files, statistic_rules(), file, run_id="run")

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        with self.warehouse.read() as con:
            return con.execute(f"SELECT {columns} FROM raw.outcome_vintages ORDER BY ALL").fetchall()


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    return Loads(tmp_path)


def archive_line(series: str, *observations: tuple[str, str, str], received_at: str = "2026-07-01T00:00:00Z") -> str:
    rows = [
        {"realtime_start": start, "realtime_end": "9999-12-31", "date": period, "value": value}
        for start, period, value in observations
    ]
    return response({"observations": rows}, series_ticker=series, received_at=received_at)


# Settlements ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4.2%", 4.2),
        (".9%", 0.9),
        ("147,000", 147_000),
        ("$1,234.5", 1234.5),
        ("0.4", 0.4),
        ("-0.1", -0.1),
        ("-$25,000", -25_000),
        ("60010.25", 60010.25),
        ("68.00", 68),
        ("1,234,567", 1_234_567),
        ("4.2 %", 4.2),
        (" +0.3 ", 0.3),
        ("5.", 5),
    ],
)
def test_a_settlement_text_is_read_as_the_number_it_states(loads: Loads, text: str, value: float) -> None:
    loads.settle(text)
    assert loads().inserted == 1
    assert loads.rows("source, release_id, stated_by, value_text, value, reject_reason, learned_at") == [
        ("exchange_settlement", "E", "M", text.strip(), value, None, SETTLED)
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("Above 4%", "N/A", "1,23", "12,3456", "4.00-4.25", "1e5", "147K", "4.2%%", "--1", ".", "%", "73F"),
        *("0.4 0.5", "nan", "inf", "void", "5.25%-5.50%"),
    ],
)
def test_free_text_is_kept_with_its_reason_and_never_guessed(loads: Loads, text: str) -> None:
    loads.settle(text)
    loads()
    assert loads.rows("value_text, value, reject_reason") == [(text, None, "not_a_number")]


def test_a_market_without_a_text_states_nothing(loads: Loads) -> None:
    loads.settle(None, "losing")
    loads.settle("", "won")
    assert loads().inserted == 0


def test_a_statement_is_added_once(loads: Loads) -> None:
    loads.settle("0.4")
    line = archive_line("KXU3", ("2026-02-06", "2026-01-01", "4.3"))
    assert loads(line).inserted == 2
    assert (loads(line).inserted, loads(line).unchanged) == (0, 2)


# The archive of vintages ---------------------------------------------------------------------------------------------


def test_a_vintage_is_known_from_the_release_time_of_its_day(loads: Loads) -> None:
    loads(
        archive_line("KXU3", ("2026-02-06", "2026-01-01", "4.3"), ("2026-06-05", "2026-05-01", "4.1")),
        archive_line("KXPAYROLLS", ("2026-02-06", "2026-01-01", "147"), ("2026-03-06", "2026-01-01", "131")),
    )
    columns = "release_id, reference_period, stated_by, value, learned_at, learned_at_basis, event_ticker"
    january, may = date(2026, 1, 1), date(2026, 5, 1)
    at = [datetime(2026, month, day, hour, 30, tzinfo=UTC) for month, day, hour in ((2, 6, 13), (3, 6, 13), (6, 5, 12))]
    assert loads.rows(columns) == [
        ("KXPAYROLLS:2026-01-01", january, "PAYEMS", 131_000.0, at[1], "release_time", None),
        ("KXPAYROLLS:2026-01-01", january, "PAYEMS", 147_000.0, at[0], "release_time", None),
        ("KXU3:2026-01-01", january, "UNRATE", 4.3, at[0], "release_time", None),
        ("KXU3:2026-05-01", may, "UNRATE", 4.1, at[2], "release_time", None),
    ]


def test_a_computed_change_is_put_on_the_published_grid(loads: Loads) -> None:
    loads(archive_line("KXCPI", ("2026-02-11", "2026-01-01", "0.29871"), ("2026-03-11", "2026-02-01", "-0.06")))
    assert loads.rows("value_text, value") == [("-0.06", -0.1), ("0.29871", 0.3)]


def test_a_period_without_a_value_is_none_and_an_unreadable_one_is_quarantined(loads: Loads) -> None:
    sound = [("2026-02-06", f"2015-{month:02}-01", "4.3") for month in range(1, 13)] * 9
    many = [(f"20{10 + n // 12}-02-06", period, value) for n, (_, period, value) in enumerate(sound)]
    report = loads(archive_line("KXU3", *many, ("2026-02-06", "2026-01-01", "."), ("2026-02-06", "2025-12-01", "?")))
    assert (report.inserted, report.quarantined) == (108, {"value: unreadable": 1})


def test_a_correction_of_an_old_vintage_is_a_further_statement(loads: Loads) -> None:
    loads(archive_line("KXU3", ("2026-02-06", "2026-01-01", "4.3")))
    loads(archive_line("KXU3", ("2026-02-06", "2026-01-01", "4.4"), received_at="2026-08-01T00:00:00Z"))
    assert [value for (value,) in loads.rows("value")] == [4.3, 4.4]


def answers(status: int = 200) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json={"observations": []})

    return httpx.MockTransport(answer), asked


def test_the_key_travels_with_the_request_and_is_kept_nowhere(tmp_path: Path) -> None:
    http, asked = answers()
    with KalshiClient(ALFRED_URL, pace=Pace(1000), auth=KeyInQuery("s3cret"), http=http) as client:
        answer = vintages(client, "PAYEMS", "chg")
        land_vintages(client, LandingStore(tmp_path), {"KXPAYROLLS": ("PAYEMS", "chg")}, "run")
    assert [request.url.params["api_key"] for request in asked] == ["s3cret"] * 2
    assert asked[0].url.params["series_id"] == "PAYEMS"
    assert asked[0].url.params["realtime_start"] == "1776-07-04"
    assert "s3cret" not in answer.url
    assert "s3cret" not in repr(Settings(fred_api_key="s3cret"))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"s3cret" not in (gzip.decompress(content) if path.suffix == ".gz" else content)


def test_a_statistic_that_cannot_be_fetched_is_named(tmp_path: Path) -> None:
    http, _ = answers(400)
    with (
        KalshiClient(ALFRED_URL, pace=Pace(1000), http=http) as client,
        pytest.raises(LandingFailed, match="KXPAYROLLS"),
    ):
        land_vintages(client, LandingStore(tmp_path), {"KXPAYROLLS": ("PAYEMS", "chg")}, "run")


def test_the_embedded_archive_serves_what_the_registry_asks_for(loads: Loads, tmp_path: Path) -> None:
    statistics: Mapping[str, tuple[str, str]] = {
        rule.series_ticker: (rule.statistic, units)
        for rule in statistic_rules()
        for units in ({"PAYEMS": "chg", "UNRATE": "lin", "CPIAUCNS": "pc1"}.get(rule.statistic or "", "pch"),)
        if rule.statistic and rule.series_ticker in ("KXCPI", "KXCPICORE", "KXCPIYOY", "KXU3", "KXPAYROLLS")
    }
    assert len(statistics) == 5
    store = LandingStore(tmp_path / "landing")
    with SandboxServer("sandbox", seed=1, now=datetime(2026, 7, 1, tzinfo=UTC)) as server:
        url = server.base_url.replace("/trade-api/v2", "/fred")
        with KalshiClient(url, pace=Pace(1000)) as client:
            land_vintages(client, store, statistics, "run")
    with loads.warehouse.write() as con:
        load_outcome_vintages(con, store.files("outcome_vintages"), statistic_rules(), run_id="run")
    assert {series for (series,) in loads.rows("DISTINCT series_ticker")} == set(statistics)
    assert loads.rows("max(learned_at) < '2026-07-02'::TIMESTAMPTZ, count(*) > 400") == [(True, True)]


# A file of published values -------------------------------------------------------------------------------------------


def test_a_file_states_values_by_period_and_publication(loads: Loads, tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    file.write_text(
        "series_ticker,reference_period,published_at,value\n"
        "KXU3,2026-01-01,2026-02-06T13:30:00Z,4.3\n"
        "KXU3,2026-01-01,2026-03-06,4.3\n"
        "KXU3,2026-01-01,2026-04-03,4.2\n"
        "KXHIGHNY,2026-01-05,2026-01-06,41\n"
    )
    loads(file=file)
    assert loads.rows("release_id, stated_by, value, learned_at, learned_at_basis") == [
        ("KXHIGHNY:2026-01-05", "values.csv", 41.0, datetime(2026, 1, 7, 5, tzinfo=UTC), "end_of_day"),
        ("KXU3:2026-01-01", "values.csv", 4.2, datetime(2026, 4, 3, 12, 30, tzinfo=UTC), "release_time"),
        ("KXU3:2026-01-01", "values.csv", 4.3, datetime(2026, 2, 6, 13, 30, tzinfo=UTC), "published_at"),
    ]


def test_payroll_levels_settle_as_the_change_within_one_release(loads: Loads, tmp_path: Path) -> None:
    file = tmp_path / "levels.parquet"
    duckdb.sql(
        f"""
        COPY (FROM (VALUES
            ('2026-01', '2026-02', 158000000), ('2026-02', '2026-03', 158200000),
            ('2026-01', '2026-03', 158050000), ('2026-02', '2026-04', 158200000), ('2026-01', '2026-04', 158020000)
        ) AS levels (ref_month, release_month, employment_sa)) TO '{file}'
        """
    )
    loads(file=file)
    assert loads.rows("release_id, value, learned_at, learned_at_basis") == [
        ("KXPAYROLLS:2026-02-01", 150_000.0, datetime(2026, 4, 1, 4, tzinfo=UTC), "end_of_month"),
        ("KXPAYROLLS:2026-02-01", 180_000.0, datetime(2026, 5, 1, 4, tzinfo=UTC), "end_of_month"),
    ]


@pytest.mark.parametrize("content", [None, "period,value\n2026-01-01,4.3\n"], ids=["absent", "other columns"])
def test_a_file_that_cannot_be_used_is_refused_by_name(loads: Loads, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "values.csv"
    if content:
        file.write_text(content)
    with pytest.raises(VintagesFileError, match=r"values\.csv"):
        loads(file=file)


def test_a_file_of_faulty_rows_writes_nothing(loads: Loads, tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    file.write_text("series_ticker,reference_period,published_at,value\nKXU3,January,2026-02-06,4.3\n")
    with pytest.raises(BlockedWrite):
        loads(file=file)
    assert loads.rows("count(*)") == [(0,)]


def test_a_recorded_world_brings_its_own_file(tmp_path: Path) -> None:
    world = Settings(source=Source(SourceKind.RECORDED, tmp_path))
    assert world.vintages_file is None
    (tmp_path / "outcome_vintages.parquet").touch()
    assert world.vintages_file == tmp_path / "outcome_vintages.parquet"
    assert Settings().vintages_file is None
    assert Settings(outcome_vintages=Path("mine.csv")).vintages_file == Path("mine.csv")


def test_recorded_payroll_vintages_repeat_what_the_exchange_settled(loads: Loads, shared_dir: Path) -> None:
    world = shared_dir / "recorded" / "payrolls_to_2024_07"
    loads(file=world / "outcome_vintages.parquet")
    with loads.warehouse.read() as con:
        first = con.execute(
            "SELECT upper(strftime(reference_period, '%y%b')), arg_min(value, learned_at), "
            "count(*) OVER (PARTITION BY min(learned_at)) = 1 FROM raw.outcome_vintages GROUP BY reference_period"
        ).fetchall()
    settled = duckdb.sql(
        "SELECT DISTINCT split_part(event_ticker, '-', 2)[:5], replace(expiration_value, ',', '')::DOUBLE "
        f"FROM '{world}/markets.parquet'"
    ).fetchall()
    assert len(settled) == 16
    alone = {period: value for period, value, is_alone in first if is_alone}
    together = {period: value for period, value, is_alone in first if not is_alone}
    assert {period: value for period, value in settled if period in alone} == {
        period: alone[period] for period, _ in settled if period in alone
    }
    # Two releases were not recorded, so that two months appear at once and the older one is no first print any more.
    assert {period for period, value in settled if together.get(period, value) != value} == {"23NOV", "24FEB"}
