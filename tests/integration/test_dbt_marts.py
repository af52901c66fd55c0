"""The marts hold what the raw tables say, refuse what would be a lie, and build again only what was loaded again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from tests.integration.dbt_warehouse import CLOSE, DAY, NOON, OPEN, DbtWarehouse, Outcome, parsed_runner

pytestmark = pytest.mark.integration

NEXT_DAY = DAY + timedelta(days=1)
EVENT, MARKET = "KXCPI-26JAN", "KXCPI-26JAN-T0.3"
FACTS = ("quotes", "candles", "trades")


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtWarehouse]:
    """Copies beside the warehouse: migrated only; with a series, event and market built; with facts besides."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("dbt")
        runner = parsed_runner(monkeypatch, folder / "kalshi.duckdb")
        warehouse = DbtWarehouse.migrated(folder, runner)
        shutil.copy(warehouse.database, folder / "migrated.duckdb")
        for dataset in ("series", "events", "markets"):
            warehouse.observe(dataset, {})
        assert warehouse.build().success
        shutil.copy(warehouse.database, folder / "described.duckdb")
        for dataset in FACTS:
            warehouse.load(dataset, {})
        warehouse.observe("settlements", {"expiration_value": "0.4"})
        assert warehouse.build().success
        shutil.copy(warehouse.database, folder / "filled.duckdb")
        yield warehouse


def _restored(templates: DbtWarehouse, name: str) -> DbtWarehouse:
    """The template at the one path that the parsed project names."""
    for path in templates.database.parent.glob("kalshi.duckdb*"):
        path.unlink()
    shutil.copy(templates.database.with_name(name), templates.database)
    return templates


@pytest.fixture
def migrated(templates: DbtWarehouse) -> DbtWarehouse:
    """A warehouse that dbt has never seen, without a row."""
    return _restored(templates, "migrated.duckdb")


@pytest.fixture
def warehouse(templates: DbtWarehouse) -> DbtWarehouse:
    """A warehouse with one series, event and market, built."""
    return _restored(templates, "described.duckdb")


@pytest.fixture
def filled(templates: DbtWarehouse) -> DbtWarehouse:
    """The same with one snapshot, bar, trade and outcome, built."""
    return _restored(templates, "filled.duckdb")


def _build_facts(warehouse: DbtWarehouse, *arguments: str) -> Outcome:
    return warehouse.dbt("run", "--select", *FACTS, *arguments)


def _build_reference(warehouse: DbtWarehouse) -> None:
    built = warehouse.dbt("run", "--select", "marts,tag:reference")
    assert built.success, built.messages


def _minute(number: int, **values: Any) -> dict[str, Any]:
    start = NOON + timedelta(minutes=number)
    return {"bucket_start": start, "bucket_end": start + timedelta(minutes=1), **values}


def _mark(warehouse: DbtWarehouse) -> None:
    """Change every fact row behind dbt's back, so that a row built again is told from one left alone."""
    for table in FACTS:
        warehouse.execute(f"update marts.{table} set ingested_at = '2000-01-01T00:00:00Z'")


def _left_alone(warehouse: DbtWarehouse, table: str, day: date) -> list[bool]:
    """Of every row of a day, whether it still bears its mark."""
    sql = f"select ingested_at = '2000-01-01T00:00:00Z' from marts.{table} where partition_date = '{day}'"
    return [marked for (marked,) in warehouse.rows(sql)]


# --- building


def test_the_unit_tests_of_the_models_pass(warehouse: DbtWarehouse) -> None:
    tested = warehouse.dbt("test", "--select", "test_type:unit")
    assert tested.success, tested.messages
    assert len(tested.statuses) >= 13


def test_an_empty_warehouse_builds_group_by_group_without_a_warning(migrated: DbtWarehouse) -> None:
    for group in ("tag:reference", "tag:daily", "tag:health"):
        built = migrated.build("--select", group)
        assert set(built.statuses.values()) == {"success", "pass"}, built.messages


def test_layers_are_schemas_and_descriptions_are_stored(warehouse: DbtWarehouse) -> None:
    schemas = {
        schema
        for (schema,) in warehouse.rows(
            "select distinct schema_name from duckdb_views() "
            "where not internal and schema_name not in ('meta', 'research')"
        )
    }
    assert schemas == {"staging", "intermediate"}
    assert warehouse.rows("select comment from duckdb_tables() where schema_name = 'health' and comment is null") == []
    assert warehouse.rows("select comment from duckdb_tables() where schema_name = 'marts' and comment is null") == []
    assert (
        warehouse.rows(
            "select column_name from duckdb_columns() where schema_name = 'marts' and comment is null and table_oid in "
            "(select table_oid from duckdb_tables() where schema_name = 'marts')"
        )
        == []
    )


