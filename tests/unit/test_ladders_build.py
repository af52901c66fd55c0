"""Markets become ladders; every market comes out once, as a leg or with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from kalshi_pipeline.ladders.build import build_ladders
from kalshi_pipeline.ladders.registry import Registry
from kalshi_pipeline.ladders.tables import LADDER_SCHEMA, LEG_SCHEMA
from kalshi_pipeline.schemas.distributions import LADDER_LEGS, LADDERS
from tests.unit.distribution_kit import CLOSE, MARKET_SCHEMA, OPEN, buckets, ladders_of, market, thresholds

pytestmark = pytest.mark.unit

WEATHER = {"event": "KXHIGHNY-26JUL14", "exclusive": True}


def only(markets: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The one ladder of some markets, and its legs by the last part of their tickers."""
    tables = ladders_of(markets)
    (ladder,) = tables.ladders.to_pylist()
    return ladder, {leg["ticker"].split("-", 2)[2]: leg for leg in tables.legs.to_pylist()}


def test_a_threshold_ladder() -> None:
    ladder, legs = only(thresholds([3.0, 3.2, 3.1]))
    assert (ladder["kind"], ladder["confidence"], ladder["release_type"]) == ("threshold", "high", "CPI")
    assert ladder["cuts"] == [3.05, 3.15, 3.25]
    assert (ladder["n_legs"], ladder["n_cells"], ladder["flags"]) == (3, 4, [])
    assert [
        (legs[name]["leg_index"], legs[name]["first_cell"], legs[name]["last_cell"]) for name in ("T3", "T3.1", "T3.2")
    ] == [
        (0, 1, 3),
        (1, 2, 3),
        (2, 3, 3),
    ]
    assert (legs["T3"]["low_cut"], legs["T3"]["high_cut"]) == (3.05, None)


def test_a_bucket_ladder_tiles_the_line() -> None:
    ladder, legs = only(buckets(62, [(62, 63), (64, 65)], 65, event="KXHIGHNY-26JUL14"))
    assert (ladder["kind"], ladder["confidence"]) == ("bucket", "high")
    assert ladder["cuts"] == [61.5, 63.5, 65.5]
    assert [leg["first_cell"] for leg in sorted(legs.values(), key=lambda leg: leg["leg_index"])] == [0, 1, 2, 3]
    assert all(leg["first_cell"] == leg["last_cell"] for leg in legs.values())


def test_a_gap_between_buckets_is_a_cell_of_its_own() -> None:
    ladder, _ = only(buckets(62, [(62, 63), (66, 67)], 67, event="KXHIGHNY-26JUL14"))
    assert ladder["kind"] == "bucket"
    assert (ladder["n_legs"], ladder["n_cells"]) == (4, 5)


def test_buckets_and_thresholds_in_one_event_make_a_mixed_ladder() -> None:
    ladder, _ = only([*thresholds([3.0, 3.2]), market("B3.15", "between", 3.1, 3.2)])
    assert ladder["kind"] == "mixed"
    assert ladder["confidence"] == "high"


def test_less_and_greater_markets_are_one_threshold_ladder() -> None:
    ladder, legs = only([*thresholds([3.0, 3.2]), market("L2.9", "less", None, 2.9)])
    assert ladder["kind"] == "threshold"
    assert (legs["L2.9"]["first_cell"], legs["L2.9"]["last_cell"]) == (0, 0)


def test_both_sides_of_one_strike_make_a_mixed_ladder() -> None:
    ladder, _ = only([*thresholds([3.0, 3.2]), market("L3", "less_or_equal", None, 3.0)])
    assert ladder["kind"] == "mixed"
    assert ladder["n_legs"] == 3


@pytest.mark.parametrize(("exclusive", "confidence"), [(False, "high"), (None, "medium"), (True, "low")])
def test_exclusivity_that_the_geometry_contradicts_lowers_the_confidence(
    exclusive: bool | None, confidence: str
) -> None:
    ladder, _ = only(thresholds([3.0, 3.1, 3.2], exclusive=exclusive))
    assert ladder["confidence"] == confidence


def test_disjoint_buckets_said_not_to_exclude_each_other_are_buckets_of_medium_confidence() -> None:
    ladder, _ = only(buckets(62, [(62, 63), (64, 65)], 65, event="KXHIGHNY-26JUL14", exclusive=False))
    assert (ladder["kind"], ladder["confidence"]) == ("bucket", "medium")


def test_two_cities_in_one_event_are_two_ladders() -> None:
    rows = [
        market(f"{city}-T{inches}", "greater", float(inches), event="KXRAIN-26JUN")
        for city in ("NYC", "NOLA")
        for inches in (1, 2, 3)
    ]
    tables = ladders_of(rows)
    assert tables.ladders["ladder_id"].to_pylist() == ["KXRAIN-26JUN:NOLA", "KXRAIN-26JUN:NYC"]
    assert tables.ladders["n_legs"].to_pylist() == [3, 3]
    assert tables.ladders["subject"].to_pylist() == ["NOLA", "NYC"]


