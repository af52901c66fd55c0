"""A batch of snapshots depends on what was known at each instant, and on nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kalshi_pipeline.distributions.flags import FLAGS
from kalshi_pipeline.distributions.method import METHOD_VERSION
from kalshi_pipeline.distributions.snapshots import compute
from kalshi_pipeline.distributions.tables import CELL_SCHEMA, DISTRIBUTION_SCHEMA, QUANTILES, QUOTE_SCHEMA
from kalshi_pipeline.schemas import distributions as stored
from tests.unit.distribution_kit import (
    ASOF,
    OBSERVATION_SCHEMA,
    OPEN,
    around,
    buckets,
    computed,
    ladders_of,
    observe,
    snapshot,
    thresholds,
)

pytestmark = pytest.mark.unit

THRESHOLDS = thresholds([3.0, 3.1, 3.2, 3.3])
BUCKETS = buckets(62, [(62, 63), (64, 65)], 65, event="KXHIGHNY-26JUL14")
TABLES = ladders_of([*THRESHOLDS, *BUCKETS])
INSTANTS = [ASOF - timedelta(hours=h) for h in range(6)]


def quotes_at(hour: int) -> dict[str, Any]:
    """Quotes that move a little every hour."""
    drift = 0.01 * hour
    return {
        **around(THRESHOLDS, [0.9 - drift, 0.62 - drift, 0.4 - drift, 0.12]),
        **around(BUCKETS, [0.1 + drift, 0.4 - drift, 0.35, 0.18]),
    }


def rows() -> list[dict[str, Any]]:
    """Observations of both ladders at six instants."""
    return [row for hour, asof in enumerate(INSTANTS) for row in observe(TABLES, quotes_at(hour), asof)]


def test_the_order_of_the_rows_does_not_matter() -> None:
    shuffled = rows()
    np.random.default_rng(3).shuffle(shuffled)  # type: ignore[arg-type]
    expected, got = computed(TABLES, rows()), computed(TABLES, shuffled)
    reordered = compute(
        TABLES.ladders.take(pa.array([1, 0])),
        TABLES.legs.take(pa.array(np.arange(TABLES.legs.num_rows)[::-1])),
        pa.Table.from_pylist(shuffled, schema=OBSERVATION_SCHEMA),
    )
    for one, other, third in zip(expected, got, reordered, strict=True):
        assert one.equals(other)
        assert one.equals(third)


def test_a_snapshot_does_not_depend_on_the_others_in_its_batch() -> None:
    together = computed(TABLES, rows())
    for asof in INSTANTS:
        alone = computed(TABLES, [row for row in rows() if row["asof"] == asof])
        for one, all_ in zip(alone, together, strict=True):
            assert one.equals(all_.filter(pc.equal(all_["asof"], asof)))


@pytest.mark.parametrize("threads", [2, 3, 100])
def test_threads_share_the_ladders_and_give_the_same_rows(threads: int) -> None:
    given = pa.Table.from_pylist(rows(), schema=OBSERVATION_SCHEMA)
    for some in (given.sort_by("ladder_id"), given.sort_by([("ladder_id", "descending")]), given.slice(0, 0)):
        alone = compute(TABLES.ladders, TABLES.legs, some)
        shared = compute(TABLES.ladders, TABLES.legs, some, threads=threads)
        for one, other in zip(alone, shared, strict=True):
            assert one.equals(other)


def test_rows_come_sorted_by_ladder_and_instant() -> None:
    made = computed(TABLES, rows()).distributions
    assert made.equals(made.sort_by([("ladder_id", "ascending"), ("asof", "ascending")]))
    assert made.num_rows == 2 * len(INSTANTS)


def test_a_market_listed_later_is_not_seen_earlier() -> None:
    later = thresholds([3.4], spec_known_at=ASOF + timedelta(hours=1))
    grown = ladders_of([*THRESHOLDS, *later])
    quotes = around([*THRESHOLDS, *later], [0.9, 0.62, 0.4, 0.12, 0.06])
    before = [*observe(grown, quotes, ASOF), *observe(grown, quotes, ASOF + timedelta(hours=2))]
    made = computed(grown, before)
    alone = ladders_of(THRESHOLDS)
    expected = computed(alone, observe(alone, quotes, ASOF))
    assert made.distributions["n_legs"].to_pylist() == [4, 5]
    assert made.distributions.slice(0, 1).equals(expected.distributions)
    assert made.cells.slice(0, 5).equals(expected.cells)


def test_a_market_is_expected_from_the_instant_at_which_it_became_known() -> None:
    tables = ladders_of([*thresholds([3.0, 3.1]), *thresholds([3.2], spec_known_at=ASOF)])
    made = computed(tables, [*observe(tables, {}, ASOF - timedelta(microseconds=1)), *observe(tables, {}, ASOF)])
    assert made.distributions["n_legs"].to_pylist() == [2, 3]


def test_the_kind_of_a_ladder_is_that_of_the_markets_known() -> None:
    later = buckets(None, [(3.1, 3.2)], None, exclusive=False, spec_known_at=ASOF + timedelta(hours=1))
    grown = ladders_of([*THRESHOLDS, *later])
    quotes = around([*THRESHOLDS, *later], [0.9, 0.62, 0.4, 0.12, 0.48])
    made = computed(grown, [*observe(grown, quotes, ASOF), *observe(grown, quotes, ASOF + timedelta(hours=2))])
    assert made.distributions["kind"].to_pylist() == ["threshold", "mixed"]
    assert grown.ladders["kind"].to_pylist() == ["mixed"]


def test_a_quote_from_the_future_is_refused() -> None:
    late = observe(TABLES, quotes_at(0), age=-timedelta(seconds=1))
    with pytest.raises(ValueError, match="after the instant"):
        computed(TABLES, late)


def test_a_quote_that_became_known_at_the_instant_is_used() -> None:
    made = computed(TABLES, observe(TABLES, quotes_at(0), age=timedelta(0))).distributions
    assert made["median_age_seconds"].to_pylist() == [0.0, 0.0]
    assert made["latest_available_ts"].to_pylist() == [ASOF, ASOF]


def test_observations_that_do_not_fit_are_named() -> None:
    given = observe(TABLES, quotes_at(0))
    with pytest.raises(ValueError, match="is not a leg known by then"):
        computed(TABLES, [*given, {**given[0], "leg_index": 9}])
    with pytest.raises(ValueError, match="occurs twice"):
        computed(TABLES, [*given, given[0]])
    with pytest.raises(ValueError, match="the ladders table does not hold"):
        computed(TABLES, [{**given[0], "ladder_id": "ELSEWHERE"}])
    with pytest.raises(ValueError, match="none of its legs was known"):
        computed(TABLES, [{**given[0], "asof": OPEN - timedelta(days=1), "available_ts": None}])
    with pytest.raises(ValueError, match="lack yes_bid"):
        compute(TABLES.ladders, TABLES.legs, pa.Table.from_pylist(given).drop_columns(["yes_bid"]))


def test_a_leg_without_a_row_is_expected_all_the_same() -> None:
    full = [row for row in observe(TABLES, quotes_at(0)) if row["ladder_id"].startswith("KXCPIYOY")]
    unquoted = [
        {**row, **dict.fromkeys(("yes_bid", "yes_ask", "available_ts", "quote_kind", "volume", "open_interest"))}
        if row["leg_index"] == 1
        else row
        for row in full
    ]
    absent = [row for row in full if row["leg_index"] != 1]
    for one, other in zip(computed(TABLES, unquoted), computed(TABLES, absent), strict=True):
        assert one.equals(other)
    assert computed(TABLES, absent).distributions["coverage"].to_pylist() == [0.75]


def test_no_observation_makes_no_row() -> None:
    made = computed(TABLES, [])
    assert [table.num_rows for table in made] == [0, 0, 0]
    assert made.distributions.schema.equals(DISTRIBUTION_SCHEMA)


def test_a_wide_book_moves_no_mean() -> None:
    markets = thresholds([3.0, 3.1, 3.2, 3.3, 3.4])
    values = [0.95, 0.8, 0.5, 0.2, 0.05]
    quotes = around(markets, values)
    with_wide = {**quotes, markets[2]["ticker"]: (None, 0.99)}
    without = {ticker: quote for ticker, quote in quotes.items() if ticker != markets[2]["ticker"]}
    wide, absent = snapshot(markets, with_wide), snapshot(markets, without)
    assert wide["mean"] == absent["mean"]
    assert wide["mean"] == pytest.approx(snapshot(markets, quotes)["mean"])
    assert wide["quotes"][2]["weight"] == 0
    assert wide["quotes"][2]["mid"] is None


def test_every_number_can_be_traced_to_its_quotes() -> None:
    markets = thresholds([3.0, 3.1, 3.2])
    row = snapshot(markets, {**around(markets, [0.3, 0.4, 0.2]), markets[2]["ticker"]: (None, 0.25)})
    assert (row["violations_pre"], row["violations_post"]) == (1, 0)
    assert row["violation_magnitude"] == pytest.approx(0.1)
    first, second, third = row["quotes"]
    assert first["repaired"] == second["repaired"] == pytest.approx(0.35)
    assert (first["moved"], second["moved"], third["moved"]) == (pytest.approx(0.05), pytest.approx(-0.05), None)
    assert (row["move_l1"], row["move_max"]) == (pytest.approx(0.1), pytest.approx(0.05))
    assert row["move_l2"] == pytest.approx(0.005**0.5)
    assert (third["mid"], third["weight"], third["yes_ask"]) == (None, 0, 0.25)
    for quote in row["quotes"]:
        assert quote["tight_low"] <= quote["repaired"] <= quote["tight_high"]


def test_cells_add_up_and_their_bounds_hold() -> None:
    row = snapshot(BUCKETS, around(BUCKETS, [0.1, 0.4, 0.35, 0.18]))
    cells = row["cells"]
    assert [cell["low_cut"] for cell in cells] == [None, 61.5, 63.5, 65.5]
    assert [cell["high_cut"] for cell in cells] == [61.5, 63.5, 65.5, None]
    assert sum(cell["probability"] for cell in cells) == pytest.approx(1, abs=1e-12)
    for cell in cells:
        assert cell["probability_low"] <= cell["probability"] <= cell["probability_high"]
        assert cell["survival_low"] <= cell["survival"] <= cell["survival_high"]


def test_rows_carry_their_day_their_method_and_their_kind() -> None:
    midnight = ASOF.replace(hour=0)
    made = computed(
        TABLES,
        [
            *observe(TABLES, quotes_at(0), midnight),
            *observe(TABLES, quotes_at(0), midnight - timedelta(microseconds=1)),
        ],
    )
    assert sorted(set(made.distributions["partition_date"].to_pylist())) == [date(2026, 7, 6), date(2026, 7, 7)]
    for table in made:
        assert set(table["method_version"].to_pylist()) == {METHOD_VERSION}
    assert set(made.distributions["snapshot_kind"].to_pylist()) == {"grid"}


def test_what_is_withheld_of_one_snapshot_is_not_published_with_the_one_before_it() -> None:
    given = [
        row
        for hour, asof in enumerate(INSTANTS)
        for row in observe(TABLES, quotes_at(hour), asof, age=timedelta(days=hour % 2))
    ]
    rows = computed(TABLES, given).distributions.to_pylist()
    assert (False, True) in pairwise(row["hard_gate_failed"] for row in rows)
    thresholds = {row["ladder_id"]: row["tail_thresholds"] for row in TABLES.ladders.to_pylist()}
    for row in rows:
        published = row["tail_probabilities"]
        assert published is None if row["hard_gate_failed"] else len(published) == len(thresholds[row["ladder_id"]])


def test_no_published_number_is_nan_or_infinite() -> None:
    made = computed(TABLES, [*rows(), *observe(TABLES, {}, ASOF + timedelta(hours=1))])
    for table in made:
        for name in table.column_names:
            if pa.types.is_floating(table.schema.field(name).type):
                assert pc.all(pc.is_finite(table[name].drop_null())).as_py() in (True, None), name


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        (DISTRIBUTION_SCHEMA, stored.IMPLIED_DISTRIBUTIONS),
        (CELL_SCHEMA, stored.IMPLIED_CELLS),
        (QUOTE_SCHEMA, stored.LADDER_QUOTES),
    ],
)
def test_the_tables_have_the_columns_of_the_stored_tables(schema: pa.Schema, table: Any) -> None:
    assert list(table.columns) == schema.names
    assert dict(stored.QUANTILES) == QUANTILES
    assert len(FLAGS) == len(set(FLAGS))


def test_what_is_computed_passes_the_checks_of_the_stored_tables() -> None:
    made = computed(TABLES, [*rows(), *observe(TABLES, {}, ASOF + timedelta(hours=1))])
    for rows_, table in zip(
        (*made, TABLES.ladders, TABLES.legs),
        (stored.IMPLIED_DISTRIBUTIONS, stored.IMPLIED_CELLS, stored.LADDER_QUOTES, stored.LADDERS, stored.LADDER_LEGS),
        strict=True,
    ):
        table.frame_schema.validate(rows_.to_pandas(), lazy=True)