# --- incremental facts


def test_a_build_with_nothing_new_builds_no_row_again(filled: DbtWarehouse) -> None:
    for dataset in FACTS:
        filled.load(dataset, day=NEXT_DAY)
    _mark(filled)
    assert _build_facts(filled).success
    assert [_left_alone(filled, table, DAY) for table in FACTS] == [[True, True], [True], [True]]


def test_a_late_reload_of_an_old_day_builds_that_day_only(filled: DbtWarehouse) -> None:
    filled.load("candles", _minute(1440), day=NEXT_DAY)
    assert _build_facts(filled).success
    _mark(filled)

    filled.load("candles", _minute(0), _minute(1, yes_bid_close=0.41))
    assert _build_facts(filled).success
    bids = filled.rows(f"select yes_bid_close::double from marts.candles where partition_date = '{DAY}' order by all")
    assert bids == [(0.40,), (0.41,)]
    assert _left_alone(filled, "candles", DAY) == [False, False]
    assert _left_alone(filled, "quotes", DAY) == [False, False, False]
    assert _left_alone(filled, "trades", DAY) == [True]
    assert _left_alone(filled, "candles", NEXT_DAY) == _left_alone(filled, "quotes", NEXT_DAY) == [True]


def test_a_day_reloaded_as_empty_is_emptied(filled: DbtWarehouse) -> None:
    filled.load("trades", {"trade_id": "trade-2"}, day=NEXT_DAY)
    assert _build_facts(filled).success
    for dataset in FACTS:
        filled.load(dataset)
    built = filled.build("--select", "tag:daily")
    assert built.success, built.messages
    assert filled.rows("select count(*) from marts.quotes union all select count(*) from marts.candles") == [(0,), (0,)]
    assert filled.rows("select trade_id from marts.trades") == [("trade-2",)]


def test_new_snapshots_of_a_day_keep_its_candle_closes(warehouse: DbtWarehouse) -> None:
    warehouse.load("candles", {})
    assert _build_facts(warehouse).success
    warehouse.load("quotes", {})
    assert _build_facts(warehouse).success
    kinds = warehouse.rows("select quote_kind, observed_at = available_ts from marts.quotes order by all")
    assert kinds == [("candle_close", True), ("order_book", True)]


def test_a_build_from_nothing_gives_the_rows_of_many_small_builds(warehouse: DbtWarehouse) -> None:
    for number in range(3):
        warehouse.load("candles", _minute(0, volume=number), _minute(1, volume=number))
        warehouse.load("quotes", {}, {"observed_at": NOON + timedelta(minutes=number + 1)})
        assert _build_facts(warehouse).success
    step_by_step = {table: warehouse.rows(f"from marts.{table} order by all") for table in FACTS}

    assert _build_facts(warehouse, "--full-refresh").success
    assert {table: warehouse.rows(f"from marts.{table} order by all") for table in FACTS} == step_by_step


# --- what the tables refuse


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(
            "update marts.event_outcomes_first_print set print_type = 'revised'", id="a revision as first print"
        ),
        pytest.param("update marts.event_outcomes_first_print set print_type = null", id="a print without its type"),
        pytest.param(
            "insert into marts.event_outcomes_first_print from marts.event_outcomes_first_print",
            id="a second first print",
        ),
        pytest.param("insert into marts.event_outcomes from marts.event_outcomes", id="a revision twice"),
        pytest.param("update marts.event_outcomes set value = 'nan'", id="a value that is not a number"),
        pytest.param(
            "insert into marts.event_outcomes_revised select event_ticker, series_ticker, null, 1, 0.5, 0.4, '0.5', "
            "learned_at, source, 'first_print' from marts.event_outcomes",
            id="a first print as revision",
        ),
        pytest.param("update raw.outcome_vintages set value = 'nan'", id="a vintage that is not a number"),
        pytest.param("insert into raw.outcome_vintages from raw.outcome_vintages", id="a vintage twice"),
        pytest.param("update marts.event_outcomes set learned_at = null", id="a value nobody knows since when"),
        pytest.param("update marts.market_settlements set outcome_kind = 'maybe'", id="an outcome of no kind"),
        pytest.param("update marts.quotes set yes_bid = 0, mid = null", id="an empty side as a price"),
        pytest.param("update marts.quotes set yes_ask = null", id="a middle without an ask"),
        pytest.param("update marts.quotes set implied_probability = 'nan'", id="a probability that is not a number"),
        pytest.param(
            "update marts.quotes set period_minutes = null where source = 'api_event'", id="a bar without length"
        ),
        pytest.param("update marts.candles set period_minutes = 5", id="a bar of a length that is not served"),
        pytest.param("update marts.candles set bucket_end = bucket_start", id="a bar that ends when it starts"),
        pytest.param("update marts.trades set taker_outcome_side = 'maybe'", id="a trade on no side"),
        pytest.param("insert into marts.markets from marts.markets", id="a market twice"),
    ],
)
def test_the_database_refuses_a_lie(statement: str, filled: DbtWarehouse) -> None:
    with pytest.raises(duckdb.ConstraintException):
        filled.execute(statement)


