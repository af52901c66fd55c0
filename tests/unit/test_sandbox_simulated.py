"""The simulated world is the same for everybody who names its seed, and hangs together."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from kalshi_pipeline.sandbox.bars import EASTERN
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.simulated.beliefs import belief_path, survival
from kalshi_pipeline.sandbox.simulated.books import nodes
from kalshi_pipeline.sandbox.simulated.catalogue import LISTINGS, UNIVERSE
from kalshi_pipeline.sandbox.simulated.outcomes import outcomes
from kalshi_pipeline.sandbox.simulated.schedule import releases
from kalshi_pipeline.sandbox.wire_candles import candle_array
from kalshi_pipeline.sandbox.world import CLOSE, DOLLAR, HIGH, LOW, NO_PRICE, PREVIOUS, Candles, Market
from kalshi_pipeline.settings import DEFAULT_UNIVERSE

pytestmark = pytest.mark.unit

WORLD = SimulatedWorld(17)
SOME = ("KXCPI-24MAR", "KXPAYROLLS-26JUN", "KXFED-25DEC", "KXHIGHPHIL-25NOV02", "KXBTC-26JUL0409")


def ladder(event_ticker: str) -> list[Market]:
    event = WORLD.event(event_ticker)
    assert event is not None
    return list(WORLD.markets(event))


def fingerprint(world: SimulatedWorld) -> str:
    """A digest of markets, bars and trades of a few events."""
    digest = hashlib.sha256()
    for ticker in SOME:
        event = world.event(ticker)
        assert event is not None
        for market in world.markets(event):
            digest.update(repr(market).encode())
            for period in (1, 60, 1440):
                digest.update(candle_array(world.candles(market, period), "live"))
            digest.update(world.trades(market).time.tobytes())
    return digest.hexdigest()


def test_another_process_sees_the_same_bytes(repo_root: Path) -> None:
    code = (
        "from tests.unit.test_sandbox_simulated import fingerprint, SimulatedWorld;"
        "w = SimulatedWorld(17); list(w.markets(w.event('KXU3-20MAY'))); print(fingerprint(w))"
    )
    other = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fingerprint(WORLD) != fingerprint(SimulatedWorld(18))


def test_a_window_is_the_slice_of_a_larger_one_whatever_was_asked_before() -> None:
    market = ladder("KXCPI-24MAR")[3]
    whole = WORLD.candles(market, 1)
    fresh = SimulatedWorld(17)
    for first in (0, len(whole) // 3, len(whole) - 40):
        window = fresh.candles(market, 1).window(int(whole.end[first]), int(whole.end[first + 30]))
        assert candle_array(window, "live") == candle_array(whole.rows(first, first + 31), "live")


def test_the_default_universe_is_the_pipelines() -> None:
    assert set(WORLD.info.universe) == set(DEFAULT_UNIVERSE) == set(UNIVERSE)
    assert "KXBTC" in {series.ticker for series in WORLD.series()} - set(UNIVERSE)


@pytest.mark.parametrize("ticker", SOME)
def test_trades_and_bars_tell_the_same_story(ticker: str) -> None:
    for market in ladder(ticker):
        bars, trades = WORLD.candles(market, 1), WORLD.trades(market)
        assert (np.diff(trades.time) >= 0).all() and (np.diff(bars.end) > 0).all()
        row = np.searchsorted(bars.end * 1_000_000, trades.time)
        assert (bars.end[row] * 1_000_000 - trades.time < 60_000_000).all(), "each trade lies in the minute of its bar"
        assert np.array_equal(np.bincount(row, trades.count, len(bars)).astype(np.int64), bars.volume)
        for n in set(row.tolist()):
            inside = trades.price[row == n]
            assert (inside[0], inside.max(), inside.min(), inside[-1]) == tuple(bars.price[:4, n].tolist())
        assert ((bars.price[CLOSE] == NO_PRICE) == (bars.volume == 0)).all()
        before = np.searchsorted(trades.time, (bars.end - 60) * 1_000_000, side="right")
        latest = np.where(before > 0, trades.price[before - 1] if len(trades) else 0, NO_PRICE)
        assert (bars.price[PREVIOUS] == latest).all()
        assert (bars.open_interest >= 0).all() and (np.diff(bars.open_interest, prepend=0) <= bars.volume).all()


@pytest.mark.parametrize("ticker", SOME)
def test_quotes_are_whole_cents_and_never_cross(ticker: str) -> None:
    for market in ladder(ticker):
        bars = WORLD.candles(market, 1)
        for side in (bars.bid, bars.ask):
            assert (side % 100 == 0).all() and (side >= 0).all() and (side <= DOLLAR).all()
            assert (side[HIGH] == side.max(axis=0)).all() and (side[LOW] == side.min(axis=0)).all()
            assert (side[0, 1:] == side[CLOSE, :-1]).all(), "a bar opens where the one before closed"
        assert (bars.bid[CLOSE] <= bars.ask[CLOSE]).all()


def test_nothing_happens_in_the_weekly_pause_or_outside_trading_hours() -> None:
    for ticker in (*SOME, "KXHIGHCHI-26JAN08"):
        event = WORLD.event(ticker)
        assert event is not None
        for market in WORLD.markets(event)[:3]:
            moments = [datetime.fromtimestamp(t / 1e6, UTC) for t in WORLD.trades(market).time.tolist()]
            assert all(event.open_time <= moment <= event.close_time for moment in moments)
            local = [moment.astimezone(EASTERN) for moment in moments]
            assert not [moment for moment in local if moment.weekday() == 3 and moment.hour in (3, 4)]


@pytest.mark.parametrize("series", LISTINGS)
def test_markets_pay_by_the_printed_number(series: str) -> None:
    """An independent reading of the rules: greater and less are strict, between includes both ends."""
    for event in WORLD.events(series)[:400:8]:
        markets = WORLD.markets(event)
        assert len({market.ticker for market in markets}) == len(markets) >= 6
        printed = {float(market.expiration_value) for market in markets}
        assert len(printed) == 1
        x = printed.pop()
        for market in markets:
            floor, cap = market.floor_strike, market.cap_strike
            if market.strike_type == "greater":
                assert floor is not None and (market.result == "yes") == (x > floor + 1e-9)
            elif market.strike_type == "less":
                assert cap is not None and (market.result == "yes") == (x < cap - 1e-9)
            else:
                assert floor is not None and cap is not None
                assert (market.result == "yes") == (floor - 1e-9 <= x <= cap + 1e-9)
        if event.mutually_exclusive:
            assert sum(market.result == "yes" for market in markets) == 1


def test_buckets_tile_the_line_on_the_published_grid() -> None:
    for ticker, step in (("KXHIGHDEN-26FEB03", 1.0), ("KXBTC-26JUL0409", 0.01)):
        markets = ladder(ticker)
        between = sorted((m.floor_strike, m.cap_strike) for m in markets if m.strike_type == "between")
        less, greater = (next(m for m in markets if m.strike_type == kind) for kind in ("less", "greater"))
        assert less.cap_strike == between[0][0] and greater.floor_strike == between[-1][1]
        gaps = {round(later[0] - earlier[1], 6) for earlier, later in pairwise(between)}
        assert gaps == {step}


def test_releases_fall_when_such_releases_do() -> None:
    for series in ("KXCPI", "KXU3", "KXPAYROLLS"):
        for release in releases(series):
            local = release.released.astimezone(EASTERN)
            assert (local.hour, local.minute) == (8, 30) and local.weekday() < 5
            assert release.listed < release.opens < release.closes < release.released < release.settles
    assert [r.released for r in releases("KXU3")] == [r.released for r in releases("KXPAYROLLS")]
    assert all(sum(r.released.year == year for r in releases("KXFED")) == 8 for year in range(2018, 2031))
    assert releases("KXCPI")[0].released.year == 2018 and releases("KXHIGHCHI")[0].label == "25SEP01"
    for release in releases("KXHIGHLAX")[:90]:
        assert release.opens.astimezone(EASTERN).hour == 10
        assert len({r.label for r in releases("KXBTC")}) == len(releases("KXBTC"))


def test_the_belief_is_a_student_t_with_four_degrees_of_freedom() -> None:
    x = np.linspace(-9, 9, 61)
    ours = survival(x, np.zeros(61), np.ones(61))
    assert np.abs(ours - stats.t.sf(x * np.sqrt(2), 4)).max() < 1e-12


def test_beliefs_are_informative_and_roughly_calibrated() -> None:
    """Forecast errors shrink toward the release, and the probability integral transform is near uniform."""
    early, late, transform = [], [], []
    for series in ("KXCPI", "KXCPIYOY", "KXU3"):
        listing, printed = LISTINGS[series], outcomes(17, series)
        for release in releases(series):
            latent = printed[release.label].latent
            belief = belief_path(17, release, listing, latent, nodes(release, listing))
            scale = listing.last_doubt
            early.append((belief.centre[0] - latent) / scale)
            late.append((belief.centre[-1] - latent) / scale)
            transform.append(float(survival(np.array([latent]), belief.centre[-1:], belief.width[-1:])[0]))
    assert np.std(early) > 1.1 * np.std(late)
    assert 0.8 < np.std(late) < 1.3
    assert stats.kstest(transform, "uniform").statistic < 0.08
    assert 0.7 < np.mean((np.array(transform) > 0.1) & (np.array(transform) < 0.9)) < 0.9


def snapshots(series: str, minutes_before: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Bids and asks of whole ladders, strikes ascending, some minutes before the close (dollars)."""
    found = []
    past = [event for event in WORLD.events(series) if event.close_time < datetime(2026, 11, 1, tzinfo=UTC)]
    for event in past[:count]:
        markets = sorted(WORLD.markets(event), key=lambda m: m.floor_strike or 0.0)
        at = int(event.close_time.timestamp()) - 60 * minutes_before
        last = [WORLD.candles(market, 1).window(0, at) for market in markets]
        quotes = [(int(bars.bid[CLOSE, -1]), int(bars.ask[CLOSE, -1])) for bars in last]
        found.append((np.array([b for b, _ in quotes]) / DOLLAR, np.array([a for _, a in quotes]) / DOLLAR))
    return found