def test_every_market_is_a_leg_or_has_its_reason() -> None:
    rows = [
        *thresholds([3.0, 3.1, 3.2]),
        market("T3.100", "greater", 3.1),
        market("EMPTY", "between", 3.02, 3.08),
        market("SCALAR", "greater", 3.0, market_type="scalar"),
        market("WHO", "structured"),
        market("TBD", "greater", None, yes_sub_title="Target price: TBD"),
        market("SAYSNOTHING"),
    ]
    legs = {leg["ticker"].removeprefix("KXCPIYOY-26JUN-"): leg for leg in ladders_of(rows).legs.to_pylist()}
    assert len(legs) == len(rows)
    assert {name: leg["reason"] for name, leg in legs.items() if leg["ladder_id"] is None} == {
        "T3.100": "same_payoff_as_another_market",
        "EMPTY": "pays_on_no_grid_point",
        "SCALAR": "market_type_not_binary",
        "WHO": "strike_type_not_numeric",
        "TBD": "strike_missing",
        "SAYSNOTHING": "strike_missing",
    }
    assert all(leg["reason"] is None for leg in legs.values() if leg["ladder_id"] is not None)


def test_a_strike_the_type_does_not_use_is_left_aside() -> None:
    _, legs = only([*thresholds([0.2, 0.4]), market("T0.3", "greater", 0.3, 0.3)])
    assert (legs["T0.3"]["floor_strike"], legs["T0.3"]["cap_strike"]) == (0.3, None)
    assert legs["T0.3"]["flags"] == ["unused_strike"]
    assert legs["T0.3"]["confidence"] == "high"
    _, legs = only([market("L0.3", "less", 0.1, 0.3)])
    assert (legs["L0.3"]["floor_strike"], legs["L0.3"]["cap_strike"]) == (None, 0.3)
    assert legs["L0.3"]["flags"] == ["unused_strike"]


def test_a_missing_strike_is_recovered_from_the_sub_title() -> None:
    ladder, legs = only([*thresholds([3.0, 3.2]), market("T3.1", "greater", None, yes_sub_title="Above 3.1%")])
    assert legs["T3.1"]["low_cut"] == 3.15
    assert (legs["T3.1"]["strike_source"], legs["T3.1"]["confidence"]) == ("sub_title", "medium")
    assert (ladder["confidence"], ladder["flags"]) == ("medium", ["strike_recovered"])


def test_a_missing_strike_is_recovered_from_the_ticker_when_the_type_is_known() -> None:
    _, legs = only([*thresholds([3.0, 3.2]), market("T3.1", "greater", None)])
    assert legs["T3.1"]["low_cut"] == 3.15
    assert (legs["T3.1"]["strike_source"], legs["T3.1"]["confidence"]) == ("ticker", "medium")


def test_legacy_markets_are_recovered_from_their_titles() -> None:
    rows = [
        market(f"T{name}", event="CPI-22AUG", series="CPI", title=f"Will CPI rise more than {strike}% in August?")
        for name, strike in (("N0.4", "-0.4"), ("0.0", "0.0"), ("0.4", "0.4"))
    ]
    ladder, legs = only(rows)
    assert (ladder["series_ticker"], ladder["kind"], ladder["confidence"]) == ("KXCPI", "threshold", "medium")
    assert ladder["cuts"] == [-0.35, 0.05, 0.45]
    assert {leg["strike_source"] for leg in legs.values()} == {"title"}


def test_a_direction_guessed_from_the_ticker_alone_is_of_low_confidence() -> None:
    ladder, legs = only([market(f"T{name}", event="CPI-22AUG", series="CPI") for name in ("N0.4", "0.0", "0.4")])
    assert ladder["confidence"] == "low"
    assert ladder["cuts"] == [-0.35, 0.05, 0.45]
    assert "direction_guessed" in legs["T0.0"]["flags"]


def test_weather_markets_of_which_only_tickers_are_left_are_rebuilt_from_their_neighbours() -> None:
    rows = [market(name, **WEATHER) for name in ("T82", "B82.5", "B84.5", "B86.5", "T87")]
    ladder, legs = only(rows)
    assert (ladder["kind"], ladder["confidence"]) == ("bucket", "medium")
    assert ladder["cuts"] == [81.5, 83.5, 85.5, 87.5]
    assert (legs["B84.5"]["floor_strike"], legs["B84.5"]["cap_strike"]) == (83.5, 85.0)
    assert (legs["T82"]["strike_type"], legs["T87"]["strike_type"]) == ("less", "greater")


def test_one_missing_bucket_is_rebuilt_among_given_ones() -> None:
    given = buckets(82, [(82, 83), (86, 87)], 87, event="KXHIGHNY-26JUL14")
    ladder, legs = only([*given, market("B84.5", "between", **WEATHER)])
    assert ladder["n_cells"] == ladder["n_legs"] == 5
    assert (legs["B84.5"]["low_cut"], legs["B84.5"]["high_cut"]) == (83.5, 85.5)