def test_a_fact_that_refuses_a_row_keeps_what_it_held(filled: DbtWarehouse) -> None:
    before = filled.rows("from marts.candles")
    filled.load("candles", _minute(5))
    filled.execute("update raw.candles set bucket_end = bucket_start")
    built = _build_facts(filled)
    assert built.statuses["candles"] == "error"
    assert "CHECK constraint failed" in built.messages["candles"]
    assert filled.rows("from marts.candles") == before


def test_a_table_of_another_shape_is_not_built_into(filled: DbtWarehouse) -> None:
    filled.execute("alter table marts.candles drop column tier")
    filled.load("candles", _minute(5))
    built = _build_facts(filled)
    assert built.statuses["candles"] == "error"
    assert "marts.candles was built under another contract" in built.messages["candles"]
    assert "NOT NULL tier is new" in built.messages["candles"]
    assert _build_facts(filled, "--full-refresh").success
    assert filled.rows("select tier from marts.candles") == [("live",)]


# --- what the checks find


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("delete from marts.candles", "candles_match_their_loads"),
        ("insert into marts.candles from marts.candles", "candles_are_unique"),
        ("insert into marts.quotes from marts.quotes", "quotes_are_unique"),
        ("insert into marts.trades from marts.trades", "trades_are_unique"),
        (
            "update marts.candles set bucket_end = bucket_end + interval 1 minute",
            "candles_last_as_long_as_their_period",
        ),
        ("update marts.event_outcomes set revision_number = 1", "first_prints_equal_revision_zero"),
        ("update marts.event_outcomes set revision_number = 1", "revisions_are_consecutive"),
        (
            "insert into marts.settlement_disagreements select ticker, event_ticker, series_ticker, 'greater', 0.3, "
            "null, 'no', 'yes', 0.4, '0.4', 'alfred', learned_at from marts.market_settlements",
            "settled_sides_agree_with_the_first_print",
        ),
    ],
)
def test_a_broken_table_fails_its_check(statement: str, check: str, filled: DbtWarehouse) -> None:
    assert filled.dbt("test", "--select", check).with_status("pass") == {check}
    filled.execute(statement)
    found = filled.dbt("test", "--select", check)
    assert found.with_status("fail") | found.with_status("warn") == {check}


def test_odd_data_is_kept_and_warned_of(warehouse: DbtWarehouse) -> None:
    warehouse.load("quotes", {"yes_bid": 0.50}, {"ticker": "UNHEARD-OF"})
    warehouse.load("candles", {"yes_bid_close": 0.60})
    warehouse.observe(
        "markets", {"ticker": "M2", "event_ticker": "UNHEARD-OF", "status": "sleeping", "strike_type": "fuzzy"}
    )
    warehouse.observe("settlements", {"result": "cancelled", "expiration_value": "Above 4%"})
    built = warehouse.build("--exclude", "tag:health")
    assert built.success, built.messages
    assert built.with_status("warn") == {
        "quotes_are_not_crossed",
        "quotes_belong_to_known_markets",
        "candles_open_and_close_uncrossed",
        "candles_stay_within_their_extremes",
        "markets_belong_to_known_events",
        "market_statuses_are_known",
        "strike_types_are_known",
        "outcomes_are_known",
        "payouts_agree_with_outcomes",
        "no_published_value_was_rejected",
    }
    assert warehouse.rows("select count(*) from marts.quotes") == [(3,)]
    assert warehouse.rows("select mid::double, spread::double from marts.quotes where spread < 0 order by all") == [
        (0.475, -0.05),
        (0.525, -0.15),
    ]