def test_books_are_wider_and_less_often_renewed_far_from_the_release() -> None:
    far, near = snapshots("KXPAYROLLS", 20 * 1440, 30), snapshots("KXPAYROLLS", 10, 30)
    width = [np.mean([np.mean(ask - bid) for bid, ask in side]) for side in (far, near)]
    assert width[0] > 1.4 * width[1]
    bars: Candles = WORLD.candles(ladder("KXPAYROLLS-26JUN")[5], 1)
    hours = WORLD.candles(ladder("KXPAYROLLS-26JUN")[5], 60)
    assert 0.3 < np.mean([len(WORLD.candles(m, 60)) / 720 for m in ladder("KXPAYROLLS-26JUN")]) < 0.75
    assert np.median(np.diff(bars.end[-600:])) == 60 and np.median(np.diff(hours.end[:100])) >= 3600


def test_mids_are_often_not_monotone_but_seldom_tradable() -> None:
    taken = [pair for series in ("KXCPI", "KXCPIYOY", "KXPAYROLLS") for pair in snapshots(series, 60, 60)]
    uneven = np.mean([(np.diff((bid + ask) / 2) > 1e-9).any() for bid, ask in taken])
    tradable = np.mean([(np.maximum.accumulate(b[::-1])[::-1] > np.minimum.accumulate(a)).any() for b, a in taken])
    assert 0.1 < uneven < 0.8 and tradable < 0.03


def test_some_books_lack_a_side_and_some_lock() -> None:
    bars = [WORLD.candles(market, 1) for market in ladder("KXPAYROLLS-26JUN")]
    no_bid = np.mean([np.mean(b.bid[CLOSE] == 0) for b in bars])
    locked = sum(int((b.bid[CLOSE] == b.ask[CLOSE]).sum()) for b in bars)
    assert 0.005 < no_bid < 0.6 and locked > 0
