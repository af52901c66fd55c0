"""Bars: their bytes are the JSON a plain encoder would write, and long bars are exactly the short ones put together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_pipeline.sandbox.bars import aggregate, bucket_ends, eastern_midnights
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.wire_candles import candle_array
from kalshi_pipeline.sandbox.world import CLOSE, HIGH, LOW, MEAN, NO_PRICE, OPEN, PREVIOUS, Candles

pytestmark = pytest.mark.unit

OHLC = (("open", OPEN), ("low", LOW), ("high", HIGH), ("close", CLOSE))


@st.composite
def candles(draw: st.DrawFn, most: int = 25) -> Candles:
    """Bars of any shape the encoder may meet, prices of no trade included."""
    seed, rows = draw(st.integers(0, 2**32)), draw(st.integers(0, most))
    random = np.random.default_rng(seed)
    price = random.integers(0, 10_001, (6, rows)).astype(np.int16)
    price[:5, random.random(rows) < 0.5] = NO_PRICE
    price[PREVIOUS, random.random(rows) < 0.5] = NO_PRICE
    volume = np.where(price[CLOSE] == NO_PRICE, 0, random.integers(1, 10 ** random.integers(1, 13), rows))
    return Candles(
        end=1_700_000_000 + 60 * np.cumsum(random.integers(1, 90, rows)),
        bid=random.integers(0, 10_001, (4, rows)).astype(np.int16),
        ask=random.integers(0, 10_001, (4, rows)).astype(np.int16),
        price=price,
        volume=volume,
        open_interest=random.integers(0, 10 ** random.integers(1, 13), rows),
    )


def price_text(ticks: int) -> str:
    return f"{ticks / 10_000:.4f}"


def written_plainly(bars: Candles, dialect: str) -> list[dict[str, Any]]:
    """The oracle: one dictionary per bar, key by key as the exchange documents them."""
    dollars, fixed = ("_dollars", "_fp") if dialect == "live" else ("", "")
    rows = []
    for n in range(len(bars)):
        price = {f"{name}{dollars}": int(bars.price[row, n]) for name, row in (*OHLC, ("mean", MEAN))}
        price[f"previous{dollars}"] = int(bars.price[PREVIOUS, n])
        texts = {name: None if ticks == NO_PRICE else price_text(ticks) for name, ticks in price.items()}
        if dialect == "live":
            texts = {name: text for name, text in texts.items() if text is not None}
        rows.append(
            {
                "end_period_ts": int(bars.end[n]),
                "yes_bid": {f"{name}{dollars}": price_text(int(bars.bid[row, n])) for name, row in OHLC},
                "yes_ask": {f"{name}{dollars}": price_text(int(bars.ask[row, n])) for name, row in OHLC},
                "price": texts,
                f"volume{fixed}": f"{int(bars.volume[n]) // 100}.{int(bars.volume[n]) % 100:02d}",
                f"open_interest{fixed}": f"{int(bars.open_interest[n]) // 100}.{int(bars.open_interest[n]) % 100:02d}",
            }
        )
    return rows


@given(candles(), st.sampled_from(["live", "historical"]))
def test_the_bytes_say_what_a_plain_encoder_would_say(bars: Candles, dialect: Any) -> None:
    assert json.loads(candle_array(bars, dialect)) == written_plainly(bars, dialect)


def put_together_plainly(bars: Candles, minutes: int) -> list[dict[str, int]]:
    """The oracle: group by the end of the longer bar in a dictionary, then take first, highest, lowest and last."""
    groups: dict[int, list[int]] = {}
    eastern = ZoneInfo("America/New_York")
    for n, end in enumerate(bars.end.tolist()):
        if minutes == 1440:
            local = datetime.fromtimestamp(end - 1, UTC).astimezone(eastern)
            nominal = datetime.fromordinal(local.date().toordinal() + 1).replace(tzinfo=eastern)
            bucket = int(nominal.timestamp())
        else:
            bucket = (end + 3599) // 3600 * 3600
        groups.setdefault(bucket, []).append(n)
    out = []
    for bucket, rows in sorted(groups.items()):
        traded = [n for n in rows if bars.price[CLOSE, n] != NO_PRICE]
        volume = sum(int(bars.volume[n]) for n in rows)
        spent = sum(int(bars.price[MEAN, n]) * int(bars.volume[n]) for n in traded)
        none = NO_PRICE
        out.append(
            {
                "end": bucket,
                "bid_open": int(bars.bid[OPEN, rows[0]]),
                "bid_high": max(int(bars.bid[HIGH, n]) for n in rows),
                "ask_low": min(int(bars.ask[LOW, n]) for n in rows),
                "ask_close": int(bars.ask[CLOSE, rows[-1]]),
                "price_open": int(bars.price[OPEN, traded[0]]) if traded else none,
                "price_high": max((int(bars.price[HIGH, n]) for n in traded), default=none),
                "price_low": min((int(bars.price[LOW, n]) for n in traded), default=none),
                "price_close": int(bars.price[CLOSE, traded[-1]]) if traded else none,
                "price_mean": round(spent / volume) if traded else none,
                "price_previous": int(bars.price[PREVIOUS, rows[0]]),
                "volume": volume,
                "open_interest": int(bars.open_interest[rows[-1]]),
            }
        )
    return out


@given(candles(most=60), st.sampled_from([60, 1440]))
def test_long_bars_are_the_short_ones_put_together(bars: Candles, minutes: int) -> None:
    longer, first = aggregate(bars, minutes)
    found = [
        {
            "end": longer.end[n],
            "bid_open": longer.bid[OPEN, n],
            "bid_high": longer.bid[HIGH, n],
            "ask_low": longer.ask[LOW, n],
            "ask_close": longer.ask[CLOSE, n],
            "price_open": longer.price[OPEN, n],
            "price_high": longer.price[HIGH, n],
            "price_low": longer.price[LOW, n],
            "price_close": longer.price[CLOSE, n],
            "price_mean": longer.price[MEAN, n],
            "price_previous": longer.price[PREVIOUS, n],
            "volume": longer.volume[n],
            "open_interest": longer.open_interest[n],
        }
        for n in range(len(longer))
    ]
    assert found == put_together_plainly(bars, minutes)
    assert len(first) == len(longer)


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-11-02", 25), ("2026-03-08", 23), ("2026-11-01", 25), ("2026-07-04", 24)]
)
def test_a_day_ends_at_midnight_eastern_through_both_clock_changes(day: str, hours: int) -> None:
    start = int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York")).timestamp())
    minutes = np.arange(start + 60, start + hours * 3600 + 1, 60)
    assert set(bucket_ends(minutes, 1440).tolist()) == {start + hours * 3600}
    assert start in eastern_midnights()
    assert bucket_ends(np.array([start]), 1440).tolist() == [start], (
        "a bar that ends at midnight belongs to the day before"
    )


def test_a_simulated_ladder_has_a_day_of_25_hours_in_autumn_and_one_of_23_in_spring() -> None:
    world = SimulatedWorld(3)
    lengths = set()
    for ticker in ("KXCPI-25OCT", "KXCPI-26FEB"):
        event = world.event(ticker)
        assert event is not None
        lengths |= set(np.diff(world.candles(world.markets(event)[5], 1440).end).tolist())
    assert lengths == {23 * 3600, 24 * 3600, 25 * 3600}


@pytest.mark.parametrize("ticker", ["KXCPI-26JUL", "KXFED-26SEP", "KXHIGHDEN-26MAR08", "KXBTC-26JUL0302"])
@pytest.mark.parametrize("minutes", [60, 1440])
def test_a_long_bar_closes_where_its_last_minute_did(ticker: str, minutes: int) -> None:
    world = SimulatedWorld(3)
    event = world.event(ticker)
    assert event is not None
    for market in world.markets(event):
        short, long = world.candles(market, 1), world.candles(market, minutes)
        last = np.searchsorted(short.end, long.end, side="right") - 1
        assert (long.bid[CLOSE] == short.bid[CLOSE, last]).all()
        assert (long.ask[CLOSE] == short.ask[CLOSE, last]).all()
        assert long.volume.sum() == short.volume.sum()