@pytest.mark.parametrize(
    ("results", "status"),
    [(("yes", "no"), "pass"), (("yes", "yes"), "warn"), (("no", "no"), "warn")],
    ids=["one winner", "two winners", "no winner"],
)
def test_winners_of_an_exclusive_event_are_counted(
    results: tuple[str, str], status: str, warehouse: DbtWarehouse
) -> None:
    warehouse.execute("update raw.events set mutually_exclusive = true")
    warehouse.observe("markets", {"ticker": "M2"})
    for ticker, result in zip((MARKET, "M2"), results, strict=True):
        warehouse.observe("settlements", {"ticker": ticker, "result": result})
    built = warehouse.build("--select", "markets", "market_settlements")
    assert built.statuses["exclusive_events_have_one_winner"] == status


# --- reference


def test_the_latest_version_counts_and_all_are_counted(warehouse: DbtWarehouse) -> None:
    restruck, closed = NOON - timedelta(hours=2), NOON - timedelta(hours=1)
    warehouse.observe("markets", {"floor_strike": 0.4, "observed_at": restruck})
    warehouse.observe("markets", {"floor_strike": 0.4, "status": "closed", "observed_at": closed})
    warehouse.observe("events", {"title": "CPI in January", "observed_at": closed})
    _build_reference(warehouse)
    assert warehouse.rows(
        "select floor_strike, payoff, status, spec_known_at, observed_at, version_count from marts.markets"
    ) == [(0.4, "above 0.4", "closed", restruck, closed, 3)]
    assert warehouse.rows("select title, open_time, close_time, market_count, version_count from marts.events") == [
        ("CPI in January", OPEN, CLOSE, 1, 2)
    ]


def test_a_listing_is_known_from_its_opening_however_late_it_was_seen(warehouse: DbtWarehouse) -> None:
    warehouse.observe("markets", {"ticker": "M2", "observed_at": NOON + timedelta(days=365)})
    _build_reference(warehouse)
    assert warehouse.rows("select spec_known_at from marts.markets where ticker = 'M2'") == [(OPEN,)]


# --- outcomes


def test_an_event_takes_its_number_from_the_markets_that_publish_one(warehouse: DbtWarehouse) -> None:
    amended = NOON + timedelta(days=1)
    warehouse.observe("markets", {"ticker": "M2"}, {"ticker": "M3"})
    warehouse.observe("settlements", {"expiration_value": "0.4%", "learned_at": NOON + timedelta(hours=1)})
    warehouse.observe("settlements", {"ticker": "M2", "result": "no", "expiration_value": ""})
    warehouse.observe("settlements", {"ticker": "M3", "result": "no", "expiration_value": ".4%"})
    warehouse.observe("settlements", {"expiration_value": "0.5%", "learned_at": amended, "observed_at": amended})
    _build_reference(warehouse)
    assert warehouse.rows(
        "select revision_number, value, value_text, learned_at, is_latest from marts.event_outcomes order by all"
    ) == [(0, 0.4, ".4%", NOON, False), (1, 0.5, "0.5%", amended, True)]
    assert warehouse.rows(
        "select event_ticker, value, learned_at, print_type from marts.event_outcomes_first_print"
    ) == [(EVENT, 0.4, NOON, "first_print")]
    assert warehouse.rows("select * from marts.event_outcome_rejects") == []


def test_what_is_no_number_is_set_aside_with_its_reason(warehouse: DbtWarehouse) -> None:
    warehouse.observe(
        "markets",
        {"ticker": "M2"},
        {"ticker": "NYC", "event_ticker": "RAIN"},
        {"ticker": "NOLA", "event_ticker": "RAIN"},
    )
    warehouse.observe("settlements", {"expiration_value": "Above 4%"}, {"ticker": "M2", "expiration_value": "4.2"})
    warehouse.observe(
        "settlements",
        {"ticker": "NYC", "event_ticker": "RAIN", "expiration_value": "1.2"},
        {"ticker": "NOLA", "event_ticker": "RAIN", "expiration_value": "3.4"},
    )
    _build_reference(warehouse)
    assert warehouse.rows(
        "select stated_by, reason, value_text, value from marts.event_outcome_rejects order by all"
    ) == [
        (MARKET, "not_a_number", "Above 4%", None),
        ("NOLA", "markets_disagree", "3.4", 3.4),
        ("NYC", "markets_disagree", "1.2", 1.2),
    ]
    assert warehouse.rows("select event_ticker, value from marts.event_outcomes") == [(EVENT, 4.2)]