def test_strikes_in_thousands_and_millions_are_brought_to_the_unit_of_the_series() -> None:
    for scale in (1_000, 1_000_000):
        rows = thresholds([0, 100_000 / scale, 250_000 / scale], event="KXPAYROLLS-26JUN")
        ladder, legs = only(rows)
        assert ladder["cuts"] == [500.0, 100_500.0, 250_500.0]
        assert "unit_repaired" in ladder["flags"]
        assert legs[f"T{250_000 / scale:g}"]["floor_strike"] == 250_000.0


def test_one_small_strike_among_large_ones_is_no_other_unit() -> None:
    ladder, _ = only(thresholds([-1, 99_999, 199_999], event="PROLLS-24JAN", series="KXPAYROLLS"))
    assert ladder["cuts"] == [-500.0, 99_500.0, 199_500.0]
    assert ladder["flags"] == []


def test_a_sub_title_that_describes_another_payoff_is_reported_and_the_fields_are_kept() -> None:
    ladder, legs = only([*thresholds([3.0, 3.2]), market("T3.1", "greater", 3.1, yes_sub_title="Above 3.4%")])
    assert legs["T3.1"]["low_cut"] == 3.15
    assert legs["T3.1"]["flags"] == ["words_disagree"]
    assert "words_disagree" in ladder["flags"]


def test_words_that_describe_the_same_payoff_otherwise_are_no_disagreement() -> None:
    _, legs = only([market("T73", "greater", 73.0, yes_sub_title="74° or above", event="KXHIGHNY-26JUL14")])
    assert legs["T73"]["flags"] == []


def test_an_unknown_series_gets_its_grid_from_its_buckets_and_says_so() -> None:
    ladder, _ = only(buckets(100, [(100, 149.99), (150, 199.99)], 199.99, event="KXNEW-26JUL14"))
    assert ladder["grid_step"] == 0.01
    assert ladder["cuts"] == [99.995, 149.995, 199.995]
    assert ladder["flags"] == ["series_not_registered", "grid_inferred"]
    assert (ladder["registered"], ladder["unit"], ladder["support_low"]) == (False, None, None)


def test_an_unknown_series_of_thresholds_has_no_grid_and_is_cut_at_its_strikes() -> None:
    ladder, _ = only(thresholds([1.0, 2.0, 3.0], event="KXNEW-26JUL14"))
    assert (ladder["grid_step"], ladder["cuts"]) == (None, [1.0, 2.0, 3.0])
    assert ladder["flags"] == ["series_not_registered", "grid_unknown"]


def test_a_grid_inferred_from_the_first_markets_does_not_change_when_more_are_listed() -> None:
    first = buckets(None, [(10, 14), (15, 19)], None, event="KXNEW-26JUL14")
    later = buckets(None, [(19.5, 19.9)], None, event="KXNEW-26JUL14", spec_known_at=OPEN + timedelta(days=1))
    assert only(first)[0]["grid_step"] == only([*first, *later])[0]["grid_step"] == 1.0


def test_anchors_and_times() -> None:
    late = thresholds([3.2], open_time=OPEN + timedelta(days=2), spec_known_at=OPEN + timedelta(days=2))
    ladder, legs = only([*thresholds([3.0, 3.1]), *late])
    assert (ladder["open_time"], ladder["close_time"], ladder["known_at"]) == (OPEN, CLOSE, OPEN)
    assert ladder["release_ts"] == ladder["anchor_ts"] == CLOSE + timedelta(minutes=5)
    assert legs["T3.2"]["known_at"] == OPEN + timedelta(days=2)
    weather, _ = only(buckets(62, [(62, 63)], 63, event="KXHIGHNY-26JUL14"))
    assert (weather["anchor"], weather["anchor_ts"], weather["release_ts"]) == ("close", CLOSE, None)


def test_the_order_of_the_markets_does_not_matter() -> None:
    rows = [*thresholds([3.0, 3.1, 3.2]), *buckets(62, [(62, 63)], 63, event="KXHIGHNY-26JUL14")]
    forward, backward = ladders_of(rows), ladders_of(rows[::-1])
    assert forward.ladders.equals(backward.ladders)
    assert forward.legs.equals(backward.legs)


def test_a_market_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        ladders_of([*thresholds([3.0]), *thresholds([3.0])])


def test_a_missing_column_is_named() -> None:
    table = pa.Table.from_pylist(thresholds([3.0]), schema=MARKET_SCHEMA).drop_columns(["spec_known_at"])
    with pytest.raises(ValueError, match="lacks spec_known_at"):
        build_ladders(table, Registry.load())


def test_no_market_makes_no_ladder() -> None:
    tables = ladders_of([])
    assert (tables.ladders.num_rows, tables.legs.num_rows) == (0, 0)


def test_the_tables_have_the_columns_of_the_stored_tables() -> None:
    assert list(LADDERS.columns) == LADDER_SCHEMA.names
    assert list(LADDER_LEGS.columns) == LEG_SCHEMA.names
