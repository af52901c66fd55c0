"""Stale cutoffs, weights, liquidity, the quality score and its flags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp, log1p, tanh
from typing import Any

import numpy as np
import pytest

from kalshi_pipeline.distributions.bands import read_bands
from kalshi_pipeline.distributions.exchange_pause import in_pause
from kalshi_pipeline.distributions.quality import liquidity_proxy, quality
from kalshi_pipeline.distributions.rules import Rules
from kalshi_pipeline.distributions.stale import cutoff_minutes, rows_of_bars
from kalshi_pipeline.distributions.weights import repair_weights
from tests.unit.distribution_kit import ASOF, Quote, around, buckets, snapshot, thresholds

pytestmark = pytest.mark.unit

RULES = Rules()


def cutoff(profile: str, minutes: float, liquidity: float = 4.0) -> float:
    """The cutoff of one row of the schedule, in minutes."""
    row_of = np.array([0])
    return float(
        cutoff_minutes([RULES.stale_row(profile)], row_of, np.array([minutes]), np.array([liquidity]), RULES)[0]
    )


@pytest.mark.parametrize(
    ("profile", "minutes", "liquidity", "expected"),
    [
        ("DEFAULT", 0, 4.0, 2.0),
        ("DEFAULT", 30, 4.0, 2.0),
        ("DEFAULT", -600, 4.0, 2.0),
        ("DEFAULT", 735, 4.0, 31.0),
        ("DEFAULT", 1440, 4.0, 60.0),
        ("DEFAULT", 100_000, 4.0, 60.0),
        ("DEFAULT", np.nan, 4.0, 30.0),
        ("CPI", 1440, 4.0, 48.0),
        ("UNEMPLOYMENT", 1440, 4.0, 54.0),
        ("FOMC", 30, 4.0, 1.4),
        ("DEFAULT", 1440, 2.0, 81.0),
        ("DEFAULT", 1440, 2.0001, 60.0),
        ("DEFAULT", 1440, 6.0, 48.0),
        ("DEFAULT", 1440, 5.9999, 60.0),
        ("DEFAULT", 1440, np.nan, 60.0),
        ("WEATHER", 30, 4.0, 15.0),
    ],
)
def test_the_schedule(profile: str, minutes: float, liquidity: float, expected: float) -> None:
    assert cutoff(profile, minutes, liquidity) == pytest.approx(expected)


def test_the_cutoff_is_clipped() -> None:
    short = Rules(min_cutoff_minutes=5.0, max_cutoff_minutes=40.0)
    for minutes, expected in ((0.0, 5.0), (100_000.0, 40.0)):
        got = cutoff_minutes([RULES.stale_row("DEFAULT")], np.array([0]), np.array([minutes]), np.array([4.0]), short)
        assert got[0] == expected


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(ValueError, match="no row 'MOON'"):
        RULES.stale_row("MOON")


def test_long_bars_have_rows_of_their_own() -> None:
    periods = np.array([np.nan, 1.0, 59.0, 60.0, 1440.0])
    assert rows_of_bars(RULES, periods, np.zeros(5, dtype=np.int64), 7).tolist() == [0, 0, 0, 7, 8]


def test_an_hourly_bar_may_be_older_than_an_order_book() -> None:
    markets = thresholds([3.0, 3.1, 3.2])
    quotes = around(markets, [0.8, 0.5, 0.2])
    old = timedelta(hours=5)
    assert "age_stale" in snapshot(markets, quotes, age=old)["gate_reasons"]
    bars = snapshot(markets, quotes, age=old, period_minutes=60, quote_kind="trade_proxy")
    assert (bars["gate_reasons"], bars["stale_cutoff_seconds"], bars["quote_kind"]) == ([], 6 * 3600.0, "trade_proxy")


def test_a_weight_halves_with_every_cutoff_and_falls_with_the_variance_of_the_mid() -> None:
    bands = read_bands(np.array([0.49, 0.49, 0.40, 0.50]), np.array([0.51, 0.51, 0.60, 0.50]), np.full(4, np.nan))
    weight = repair_weights(bands, np.array([0.0, 120.0, 0.0, 0.0]), np.full(4, 60.0), RULES)
    tick = 0.01**2 / 12
    assert weight == pytest.approx([1 / (0.01**2 + tick), 0.25 / (0.01**2 + tick), 1 / (0.1**2 + tick), 1 / tick])


def test_one_sided_and_empty_books_have_no_weight_and_a_last_trade_has_a_wide_books() -> None:
    bands = read_bands(
        np.array([np.nan, 0.4, np.nan, np.nan]),
        np.array([0.3, np.nan, np.nan, np.nan]),
        np.array([0.2, 0.45, 0.5, np.nan]),
    )
    weight = repair_weights(bands, np.zeros(4), np.ones(4), RULES)
    assert weight == pytest.approx([0, 0, 1 / (0.25**2 + 0.01**2 / 12), 0])
    assert bands.lower.tolist() == [0, 0.4, 0, 0]
    assert bands.upper.tolist() == [0.3, 1, 1, 1]


@pytest.mark.parametrize(("bid", "ask"), [(0.0, 1.0), (0.0, 0.0), (np.nan, 1.0), (1.0, 0.0)])
def test_the_exchanges_empty_sides_are_bounds_and_never_prices(bid: float, ask: float) -> None:
    bands = read_bands(np.array([bid]), np.array([ask]), np.array([0.0]))
    assert (bands.lower[0], bands.upper[0]) == (0.0, 1.0)
    assert np.isnan(bands.mid[0])
    assert not bands.sided[0]


@pytest.mark.parametrize(
    ("volume", "interest", "expected"),
    [(100.0, 10.0, (log1p(100) + log1p(10)) / 2), (100.0, np.nan, log1p(100)), (np.nan, np.nan, np.nan)],
)
def test_the_liquidity_proxy_is_the_mean_of_what_is_known(volume: float, interest: float, expected: float) -> None:
    assert liquidity_proxy(np.array([volume]), np.array([interest]))[0] == pytest.approx(expected, nan_ok=True)


def test_the_quality_score_is_the_weighted_sum_of_its_stored_components() -> None:
    got = quality(*(np.array([x]) for x in (0.9, 0.3, 120.0, (log1p(50) + log1p(20)) / 2, 0.04)), RULES)
    expected = (
        0.35 * 0.9 + 0.20 * 0.7 + 0.20 * exp(-120 / 300) + 0.10 * tanh((log1p(50) + log1p(20)) / 8) + 0.15 * exp(-0.04)
    )
    assert got.score[0] == pytest.approx(expected)
    unknown = quality(*(np.array([x]) for x in (0.0, np.nan, np.nan, np.nan, 0.0)), RULES)
    assert (unknown.spread[0], unknown.age[0], unknown.liquidity[0]) == (0.5, 0.5, 0.0)
    assert unknown.score[0] == pytest.approx(0.20 * 0.5 + 0.20 * 0.5 + 0.15)


@pytest.mark.parametrize(
    ("instant", "paused"),
    [
        ("2026-07-09T06:59:59", False),
        ("2026-07-09T07:00:00", True),
        ("2026-07-09T08:59:59", True),
        ("2026-07-09T09:00:00", False),
        ("2026-01-08T07:59:59", False),
        ("2026-01-08T08:00:00", True),
        ("2026-07-08T07:30:00", False),
    ],
)
def test_the_weekly_pause_is_thursday_three_to_five_eastern_in_summer_and_winter(instant: str, paused: bool) -> None:
    assert in_pause(np.array([instant], dtype="datetime64[us]")).tolist() == [paused]


MARKETS = thresholds([3.0, 3.1, 3.2, 3.3])
VALUES = [0.9, 0.6, 0.4, 0.1]


def flags(quotes: dict[str, Quote], **more: Any) -> list[str]:
    """The flags of a ladder of four markets."""
    found = snapshot(MARKETS, quotes, **more)["flags"]
    assert isinstance(found, list)
    return found


def test_flags_say_what_a_user_should_know() -> None:
    quotes = around(MARKETS, VALUES)
    assert flags(quotes) == ["outer_mass_high", "tail_dominated"]
    assert "exchange_pause" in flags(quotes, asof=datetime(2026, 7, 9, 8, 0, tzinfo=UTC))
    assert "crossed_quotes" in flags({**quotes, MARKETS[1]["ticker"]: (0.62, 0.60)})
    assert "liquidity_unknown" in flags(quotes, volume=None, open_interest=None)
    assert "last_trade_only" in flags({**quotes, MARKETS[1]["ticker"]: (None, None)}, last_price=0.55)
    assert {"age_unknown", "spread_unknown", "low_coverage", "few_live_markets"} <= set(flags({}))


def test_low_coverage_is_flagged_below_a_half() -> None:
    assert "low_coverage" not in flags(around(MARKETS[:2], VALUES[:2]))
    assert "low_coverage" in flags(around(MARKETS[:1], VALUES[:1]))


def test_a_bucket_ladder_with_a_gap_is_flagged_incomplete() -> None:
    markets = buckets(62, [(62, 63), (66, 67)], 67, event="KXHIGHNY-26JUL14")
    assert "incomplete_ladder" in snapshot(markets, around(markets, [0.2, 0.3, 0.2, 0.1]))["flags"]


def test_kinds_of_quotes_are_told_apart() -> None:
    quotes = around(MARKETS, VALUES)
    assert snapshot(MARKETS, quotes)["quote_kind"] == "order_book"
    assert snapshot(MARKETS, quotes, quote_kind="candle_close")["quote_kind"] == "candle_close"


def test_minutes_to_the_anchor_count_to_the_release() -> None:
    row = snapshot(MARKETS, around(MARKETS, VALUES), asof=ASOF)
    assert row["minutes_to_anchor"] == 7 * 1440 + 30.0
