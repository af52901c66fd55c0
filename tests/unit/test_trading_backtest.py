"""The backtest decides on what was known, explains every trade it did not make, and draws the same fills every time."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from kalshi_pipeline.defs.backtest import BacktestConfig, trades_per_city
from kalshi_pipeline.trading.backtest.belief import Belief, KnownValue, belief_at
from kalshi_pipeline.trading.backtest.candidates import Event, Known, Leg, candidates, wanted_quotes
from kalshi_pipeline.trading.backtest.decisions import decisions
from kalshi_pipeline.trading.backtest.fills import is_filled
from kalshi_pipeline.trading.backtest.funnel import by_series, funnel
from kalshi_pipeline.trading.backtest.simulate import STAGES, Candidate, LookAhead, Quote, Rules, simulate
from kalshi_pipeline.trading.backtest.sizing import contracts
from kalshi_pipeline.trading.backtest.tables import events_of, known_of, table_of
from kalshi_pipeline.trading.fees import STANDARD, FeeChange, FeeOverride, FeeSchedule, overridden_at, schedule_at

pytestmark = pytest.mark.unit

AT = datetime(2026, 6, 30, 15, tzinfo=UTC)
SURE = Rules(fill_probability=1.0)
NEVER = Rules(fill_probability=0.0)


def candidate(**fields: Any) -> Candidate:
    """A candidate with an edge of 16 cents for a resting order: believed at 0.57, quoted 0.40 at 0.44."""
    values: dict[str, Any] = {
        "candidate_id": "E/day_before_10/T",
        "event_ticker": "E",
        "series_ticker": "KXHIGHCHI",
        "point": "day_before_10",
        "decision_ts": AT,
        "ticker": "T",
        "missing": None,
        "quote": Quote(AT - timedelta(minutes=1), Decimal("0.40"), Decimal("0.44")),
        "fair": 0.57,
        "fees": STANDARD,
        "payout": Decimal(1),
        **fields,
    }
    return Candidate(**values)


_PRICES = st.none() | st.decimals("0.01", "0.99", places=2)
_QUOTES = st.none() | st.builds(
    Quote, st.integers(0, 200).map(lambda minutes: AT - timedelta(minutes=minutes)), _PRICES, _PRICES
)
_CANDIDATES = st.lists(
    st.builds(
        lambda number, series, missing, quote, fair, fees, payout: candidate(
            candidate_id=str(number),
            event_ticker=f"E{number % 5}",
            series_ticker=series,
            ticker=None if missing == "no_legs" else "T",
            missing=missing,
            quote=quote,
            fair=fair,
            fees=fees,
            payout=payout,
        ),
        st.integers(0, 10_000),
        st.sampled_from(["KXHIGHCHI", "KXHIGHAUS"]),
        st.sampled_from([None, None, None, None, "no_legs", "not_open_yet", "closed"]),
        st.just(Quote(AT, Decimal("0.40"), Decimal("0.44"))) | _QUOTES,
        st.sampled_from([None, 0.42]) | st.floats(0, 1),
        st.sampled_from([STANDARD, STANDARD, FeeSchedule("flat", Decimal(1))]),
        st.none() | st.sampled_from([Decimal(0), Decimal(1), Decimal("0.37")]),
    ),
    max_size=30,
    unique_by=lambda made: made.candidate_id,
)


# The funnel -----------------------------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(_CANDIDATES)
def test_the_funnel_explains_every_candidate_that_is_no_trade(made: list[Candidate]) -> None:
    results = simulate(made, Rules())
    counts = funnel(results)
    assert sum(counts.stopped.values()) + counts.trades == len(made)
    reached = [counts.reached[stage] for stage in STAGES]
    assert reached == sorted(reached, reverse=True)
    for earlier, later in itertools.pairwise(STAGES):
        stopped = sum(number for (stage, _), number in counts.stopped.items() if stage == earlier)
        assert counts.reached[earlier] - counts.reached[later] == stopped
    if not counts.trades:
        assert "No trade: " in counts.sentence()
        assert all(reason in counts.sentence() for _, reason in counts.stopped)
    assert sum(each.trades for each in by_series(results).values()) == counts.trades


@settings(max_examples=60)
@given(_CANDIDATES, st.randoms())
def test_the_order_of_the_candidates_changes_nothing(made: list[Candidate], random: Any) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)
    straight = {result.candidate.candidate_id: result for result in simulate(made, Rules())}
    assert {result.candidate.candidate_id: result for result in simulate(shuffled, Rules())} == straight


@pytest.mark.parametrize(
    ("changes", "stage", "reason"),
    [
        ({"ticker": None, "missing": "no_legs"}, "event", "no_legs"),
        ({"missing": "not_open_yet"}, "snapshot", "not_open_yet"),
        ({"quote": None}, "snapshot", "no_bar"),
        ({"quote": Quote(AT - timedelta(minutes=91), Decimal("0.40"), Decimal("0.44"))}, "quote", "bar_too_old"),
        ({"quote": Quote(AT, None, Decimal("0.44"))}, "quote", "one_sided"),
        ({"quote": Quote(AT, Decimal("0.44"), Decimal("0.44"))}, "quote", "crossed"),
        ({"fair": None}, "quote", "no_history"),
        ({"fees": FeeSchedule("flat", Decimal(1))}, "quote", "fee_unknown"),
        ({"fair": 0.42}, "priced", "no_edge"),
        ({}, "filled", None),
    ],
)
def test_a_candidate_stops_at_the_first_stage_it_does_not_pass(
    changes: dict[str, Any], stage: str, reason: str | None
) -> None:
    (result,) = simulate([candidate(**changes)], SURE)
    assert (result.stage, result.reason) == (stage, reason)


def test_a_bar_that_is_just_young_enough_passes() -> None:
    quote = Quote(AT - timedelta(minutes=90), Decimal("0.40"), Decimal("0.44"))
    (result,) = simulate([candidate(quote=quote)], SURE)
    assert result.stage == "filled"


def test_a_series_with_edges_and_no_trade_fails_the_check_and_one_without_edges_does_not() -> None:
    # At a resting price of 0.41 the edge is there; taking the offer at 0.44 would leave none.
    unfilled = simulate([candidate(fair=0.45)], NEVER)
    assert [(result.stage, result.reason) for result in unfilled] == [("edge", "not_filled")]
    result = trades_per_city(by_series(unfilled))
    assert not result.passed
    assert "KXHIGHCHI" in str(result.description)
    assert trades_per_city(by_series(simulate([candidate(fair=0.42)], NEVER))).passed
    assert trades_per_city(by_series(simulate([candidate()], SURE))).passed


# Nothing from the future ----------------------------------------------------------------------------------------------


def test_a_bar_from_after_the_decision_stops_the_backtest() -> None:
    late = Quote(AT + timedelta(seconds=1), Decimal("0.40"), Decimal("0.44"))
    with pytest.raises(LookAhead, match="not known then"):
        simulate([candidate(quote=late)], Rules())


_VALUES = st.lists(
    st.tuples(st.floats(-50, 120), st.integers(-400, 400), st.integers(0, 200)).map(
        lambda drawn: KnownValue(drawn[0], AT + timedelta(hours=drawn[1]), AT + timedelta(hours=drawn[1] + drawn[2]))
    ),
    max_size=30,
)


@given(_VALUES)
def test_values_learned_after_the_decision_change_no_belief(values: list[KnownValue]) -> None:
    known = [value for value in values if value.learned_at <= AT]
    arguments: dict[str, Any] = {"most": 10, "least": 5, "floor_std": 1.0}
    belief = belief_at(AT, values, **arguments)
    assert belief == belief_at(AT, known, **arguments)
    assert (belief is None) == (len(known) < 5)


@given(st.floats(-20, 20), st.floats(0.5, 10), st.floats(-40, 40), st.floats(0, 30))
def test_a_leg_has_the_probability_of_its_cells(mean: float, std: float, low: float, width: float) -> None:
    belief = Belief(mean, std)
    expected = norm.cdf(low + width, mean, std) - norm.cdf(low, mean, std)
    assert belief.probability(low, low + width) == pytest.approx(expected, abs=1e-12)
    assert belief.probability(None, low) + belief.probability(low, None) == pytest.approx(1.0)


def _event(**fields: Any) -> Event:
    leg = Leg("T", 84.5, 86.5, AT - timedelta(days=3), AT + timedelta(days=2), Decimal(1))
    values: dict[str, Any] = {
        "event_ticker": "E",
        "series_ticker": "KXHIGHCHI",
        "climate_day": date(2026, 6, 30),
        "timezone": "America/Chicago",
        "grid_step": 1.0,
        "legs": (leg, replace(leg, ticker="U", low_cut=86.5, high_cut=None, payout=Decimal(0))),
        **fields,
    }
    return Event(**values)


def _known(values: list[KnownValue]) -> Known:
    return Known({"KXHIGHCHI": values}, {"KXHIGHCHI": STANDARD})


@settings(max_examples=40)
@given(_VALUES, st.integers(0, 96))
def test_what_happens_after_a_decision_changes_no_result_before_settlement(
    values: list[KnownValue], hours: int
) -> None:
    """Outcomes of the future, payouts and a later end of the data leave every decision as it was."""
    event = _event()
    quote = Quote(AT, Decimal("0.30"), Decimal("0.36"))
    quotes = {key: replace(quote, available_ts=key[1]) for key in wanted_quotes([event], AT + timedelta(days=9))}
    now = AT + timedelta(hours=1)
    known = [value for value in values if value.learned_at <= now]
    early = simulate(candidates([event], _known(known), quotes, Rules(), now), Rules())
    unsettled = replace(event, legs=tuple(replace(leg, payout=None) for leg in event.legs))
    late = simulate(candidates([unsettled], _known(values), quotes, Rules(), now + timedelta(hours=hours)), Rules())
    told = {result.candidate.candidate_id: (result.stage, result.reason, result.order) for result in late}
    assert early
    assert all(told[result.candidate.candidate_id] == (result.stage, result.reason, result.order) for result in early)


def test_a_decision_that_is_not_reached_is_no_candidate_yet() -> None:
    first, second = (decision.at for decision in decisions(date(2026, 6, 30), "America/Chicago"))
    made = list(candidates([_event()], _known([]), {}, Rules(), first))
    assert [(each.point, each.ticker) for each in made] == [("day_before_10", "T"), ("day_before_10", "U")]
    assert len(list(candidates([_event()], _known([]), {}, Rules(), second))) == 4


def test_an_event_without_legs_is_a_candidate_that_says_so() -> None:
    (first, _) = candidates([_event(legs=())], _known([]), {}, Rules(), AT + timedelta(days=1))
    assert (first.ticker, first.missing) == (None, "no_legs")


@pytest.mark.parametrize(
    ("opens", "closes", "missing"),
    [(0, 1, None), (1, 2, "not_open_yet"), (-2, 0, "closed"), (-2, 1, None)],
)
def test_a_market_is_looked_at_from_its_opening_until_its_close(opens: int, closes: int, missing: str | None) -> None:
    at = decisions(date(2026, 6, 30), "America/Chicago")[0].at
    leg = Leg("T", None, 84.5, at + timedelta(seconds=opens), at + timedelta(seconds=closes), None)
    made = next(candidates([_event(legs=(leg,))], _known([]), {}, Rules(), at))
    assert made.missing == missing


_CITIES = {
    "KXHIGHCHI": "America/Chicago",
    "KXHIGHAUS": "America/Chicago",
    "KXHIGHDEN": "America/Denver",
    "KXHIGHLAX": "America/Los_Angeles",
    "KXHIGHMIA": "America/New_York",
    "KXHIGHPHIL": "America/New_York",
}


@pytest.mark.parametrize("timezone", sorted(set(_CITIES.values())))
@pytest.mark.parametrize("day", [date(2025, 11, 1), date(2025, 11, 2), date(2025, 11, 3), date(2026, 3, 8)])
def test_decisions_are_at_ten_on_the_clock_across_the_switches(timezone: str, day: date) -> None:
    made = decisions(day, timezone)
    local = [decision.at.astimezone(ZoneInfo(timezone)) for decision in made]
    assert [moment.time().isoformat() for moment in local] == ["10:00:00", "10:00:00"]
    assert [moment.date() for moment in local] == [day - timedelta(days=1), day]


def test_the_day_of_the_switch_is_an_hour_longer() -> None:
    before, same = decisions(date(2025, 11, 2), "America/Chicago")
    assert same.at - before.at == timedelta(hours=25)


# Fees, sizes, fills ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.integers(1, 9999), st.sampled_from(["0.5", "1", "2"]), st.sampled_from([1, 4, 2]))
def test_a_fee_is_the_formula_rounded_up_to_the_cent(count: int, ticks: int, multiplier: str, part: int) -> None:
    price = Decimal(ticks) / 10_000
    kind = {1: "quadratic", 4: "quadratic_with_maker_fees", 2: "quadratic_with_combo_maker_fees"}[part]
    schedule = FeeSchedule(kind, Decimal(multiplier))
    exact = Fraction(7, 100) * Fraction(multiplier) * count * Fraction(price) * (1 - Fraction(price))
    assert schedule.taker(Decimal(count), price) == Decimal(math.ceil(exact * 100)) / 100
    maker = Fraction(0) if part == 1 else exact / part
    assert schedule.maker(Decimal(count), price) == Decimal(math.ceil(maker * 100)) / 100


def test_a_hundred_contracts_at_a_half_cost_a_taker_a_dollar_seventy_five() -> None:
    assert STANDARD.taker(Decimal(100), Decimal("0.5")) == Decimal("1.75")
    assert STANDARD.maker(Decimal(100), Decimal("0.5")) == 0


def test_a_change_of_fees_holds_from_its_instant_on() -> None:
    first, second = FeeSchedule("quadratic", Decimal(2)), FeeSchedule("quadratic_with_maker_fees", Decimal(1))
    changes = [FeeChange(AT + timedelta(days=1), second), FeeChange(AT, first)]
    assert schedule_at(AT - timedelta(microseconds=1), STANDARD, changes) is STANDARD
    assert schedule_at(AT, STANDARD, changes) is first
    assert schedule_at(AT + timedelta(days=2), STANDARD, changes) is second


def test_an_event_charges_its_override_until_that_is_cleared() -> None:
    day = timedelta(days=1)
    overrides = [
        FeeOverride(AT, "flat", None),
        FeeOverride(AT + day, None, Decimal(2)),
        FeeOverride(AT + 2 * day, None, None),
    ]
    told = [overridden_at(AT + n * day, STANDARD, overrides) for n in (-1, 0, 1, 2)]
    assert told == [STANDARD, FeeSchedule("flat", Decimal(1)), FeeSchedule("quadratic", Decimal(2)), STANDARD]


@pytest.mark.parametrize(("days", "fees"), [(-1, "1"), (0, "2"), (1, "3")])
def test_a_candidate_is_charged_by_the_schedule_of_its_decision(days: int, fees: str) -> None:
    first = decisions(date(2026, 6, 30), "America/Chicago")[0].at
    change = FeeChange(first - timedelta(days=days), FeeSchedule("quadratic", Decimal(2)))
    override = FeeOverride(first + timedelta(days=1) - timedelta(days=days), None, Decimal(3))
    known = Known({}, {}, {"KXHIGHCHI": [change]}, {"E": [override]})
    assert next(candidates([_event()], known, {}, Rules(), first)).fees.multiplier == Decimal(fees)


@given(st.floats(0.02, 0.98), st.decimals("0.02", "0.98", places=4))
def test_the_stake_is_a_quarter_of_the_one_that_grows_fastest(probability: float, cost: Decimal) -> None:
    """Against the fraction of the bankroll that maximises the expected logarithm, found by search."""
    price = float(cost)

    def shrinkage(fraction: float) -> float:
        won = 1 + fraction * (1 - price) / price
        return -(probability * math.log(won) + (1 - probability) * math.log(1 - fraction))

    best = minimize_scalar(shrinkage, bounds=(0.0, 1 - 1e-9), method="bounded", options={"xatol": 1e-9}).x
    bankroll = Decimal(1_000_000)
    count = contracts(
        probability, cost, bankroll=bankroll, kelly_share=Decimal("0.25"), most_dollars=Decimal(10_000_000)
    )
    expected = 0.25 * best if probability > price else 0.0
    assert float(count * cost / bankroll) == pytest.approx(expected, abs=1e-5)


@given(st.floats(0, 1), st.decimals("0.01", "0.99", places=2))
def test_no_stake_is_above_fifty_dollars(probability: float, cost: Decimal) -> None:
    count = contracts(probability, cost, bankroll=Decimal(1000), kelly_share=Decimal("0.25"), most_dollars=Decimal(50))
    assert 0 <= count * cost <= 50


def test_fills_are_a_seeded_share_of_the_decisions() -> None:
    names = [f"E{number}/day_before_10/T" for number in range(20_000)]
    drawn = np.array([is_filled(name, seed=7) for name in names])
    assert drawn.mean() == pytest.approx(0.4, abs=0.015)
    assert [is_filled(name, seed=7) for name in names[:50]] == drawn[:50].tolist()
    assert [is_filled(name, seed=8) for name in names[:50]] != drawn[:50].tolist()
    assert not any(is_filled(name, seed=7, probability=0.0) for name in names[:50])
    assert all(is_filled(name, seed=7, probability=1.0) for name in names[:50])


# Orders ---------------------------------------------------------------------------------------------------------------


def test_a_resting_order_stands_a_cent_above_the_bid_and_pays_no_fee() -> None:
    (result,) = simulate([candidate()], SURE)
    assert result.order is not None
    assert (result.order.side, result.order.role, result.order.price) == ("yes", "maker", Decimal("0.41"))
    assert result.order.fee == 0
    assert result.order.count * result.order.price <= 50
    assert result.pnl == result.order.count * (1 - result.order.price)


def test_an_order_that_does_not_execute_takes_the_offer_where_that_still_pays() -> None:
    (result,) = simulate([candidate()], NEVER)
    assert result.order is not None
    assert (result.order.role, result.order.price) == ("taker", Decimal("0.44"))
    assert result.order.fee == STANDARD.taker(Decimal(result.order.count), Decimal("0.44"))
    assert result.pnl == result.order.count * (1 - Decimal("0.44")) - result.order.fee


def test_a_cheap_no_is_bought_as_no() -> None:
    (result,) = simulate([candidate(fair=0.20, payout=Decimal(0))], SURE)
    assert result.order is not None
    assert (result.order.side, result.order.price) == ("no", Decimal("0.57"))
    assert result.pnl == result.order.count * Decimal("0.43")


@pytest.mark.parametrize(("fair", "stage"), [(0.44, "filled"), (0.4399, "priced")])
def test_an_edge_of_three_cents_is_enough_and_less_is_not(fair: float, stage: str) -> None:
    (result,) = simulate([candidate(fair=fair)], SURE)
    assert result.stage == stage


def test_without_room_above_the_bid_nothing_rests() -> None:
    tight = Quote(AT, Decimal("0.40"), Decimal("0.41"))
    (result,) = simulate([candidate(quote=tight)], SURE)
    assert result.order is not None
    assert result.order.role == "taker"


def test_before_settlement_a_trade_has_no_gain_yet() -> None:
    (result,) = simulate([candidate(payout=None)], SURE)
    assert (result.stage, result.pnl) == ("filled", None)


@settings(max_examples=60)
@given(_CANDIDATES)
def test_every_trade_pays_for_its_fee_and_stays_within_its_stake(made: list[Candidate]) -> None:
    rules = Rules()
    for result in simulate(made, rules):
        if result.stage != "filled":
            assert result.pnl is None
            continue
        order = result.order
        assert order is not None and order.count >= 1
        assert order.edge >= rules.minimum_edge
        # A hundredth of the stake is what rounding the fee up can add.
        assert order.count * order.price + order.fee <= rules.most_dollars + Decimal("0.51")


# Tables ---------------------------------------------------------------------------------------------------------------


def test_tables_become_events_and_results_a_table() -> None:
    leg = {
        "event_ticker": "E",
        "series_ticker": "KXHIGHCHI",
        "climate_day": date(2026, 6, 30),
        "grid_step": 1.0,
        "ticker": "T",
        "low_cut": 84.5,
        "high_cut": None,
        "open_time": AT - timedelta(days=3),
        "close_time": AT + timedelta(days=2),
        "yes_payout": Decimal(1),
    }
    bare = {**leg, "event_ticker": "F", "ticker": None, "low_cut": None, "open_time": None, "close_time": None}
    events = events_of(pa.Table.from_pylist([leg, bare]), lambda _: "America/Chicago")
    assert [(event.event_ticker, len(event.legs)) for event in events] == [("E", 1), ("F", 0)]
    values = {"series_ticker": "KXHIGHCHI", "label_value": 85.0, "anchor_ts": AT, "learned_at": AT}
    fees = [
        {"series_ticker": "KXHIGHCHI", "fee_type": "quadratic", "fee_multiplier": 0.5},
        {"series_ticker": "KXHIGHAUS", "fee_type": None, "fee_multiplier": None},
    ]
    change = {"scheduled_ts": AT, "series_ticker": "KXHIGHCHI", "fee_type": "quadratic", "fee_multiplier": 2.0}
    override = {"event_ticker": "E", "scheduled_ts": AT, "fee_type_override": None, "fee_multiplier_override": 3.0}
    known = known_of(*(pa.Table.from_pylist(rows) for rows in ([values], fees, [change], [override])))
    assert known.fees == {"KXHIGHCHI": FeeSchedule("quadratic", Decimal("0.5")), "KXHIGHAUS": STANDARD}
    assert known.fee_changes["KXHIGHCHI"][0].schedule.multiplier == 2
    assert known.fee_overrides["E"] == [FeeOverride(AT, None, Decimal("3.0"))]
    results = simulate(candidates(events, known, {}, Rules(), AT + timedelta(days=3)), Rules())
    rows = table_of(results).to_pylist()
    assert [(row["candidate_id"], row["reason"]) for row in rows][:2] == [
        ("E/day_before_10/T", "no_bar"),
        ("E/same_day_10/T", "no_bar"),
    ]


def test_rounding_is_up_also_where_a_cent_is_just_passed() -> None:
    exact = Decimal("0.07") * 1 * Decimal("0.10") * Decimal("0.90")
    assert STANDARD.taker(Decimal(1), Decimal("0.10")) == exact.quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def test_a_run_without_configuration_goes_by_the_rules_as_they_are() -> None:
    assert BacktestConfig().rules() == Rules()
    assert BacktestConfig(minimum_edge_cents=7, quote_age_minutes=30).rules() == Rules(
        minimum_edge=Decimal("0.07"), quote_age=timedelta(minutes=30)
    )
