"""Candle requests cover every wanted bar once, keep the exchange's limits, and are about as few as can be."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.landing import planning
from kalshi_pipeline.landing.planning import CandleRequest, Span, plan_batches, plan_singles
from tests.unit import least_requests
from tests.unit.least_requests import least_batches

pytestmark = pytest.mark.unit

MINUTE = 60
PERIODS = st.sampled_from([1, 60])


def bars(start_ts: int, end_ts: int, period: int) -> list[int]:
    """Ends of the bars within a window, both ends included, by plain enumeration."""
    length = period * MINUTE
    return [ts for ts in range(start_ts - start_ts % length, end_ts + 1, length) if start_ts <= ts]


def delivered(requests: list[CandleRequest], period: int) -> Counter[tuple[str, int]]:
    return Counter((t, ts) for r in requests for ts in bars(r.start_ts, r.end_ts, period) for t in r.tickers)


@st.composite
def ladders(draw: st.DrawFn, largest: int = 130, longest: int = 400) -> tuple[list[Span], int]:
    """Markets of one event: most live from the beginning to the end, some are listed later or close earlier."""
    period = draw(PERIODS)
    length = period * MINUTE
    total = draw(st.integers(1, longest))
    origin = 1_767_225_600 + draw(st.integers(0, 86_400))
    spans = []
    for n in range(draw(st.integers(1, largest))):
        late = draw(st.one_of(st.just(0), st.integers(0, total)))
        early = draw(st.one_of(st.just(total), st.integers(0, total)))
        spans.append(Span(f"T{n}", origin + late * length, origin + early * length))
    return spans, period


@given(ladders())
def test_every_wanted_bar_is_asked_for_exactly_once(case: tuple[list[Span], int]) -> None:
    spans, period = case
    wanted = {(s.ticker, ts) for s in spans for ts in bars(s.start_ts, s.end_ts, period)}
    for plan in (plan_batches(spans, period), plan_singles(spans, period)):
        asked = delivered(plan, period)
        assert wanted <= asked.keys()
        assert all(asked[bar] == 1 for bar in wanted)


@given(ladders(longest=40_000, largest=12))
def test_no_request_is_larger_than_the_exchange_allows(case: tuple[list[Span], int]) -> None:
    spans, period = case
    length = period * MINUTE
    for request in plan_batches(spans, period):
        stamps = (request.end_ts - request.start_ts) // length + 1
        assert 1 <= len(request.tickers) <= 100
        assert len(request.tickers) * stamps <= 10_000
        assert stamps < 5_000
        assert len(set(request.tickers)) == len(request.tickers)
    for request in plan_singles(spans, period):
        assert len(request.tickers) == 1
        assert (request.end_ts - request.start_ts) // length + 1 < 5_000


@given(markets=st.integers(1, 250), periods=st.integers(1, 50_000))
def test_a_ladder_needs_at_most_one_request_in_twenty_more_than_the_least(markets: int, periods: int) -> None:
    spans = [Span(f"T{n}", MINUTE, periods * MINUTE) for n in range(markets)]
    least = least_batches(spans, 1)
    assert least >= markets * periods / 10_000
    assert least <= len(plan_batches(spans, 1)) <= max(least + 1, 1.05 * least)


@given(ladders(longest=60_000, largest=40))
def test_a_ragged_ladder_stays_close_to_the_least(case: tuple[list[Span], int]) -> None:
    spans, period = case
    least = least_batches(spans, period)
    assert least <= len(plan_batches(spans, period)) <= 1.25 * least + 2


def test_over_a_season_of_ladders_the_plan_is_within_five_percent_of_the_least() -> None:
    day = 1_440
    shapes = [(6, 2_340), (13, 30 * day), (25, 60 * day), (8, 45 * day), (188, 60), (11, 7 * day), (40, 3 * day)]
    planned = least = 0
    for markets, periods in shapes:
        spans = [Span(f"T{n}", MINUTE, periods * MINUTE) for n in range(markets)]
        planned += len(plan_batches(spans, 1))
        least += least_batches(spans, 1)
    assert planned <= 1.05 * least


@st.composite
def few_markets(draw: st.DrawFn) -> list[Span]:
    lives = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4))
    return [Span(f"T{n}", min(life) * MINUTE, max(life) * MINUTE) for n, life in enumerate(lives)]


def fewest(left: dict[str, tuple[int, int]]) -> int:
    """The fewest requests of two markets and three bars, or of one market and five, that cover all; by trying all."""
    if not left:
        return 0
    # All before it is covered, so a request that covers the earliest bar may as well begin with it.
    first, earliest = min((first, ticker) for ticker, (first, _) in left.items())
    tries = [({earliest}, 5), *(({earliest, other}, 3) for other in left if other != earliest)]
    return 1 + min(fewest(_after(left, asked, first + bars)) for asked, bars in tries)


def _after(left: dict[str, tuple[int, int]], asked: set[str], covered: int) -> dict[str, tuple[int, int]]:
    begun = {
        t: (covered, last) if t in asked and first <= covered else (first, last) for t, (first, last) in left.items()
    }
    return {ticker: (first, last) for ticker, (first, last) in begun.items() if first <= last}


@contextmanager
def small_limits() -> Iterator[None]:
    """Two markets, six candles and five periods a request, so that all plans can be tried."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (planning, least_requests):
            patch.setattr(module, "MARKETS_PER_BATCH", 2)
            patch.setattr(module, "CANDLES_PER_BATCH", 6)
            patch.setattr(module, "PERIODS_PER_REQUEST", 5)
        yield