def test_a_number_in_another_unit_is_known_once_results_have_proved_which(warehouse: DbtWarehouse) -> None:
    first, last = NOON + timedelta(hours=1), NOON + timedelta(hours=5)
    warehouse.observe(
        "markets", {"ticker": "M2", "floor_strike": 150_000.0}, {"ticker": "M3", "floor_strike": 200_000.0}
    )
    warehouse.observe(
        "settlements",
        {"ticker": "M2", "expiration_value": "187", "learned_at": first},
        {"ticker": "M3", "result": "no", "expiration_value": "187", "learned_at": last},
    )
    _build_reference(warehouse)
    assert warehouse.rows("select value, value_text, learned_at from marts.event_outcomes") == [(187_000, "187", last)]


def test_statistics_and_settlements_make_one_history(warehouse: DbtWarehouse) -> None:
    printed, settled = CLOSE + timedelta(minutes=5), CLOSE + timedelta(hours=1)
    revised = printed + timedelta(days=31)
    warehouse.observe("settlements", {"expiration_value": "0.4%", "learned_at": settled})
    warehouse.observe(
        "outcome_vintages",
        {"vintage_at": printed, "learned_at": printed},
        {"vintage_at": revised, "learned_at": revised, "value": 0.2, "value_text": "0.2"},
    )
    _build_reference(warehouse)
    assert warehouse.rows(
        "select revision_number, value, learned_at, source, reference_period from marts.event_outcomes order by all"
    ) == [(0, 0.4, printed, "alfred", date(2026, 1, 1)), (1, 0.2, revised, "alfred", date(2026, 1, 1))]
    assert warehouse.rows("select value, learned_at, print_type from marts.event_outcomes_first_print") == [
        (0.4, printed, "first_print")
    ]
    assert warehouse.rows(
        "select value, first_print_value, revision_number, print_type from marts.event_outcomes_revised"
    ) == [(0.2, 0.4, 1, "revised")]
    assert warehouse.rows("select value, is_latest from marts.event_outcomes_v1 order by learned_at") == [
        (0.4, False),
        (0.2, True),
    ]


def test_a_feed_that_contradicts_the_settlement_is_set_aside(warehouse: DbtWarehouse) -> None:
    printed = CLOSE + timedelta(minutes=5)
    warehouse.observe("settlements", {"expiration_value": "0.4", "learned_at": CLOSE + timedelta(hours=1)})
    warehouse.observe("outcome_vintages", {"vintage_at": printed, "learned_at": printed, "value": 0.3})
    _build_reference(warehouse)
    assert warehouse.rows("select revision_number, value, source from marts.event_outcomes") == [
        (0, 0.4, "exchange_settlement")
    ]
    assert warehouse.rows("select source, reason, value from marts.event_outcome_rejects") == [
        ("alfred", "sources_disagree", 0.3)
    ]


def test_a_market_settled_against_its_strike_is_listed(warehouse: DbtWarehouse) -> None:
    warehouse.observe("settlements", {"result": "no", "expiration_value": "0.4"})
    built = warehouse.build("--select", "+settlement_disagreements")
    assert built.statuses["settled_sides_agree_with_the_first_print"] == "warn"
    assert warehouse.rows("select ticker, result, result_by_value from marts.settlement_disagreements") == [
        (MARKET, "no", "yes")
    ]


def test_an_amended_result_counts_from_its_amendment(warehouse: DbtWarehouse) -> None:
    amended = NOON + timedelta(days=1)
    warehouse.observe("settlements", {"result": "yes"})
    warehouse.observe(
        "settlements", {"result": "no", "status": "amended", "learned_at": amended, "observed_at": amended}
    )
    warehouse.observe(
        "settlements",
        {
            "result": "no",
            "status": "finalized",
            "learned_at": amended + timedelta(hours=1),
            "observed_at": amended + timedelta(hours=2),
        },
    )
    _build_reference(warehouse)
    assert warehouse.rows(
        "select outcome_kind, yes_payout::int, no_payout::int, learned_at, outcome_number, is_final "
        "from marts.market_settlements"
    ) == [("no", 0, 1, amended, 2, True)]
