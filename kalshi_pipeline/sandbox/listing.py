"""Listings: which series, events and markets a query selects, page by page.

Order is by listing time, newest first, ties by ticker descending, so a walk that began earlier never sees a row twice
when new ones appear. Not here: single things by name (``app``), trades (``tape``).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter

from kalshi_pipeline.sandbox.combos import SERIES, newest_combos
from kalshi_pipeline.sandbox.cursors import Key, decode, page
from kalshi_pipeline.sandbox.errors import bad_request
from kalshi_pipeline.sandbox.query import flag, limit, whole, words
from kalshi_pipeline.sandbox.visibility import STATUS_FILTERS, Floor, Tier
from kalshi_pipeline.sandbox.wire import Json, event_object, market_object, series_object
from kalshi_pipeline.sandbox.world import Event, Market, Series

_EVENT_KEY = (int, str)
_MARKET_KEY = (int, str, str)
#: Time windows of /markets: the status filters each may stand beside.
_WINDOWS: dict[str, tuple[str | None, ...]] = {
    "created": ("unopened", "open", None),
    "close": ("closed", None),
    "settled": ("settled", None),
    "updated": (None,),
}
_BOUNDS = tuple(f"{end}_{name}_ts" for name in _WINDOWS for end in ("min", "max"))


def series_list(floor: Floor, query: Mapping[str, str]) -> Json:
    """``GET /series``: not paginated."""
    tags = words(query, "tags")
    with_volume = flag(query, "include_volume")
    chosen = [
        series
        for series in floor.world.series()
        if query.get("category", series.category) == series.category and (not tags or set(tags) & set(series.tags))
    ]
    volumes = [series_volume(floor, series) if with_volume else None for series in chosen]
    return {"series": [series_object(*pair) for pair in zip(chosen, volumes, strict=True)]}


def series_volume(floor: Floor, series: Series) -> int:
    """Hundredths of a contract traded so far in all markets of a series."""
    listed = (event for event in floor.world.events(series.ticker) if event.listed <= floor.now())
    return sum(floor.top(market).volume for event in listed for market in floor.world.markets(event))


def events_page(floor: Floor, query: Mapping[str, str]) -> Json:
    """``GET /events``: events stay for ever; their nested markets only while they are in the live tier.

    Raises:
        Refusal: a bad limit, flag or status.
    """
    size = limit(query, 200, 200)
    nested = flag(query, "with_nested_markets")
    status = query.get("status") or None
    if status is not None and status not in ("unopened", "open", "closed", "settled"):
        raise bad_request()
    tickers = set(words(query, "tickers"))
    after = decode(query.get("cursor"), _EVENT_KEY)
    min_close, min_updated = whole(query, "min_close_ts"), whole(query, "min_updated_ts")

    def chosen() -> Iterator[tuple[Key, Event]]:
        for key, event in _listed(floor, query.get("series_ticker") or None, after):
            if tickers and event.ticker not in tickers:
                continue
            if min_close is not None and event.close_time.timestamp() < min_close:
                continue
            if min_updated is not None and event.listed.timestamp() < min_updated:
                continue
            if status is not None and not any(
                floor.status(market) in STATUS_FILTERS[status] for market in floor.world.markets(event)
            ):
                continue
            yield key, event

    events, cursor = page(chosen(), size)
    series = {series.ticker: series for series in floor.world.series()}
    rows = [event_object(e, series[e.series_ticker], live_markets(floor, e) if nested else None) for e in events]
    return {"events": rows, "cursor": cursor}


def live_markets(floor: Floor, event: Event) -> list[Json] | None:
    """Markets of an event in the live tier; ``None`` where all are archived."""
    live = [market for market in floor.world.markets(event) if floor.tier(market) == "live"]
    return [described(floor, market) for market in live] or None


def described(floor: Floor, market: Market) -> Json:
    """A market as it stands now."""
    return market_object(floor.as_listed(market), floor.status(market), floor.top(market), floor.updated(market))


def markets_page(floor: Floor, query: Mapping[str, str]) -> Json:
    """``GET /markets``: markets of the live tier.

    Raises:
        Refusal: a bad limit, status, or combination of status and time window.
    """
    size = limit(query, 100, 1000)
    status = _status(query)
    within = _window(query, status)
    statuses = STATUS_FILTERS[status] if status else None

    def chosen(market: Market) -> bool:
        return (statuses is None or floor.status(market) in statuses) and within(floor, market)

    combos = query.get("mve_filter") or "also"
    if combos not in ("also", "only", "exclude"):
        raise bad_request("invalid mve_filter")
    after = decode(query.get("cursor"), _MARKET_KEY)
    markets = _markets(floor, query, "live", after, chosen) if combos != "only" else iter(())
    if combos != "exclude" and _takes_in_combos(query, status):
        # Keys fall along both, so the merged walk is one walk.
        markets = heapq.merge(newest_combos(floor, after), markets, key=itemgetter(0), reverse=True)
    return _page_of_markets(markets, size)


def historical_markets_page(floor: Floor, query: Mapping[str, str]) -> Json:
    """``GET /historical/markets``: archived markets; time filters are ignored, as the exchange does.

    Raises:
        Refusal: a bad limit, or more than one of tickers, event_ticker and series_ticker.
    """
    size = limit(query, 100, 1000)
    if sum(bool(query.get(name)) for name in ("tickers", "event_ticker", "series_ticker")) > 1:
        raise bad_request("only one of tickers, event_ticker and series_ticker may be supplied")
    after = decode(query.get("cursor"), _MARKET_KEY)
    return _page_of_markets(_markets(floor, query, "historical", after, lambda market: True), size)


def _markets(
    floor: Floor, query: Mapping[str, str], tier: Tier, after: Key | None, chosen: Callable[[Market], bool]
) -> Iterator[tuple[Key, Json]]:
    tickers = set(words(query, "tickers"))
    cutoff = floor.cutoff()
    for key, event in _events_of(floor, query, tickers, after[:2] if after else None):
        if tier == "live" and event.settled is not None and event.settled < cutoff:
            continue
        for market in floor.world.markets(event):
            place = (*key, market.ticker)
            if after is not None and place[:2] == after[:2] and str(place[2]) >= str(after[2]):
                continue
            if (not tickers or market.ticker in tickers) and floor.tier(market) == tier and chosen(market):
                yield place, described(floor, market)


def _page_of_markets(markets: Iterator[tuple[Key, Json]], size: int) -> Json:
    rows, cursor = page(markets, size)
    return {"markets": rows, "cursor": cursor}


def _takes_in_combos(query: Mapping[str, str], status: str | None) -> bool:
    """Whether a query selects combos too: they are open, on no listed event, and of a series of their own."""
    elsewhere = any(query.get(name) for name in ("tickers", "event_ticker", *_BOUNDS))
    return status in (None, "open") and not elsewhere and query.get("series_ticker", SERIES) in ("", SERIES)


def _events_of(
    floor: Floor, query: Mapping[str, str], tickers: set[str], after: Key | None
) -> Iterator[tuple[Key, Event]]:
    """Listed events that can hold a selected market, from the event of the cursor on."""
    if name := query.get("event_ticker"):
        named = {name}
    elif tickers:
        found = (floor.world.market(ticker) for ticker in tickers)
        named = {market.event_ticker for market in found if market is not None}
    else:
        yield from _listed(floor, query.get("series_ticker") or None, after, inclusive=True)
        return
    events = (floor.event(ticker) for ticker in named)
    for event in sorted((e for e in events if e is not None), key=lambda e: (e.listed, e.ticker), reverse=True):
        series = query.get("series_ticker")
        if (after is None or _key(event) <= after) and (not series or event.series_ticker == series):
            yield _key(event), event


def _listed(
    floor: Floor, series_ticker: str | None, after: Key | None, *, inclusive: bool = False
) -> Iterator[tuple[Key, Event]]:
    now = floor.now()
    for event in floor.world.events(series_ticker):
        if event.listed > now:
            continue
        key = _key(event)
        if after is None or key < after or (inclusive and key == after):
            yield key, event


def _key(event: Event) -> Key:
    return int(event.listed.timestamp()), event.ticker


def _status(query: Mapping[str, str]) -> str | None:
    status = query.get("status") or None
    if status is None:
        return None
    if "," in status:
        raise bad_request("only one status filter may be supplied")
    if status not in STATUS_FILTERS:
        raise bad_request("invalid status filter")
    return status


def _window(query: Mapping[str, str], status: str | None) -> Callable[[Floor, Market], bool]:
    """The time filter of a query: at most one of the windows, beside a status it allows."""
    given = [name for name in _WINDOWS if query.get(f"min_{name}_ts") or query.get(f"max_{name}_ts")]
    if not given:
        return lambda floor, market: True
    if len(given) > 1:
        raise bad_request("timestamp filters are mutually exclusive")
    name = given[0]
    if status not in _WINDOWS[name]:
        raise bad_request(f"status filter {status} is not compatible with {name} timestamps")
    if name == "updated" and query.get("mve_filter") != "exclude":
        raise bad_request("updated timestamps require mve_filter=exclude")
    low, high = whole(query, f"min_{name}_ts"), whole(query, f"max_{name}_ts")

    def within(floor: Floor, market: Market) -> bool:
        moment = _moment(floor, market, name)
        if moment is None:
            return False
        seconds = moment.timestamp()
        return (low is None or seconds >= low) and (high is None or seconds <= high)

    return within


def _moment(floor: Floor, market: Market, name: str) -> datetime | None:
    if name == "created":
        return market.created
    if name == "close":
        return market.close_time
    if name == "settled":
        return market.settlement_ts if floor.settled(market) else None
    return floor.updated(market)