def fewest_for(spans: list[Span]) -> int:
    return fewest({span.ticker: (span.start_ts // MINUTE, span.end_ts // MINUTE) for span in spans})


@given(few_markets())
def test_the_least_is_never_more_than_what_trying_all_finds(spans: list[Span]) -> None:
    with small_limits():
        plan, least = plan_batches(spans, 1), least_batches(spans, 1)
    best = fewest_for(spans)
    assert least <= best <= len(plan) <= best + 1


def test_where_all_plans_can_be_tried_nineteen_of_twenty_have_as_few_requests_as_any() -> None:
    draw = random.Random(20_260_601)
    above = []
    for _ in range(200):
        lives = [sorted(draw.choices(range(1, 11), k=2)) for _ in range(draw.randint(1, 5))]
        spans = [Span(f"T{n}", first * MINUTE, last * MINUTE) for n, (first, last) in enumerate(lives)]
        with small_limits():
            above.append(len(plan_batches(spans, 1)) - fewest_for(spans))
    assert above.count(0) >= 0.95 * len(above)


def staggered(events: int, markets: int, life: int, every: int, series: int = 1) -> list[Span]:
    """Events of so many bars of which one begins every so many bars, in several series at once."""
    begins = [(s, e, 1 + e * every) for s in range(series) for e in range(events)]
    return [
        Span(f"S{s}E{e}M{m}", begin * MINUTE, (begin + life - 1) * MINUTE)
        for s, e, begin in begins
        for m in range(markets)
    ]


@pytest.mark.parametrize(
    ("shape", "spans"),
    [
        ("hourly ladders, every quarter of an hour", staggered(96, 40, 60, 15)),
        ("large hourly ladders", staggered(24, 188, 60, 60)),
        ("daily highs of six cities, hourly bars", staggered(22, 6, 39, 24, 6)),
        ("the same beside monthly ladders", staggered(22, 6, 39, 24, 6) + staggered(1, 13, 480, 1, 18)),
        ("daily highs of six cities, one-minute bars", staggered(10, 6, 2_340, 1_440, 6)),
        ("daily highs of one city, hourly bars", staggered(40, 12, 39, 24)),
        ("quarters of an hour of five coins", staggered(96, 1, 15, 15, 5)),
        ("hours of three coins", staggered(100, 2, 60, 60, 3)),
    ],
)
def test_short_events_that_follow_one_another_take_about_the_least(shape: str, spans: list[Span]) -> None:
    least = least_batches(spans, 1)
    # A single request more is all that is above one in twenty, where there are few.
    assert least <= len(plan_batches(spans, 1)) <= max(1.05 * least, least + 1), shape


@pytest.mark.parametrize(
    ("spans", "above"),
    [
        (staggered(48, 20, 300, 60), 0.1),
        # 17 requests, and no plan has fewer than 15.
        (staggered(10, 6, 2_340, 1_440), 0.14),
        (staggered(96, 10, 120, 30), 0.1),
    ],
)
def test_events_that_overlap_by_a_part_stay_close_to_the_least(spans: list[Span], above: float) -> None:
    least = least_batches(spans, 1)
    assert least <= len(plan_batches(spans, 1)) <= (1 + above) * least


def test_daily_bars_are_asked_for_once_across_both_clock_changes() -> None:
    new_york = ZoneInfo("America/New_York")
    first = datetime(2025, 1, 1, tzinfo=new_york)
    # Bars last 24 hours from midnight in New York, also on the days that have 23 or 25.
    ends = [int((first + timedelta(days=n)).timestamp()) + 86_400 for n in range(365)]
    for cut in range(0, 86_400, 3_600):
        spans = [Span(f"T{n}", ends[0] - cut, ends[-1]) for n in range(60)]
        plan = plan_batches(spans, 1_440)
        got = Counter((t, ts) for r in plan for ts in ends if r.start_ts <= ts <= r.end_ts for t in r.tickers)
        assert set(got.values()) == {1}
        assert len(got) == 60 * 365
        assert all(len(r.tickers) * ((r.end_ts - r.start_ts) // 86_400 + 1) <= 10_000 for r in plan)


def test_nothing_wanted_is_nothing_asked() -> None:
    assert plan_batches([], 1) == []
    assert plan_singles([], 60) == []
    assert plan_batches([Span("A", 61, 119)], 1) == []


def test_a_gap_in_which_no_market_lives_is_not_asked_for() -> None:
    early, late = Span("A", MINUTE, 100 * MINUTE), Span("B", 90_000 * MINUTE, 90_100 * MINUTE)
    assert delivered(plan_batches([early, late], 1), 1).total() == 100 + 101
