"""Data that is wrong in a known way does not pass for data that is right: it shows in a gate, a flag or an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import ceil, floor
from typing import Any

import pytest

from kalshi_pipeline.distributions.rules import Rules
from tests.unit.distribution_kit import (
    ASOF,
    Quote,
    around,
    buckets,
    computed,
    ladders_of,
    observe,
    snapshot,
    thresholds,
)

pytestmark = pytest.mark.unit

LADDER = thresholds([2.8, 3.0, 3.2, 3.4, 3.6])
VALUES = [0.93, 0.75, 0.45, 0.2, 0.07]
BUCKETS = buckets(66, [(66, 67), (68, 69), (70, 71), (72, 73)], 73, event="KXHIGHNY-26JUL08")
MASSES = [0.05, 0.15, 0.35, 0.25, 0.12, 0.08]


def quotes(half: float = 0.02) -> dict[str, Quote]:
    return around(LADDER, VALUES, half)


def faults(row: Mapping[str, Any]) -> set[str]:
    """Everything a snapshot says against itself, but for what any short ladder says of its tails."""
    return {*row["gate_reasons"], *row["flags"]} - {"outer_mass_high", "tail_dominated"}


def changed(markets: list[dict[str, Any]], position: int, **columns: Any) -> list[dict[str, Any]]:
    return [{**row, **columns} if at == position else row for at, row in enumerate(markets)]


def test_the_sound_ladders_have_no_fault() -> None:
    for markets, values in ((LADDER, VALUES), (BUCKETS, MASSES)):
        row = snapshot(markets, around(markets, values, 0.02))
        assert faults(row) == set()
        assert not row["quality_low"]


def test_a_shifted_strike_makes_buckets_overlap() -> None:
    row = snapshot(changed(BUCKETS, 2, floor_strike=69.0, cap_strike=70.0), around(BUCKETS, MASSES, 0.02))
    assert row["kind"] == "mixed"
    assert {"direction_unresolved", "overlapping_buckets"} <= faults(row)
    assert row["mean"] is None


def test_strikes_shifted_together_leave_a_gap() -> None:
    upper = [{**row, "floor_strike": row["floor_strike"] + 1} for row in BUCKETS[3:4]]
    row = snapshot([*BUCKETS[:3], *upper, *BUCKETS[4:]], around(BUCKETS, MASSES, 0.02))
    assert "incomplete_ladder" in faults(row)


def test_swapped_sides_are_crossed_and_an_arbitrage() -> None:
    swapped = {ticker: (ask, bid) for ticker, (bid, ask) in quotes(half=0.09).items()}
    assert {"crossed_quotes", "arbitrage"} <= faults(snapshot(LADDER, swapped))


def test_cents_for_dollars_are_no_prices() -> None:
    cents = {ticker: (bid * 100, ask * 100) for ticker, (bid, ask) in quotes().items() if bid and ask}
    row = snapshot(LADDER, cents)
    assert {"coverage_low", "spread_unknown", "too_few_live_markets"} <= faults(row)
    assert row["mean"] is None


def test_an_inverted_bucket_never_pays_and_leaves_a_gap() -> None:
    inverted = changed(BUCKETS, 2, floor_strike=69.0, cap_strike=68.0)
    reasons = {row["ticker"]: row["reason"] for row in ladders_of(inverted).legs.to_pylist()}
    assert reasons[inverted[2]["ticker"]] == "pays_on_no_grid_point"
    rest = [row for at, row in enumerate(inverted) if at != 2]
    assert "incomplete_ladder" in faults(snapshot(rest, around(BUCKETS, MASSES, 0.02)))


def test_a_missing_leg_is_a_gap_or_lowers_the_coverage() -> None:
    row = snapshot(BUCKETS[:3] + BUCKETS[4:], around(BUCKETS, MASSES, 0.02))
    assert "incomplete_ladder" in faults(row)
    two_missing = {ticker: quote for ticker, quote in list(quotes().items())[2:]}
    assert snapshot(LADDER, two_missing)["gate_reasons"] == ["coverage_low"]


def test_a_clock_moved_back_makes_quotes_stale() -> None:
    assert {"age_stale", "coverage_low"} <= faults(snapshot(LADDER, quotes(), age=timedelta(hours=2)))


def test_a_clock_moved_ahead_and_late_quotes_are_refused() -> None:
    tables = ladders_of(LADDER)
    with pytest.raises(ValueError, match="after the instant"):
        computed(tables, observe(tables, quotes(), ASOF, age=-timedelta(minutes=1)))


def test_an_upside_down_no_price_is_crossed_or_wide() -> None:
    """The best NO bid taken for the YES ask instead of one dollar less it."""
    upside_down = {ticker: (bid, round(1 - ask, 4)) for ticker, (bid, ask) in quotes().items() if bid and ask}
    assert {"crossed_quotes", "arbitrage"} <= faults(snapshot(LADDER, upside_down))


def test_a_doubled_fee_opens_the_arbitrage_gate() -> None:
    """The same quotes are judged net of the fee that the series has, and of no other."""
    given = quotes()
    given[LADDER[1]["ticker"]], given[LADDER[2]["ticker"]] = (0.39, 0.40), (0.54, 0.55)
    assert snapshot(LADDER, given)["gate_reasons"] == ["arbitrage"]
    assert snapshot(LADDER, given, rules=Rules(fee_rate=0.14))["gate_reasons"] == []


def test_a_strike_rounded_to_the_grid_pays_on_one_point_less() -> None:
    """``greater 3.199999`` pays from 3.2 on, ``greater 3.2`` from 3.3: the mean moves by the mass of a grid step."""
    raw = snapshot(changed(LADDER, 2, floor_strike=3.199999), quotes())
    rounded = snapshot(LADDER, quotes())
    cuts = [{cell["high_cut"] for cell in row["cells"]} for row in (raw, rounded)]
    assert cuts[0] - cuts[1] == {3.15}
    assert cuts[1] - cuts[0] == {3.25}
    assert rounded["mean"] > raw["mean"]


def test_prices_rounded_toward_each_other_cross() -> None:
    """Bids up and asks down to the dime, instead of kept to the cent."""
    dimes = {
        ticker: (ceil(bid * 10) / 10, floor(ask * 10) / 10) for ticker, (bid, ask) in quotes().items() if bid and ask
    }
    assert "crossed_quotes" in faults(snapshot(LADDER, dimes))
