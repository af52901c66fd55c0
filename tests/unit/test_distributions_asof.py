"""As-of joins: of every leg expected at an instant the latest quote known by then, whatever order quotes come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_pipeline.distributions.asof import QUOTE_LOOKBACK, observations_as_of
from kalshi_pipeline.research.proofs.joins import quotes_as_of
from kalshi_pipeline.research.proofs.world import World
from tests.unit.distribution_kit import ASOF

pytestmark = pytest.mark.unit

_TIME = pa.timestamp("us", tz="UTC")
_LEGS = pa.schema({"ladder_id": pa.string(), "leg_index": pa.int32(), "ticker": pa.string(), "known_at": _TIME})
_SNAPSHOTS = pa.schema({"ladder_id": pa.string(), "asof": _TIME, "snapshot_kind": pa.string()})
_QUOTES = pa.schema(
    {
        "ticker": pa.string(),
        "available_ts": _TIME,
        "quote_kind": pa.string(),
        "source": pa.string(),
        "period_minutes": pa.int32(),
        **dict.fromkeys(("yes_bid", "yes_ask", "last_price", "volume", "open_interest"), pa.float64()),
    }
)
_MINUTE = timedelta(minutes=1)


def leg(ticker: str, index: int = 0, ladder: str | None = "L", known_at: datetime | None = None) -> dict[str, Any]:
    since = known_at or ASOF - 30 * QUOTE_LOOKBACK
    return {"ladder_id": ladder, "leg_index": index, "ticker": ticker, "known_at": since}


def quote(ticker: str, at: datetime, bid: float | None, **more: Any) -> dict[str, Any]:
    own = {"quote_kind": "order_book", "source": "live_snapshot", "volume": 1.0}
    return {"ticker": ticker, "available_ts": at, "yes_bid": bid, **own, **more}


def observed(
    legs: Sequence[dict[str, Any]],
    instants: Sequence[tuple[str, datetime]],
    quotes: Sequence[dict[str, Any]],
    piece: int = 1000,
) -> list[dict[str, Any]]:
    """The observations, and that only quotes between the two instants asked for were needed."""
    table = pa.Table.from_pylist(list(quotes), schema=_QUOTES)

    def read(since: datetime, until: datetime) -> Iterator[pa.RecordBatch]:
        held = [since <= row["available_ts"] <= until for row in quotes]
        return iter(table.filter(pa.array(held, pa.bool_())).to_batches(piece))

    wanted = [{"ladder_id": ladder, "asof": at, "snapshot_kind": "grid"} for ladder, at in instants]
    rows: list[dict[str, Any]] = observations_as_of(
        pa.Table.from_pylist(list(legs), schema=_LEGS), pa.Table.from_pylist(wanted, schema=_SNAPSHOTS), read
    ).to_pylist()
    return rows


def bids(*given: Any, **more: Any) -> list[float | None]:
    return [row["yes_bid"] for row in observed(*given, **more)]


def test_a_quote_counts_from_the_instant_it_became_known_and_not_a_microsecond_before() -> None:
    at = [("L", ASOF - timedelta(microseconds=1)), ("L", ASOF), ("L", ASOF + _MINUTE)]
    quotes = [quote("A", ASOF, 0.4), quote("A", ASOF - _MINUTE, 0.3)]
    assert bids([leg("A")], at, quotes) == [0.3, 0.4, 0.4]


def test_a_quote_counts_for_as_long_as_the_lookback_and_no_longer() -> None:
    at = [("L", ASOF + QUOTE_LOOKBACK), ("L", ASOF + QUOTE_LOOKBACK + timedelta(microseconds=1))]
    assert bids([leg("A")], at, [quote("A", ASOF, 0.4)]) == [0.4, None]


def test_a_leg_is_expected_from_when_it_was_known_and_has_no_quote_before_its_first() -> None:
    legs = [leg("A", 0), leg("B", 1, known_at=ASOF)]
    rows = observed(legs, [("L", ASOF - _MINUTE), ("L", ASOF)], [quote("A", ASOF - _MINUTE, 0.4)])
    assert [(row["leg_index"], row["asof"], row["yes_bid"], row["quote_kind"]) for row in rows] == [
        (0, ASOF - _MINUTE, 0.4, "order_book"),
        (0, ASOF, 0.4, "order_book"),
        (1, ASOF, None, None),
    ]


def test_of_one_instant_the_book_counts_before_a_bar_a_short_bar_before_a_long_and_then_the_first_source() -> None:
    hour = {"quote_kind": "candle_close", "source": "api_event", "period_minutes": 60}
    choices = [
        quote("A", ASOF, 0.1),
        quote("A", ASOF, 0.2, **{**hour, "period_minutes": 1, "source": "trades"}),
        quote("A", ASOF, 0.3, **hour),
        quote("A", ASOF, 0.4, **{**hour, "source": "trades"}),
    ]
    for best in range(len(choices)):
        for piece in (1, 10):
            assert bids([leg("A")], [("L", ASOF)], choices[best:][::-1], piece=piece) == [choices[best]["yes_bid"]]


def test_markets_of_other_ladders_and_of_none_leave_no_trace() -> None:
    legs = [leg("A"), leg("B", ladder="M"), leg("C", ladder=None)]
    assert bids(legs, [("L", ASOF)], [quote(ticker, ASOF, 0.4) for ticker in "BCD"]) == [None]
    assert observed(legs, [], [quote("A", ASOF, 0.4)]) == []


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[str, datetime]], list[dict[str, Any]], int]:
    """A few ladders, instants close together, and quotes of which many share an instant or lie at a limit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    legs = [
        leg(f"{ladder}{index}", index, ladder, known_at=ASOF + int(rng.integers(-5, 3)) * _MINUTE)
        for ladder in "LMN"
        for index in range(int(rng.integers(1, 4)))
    ]
    moments = [ASOF + int(minute) * _MINUTE for minute in (*range(-4, 5), 7 * 1440, 7 * 1440 + 1)]
    instants = [(ladder, at) for ladder in "LM" for at in moments if rng.random() < 0.5]
    tickers = [*(row["ticker"] for row in legs), "stranger"]
    kinds = [("order_book", "live_snapshot", None), *(("candle_close", of, n) for of in ("a", "b") for n in (1, 60))]
    quotes = []
    for number in range(int(rng.integers(0, 60))):
        kind, source, period = kinds[rng.integers(len(kinds))]
        at = moments[rng.integers(len(moments))] + timedelta(microseconds=int(rng.integers(-1, 2)))
        ticker = tickers[rng.integers(len(tickers))]
        quotes.append(quote(ticker, at, float(number), quote_kind=kind, source=source, period_minutes=period))
    # The key of a quote: two of one market, instant, source and length are never served.
    keyed = {(row["ticker"], row["available_ts"], row["source"], row["period_minutes"]): row for row in quotes}
    return legs, instants, list(keyed.values()), int(rng.integers(1, 20))


@given(_worlds())
@settings(max_examples=200, deadline=None)
def test_it_gives_what_a_search_through_single_rows_gives(world: tuple[Any, Any, Any, int]) -> None:
    legs, instants, quotes, piece = world
    none = pa.table({})
    own = pa.Table.from_pylist(legs, schema=_LEGS)
    searched = quotes_as_of(
        World(pa.Table.from_pylist(quotes, schema=_QUOTES), none, own, none, none, none),
        pa.Table.from_pylist(
            [{"ladder_id": ladder, "asof": at, "snapshot_kind": "grid"} for ladder, at in instants], schema=_SNAPSHOTS
        ),
    )
    found = observed(legs, instants, quotes, piece=piece)
    names = list(found[0]) if found else []
    order = sorted(searched.to_pylist(), key=lambda row: (row["ladder_id"], row["asof"], row["leg_index"]))
    assert found == [{name: row[name] for name in names} for row in order]
