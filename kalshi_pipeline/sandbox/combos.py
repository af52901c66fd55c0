"""Combos: markets on several markets at once, made by the exchange every second, that swamp an unfiltered listing.

They come about on demand only (fault ``combos``). Not here: the listing they swamp (``listing``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice

from kalshi_pipeline.sandbox.cursors import Key
from kalshi_pipeline.sandbox.visibility import Floor, Top
from kalshi_pipeline.sandbox.wire import Json, market_object
from kalshi_pipeline.sandbox.world import Market

SERIES = "KXMVECROSSCATEGORY"
_LEGS = 2
_LIFE = timedelta(days=7)


def newest_combos(floor: Floor, after: Key | None) -> Iterator[tuple[Key, Json]]:
    """The newest combos as the listing has them, one for every second up to now, newest first.

    Args:
        floor: the exchange; its faults say how many there are.
        after: place in the listing after which they are wanted.
    """
    legs = _legs(floor)
    now = int(floor.now().timestamp())
    for second in range(now, now - floor.faults.combos, -1):
        combo = _combo(second)
        place = (second, combo.event_ticker, combo.ticker)
        if after is None or place < after:
            yield place, _as_fresh(market_object(combo, "active", Top(), combo.listed), legs)


def _combo(second: int) -> Market:
    made = datetime.fromtimestamp(second, UTC)
    event = f"{SERIES}-S{second:X}"
    return Market(
        ticker=f"{event}-{second * 2_654_435_761 % 2**44:011X}",
        event_ticker=event,
        series_ticker=SERIES,
        title="yes on all of the selected markets",
        yes_sub_title="yes on all of the selected markets",
        strike_type="custom",
        floor_strike=None,
        cap_strike=None,
        listed=made,
        created=made,
        open_time=made,
        close_time=made + _LIFE,
        expected_expiration=made + _LIFE,
        occurrence=None,
        settlement_ts=None,
        result="",
        expiration_value="",
    )


def _as_fresh(body: Json, legs: list[Json]) -> Json:
    """A combo nobody has quoted says an ask of 0 where other markets say 1."""
    unquoted = {"yes_ask_dollars": "0.0000", "no_bid_dollars": "1.0000"}
    return {**body, **unquoted, "mve_collection_ticker": f"{SERIES}-R", "mve_selected_legs": legs, "exchange_index": 1}


def _legs(floor: Floor) -> list[Json]:
    listed = (event for event in floor.world.events() if event.listed <= floor.now())
    markets = chain.from_iterable(floor.world.markets(event) for event in listed)
    return [
        {
            "event_ticker": market.event_ticker,
            "market_ticker": market.ticker,
            "side": "yes",
            "yes_settlement_value_dollars": None,
        }
        for market in islice(markets, _LEGS)
    ]
