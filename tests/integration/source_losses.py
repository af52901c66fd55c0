"""What an exchange can get wrong without breaking its own form: one named kind of loss a market or event.

Every kind has a target of its own, so that whatever is found can be told apart by ticker. Bars, trades and snapshots
are spoiled on the days that are loaded, descriptions and outcomes on events before them. Not here: how answers are
altered (``source_faults``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain

from kalshi_pipeline.sandbox.clock import Clock
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.visibility import Floor
from kalshi_pipeline.sandbox.world import Market
from tests.integration.source_faults import Faults, Row, Rows

FIRST_DAY, TODAY = date(2026, 6, 29), date(2026, 7, 1)
NOW = datetime(2026, 7, 1, 14, tzinfo=UTC)
CITIES = ("KXHIGHCHI", "KXHIGHMIA", "KXHIGHDEN", "KXHIGHAUS")
UNIVERSE = (*CITIES, "KXCPI", "KXPAYROLLS")
_MINUTE, _HOUR = 60, 3600
_SIDES = ("yes_bid", "yes_ask")
_OHLC = ("open_dollars", "high_dollars", "low_dollars", "close_dollars")


@dataclass(frozen=True)
class Loss:
    """A kind of loss and where it was planted.

    Attributes:
        kind: its name, as a sentence.
        family: bars, trades, snapshots, descriptions or outcomes.
        targets: tickers of markets and events at which it may be found.
        unseen: why no check can see it; ``None`` where one has to.
    """

    kind: str
    family: str
    targets: frozenset[str]
    unseen: str | None = None


class Ground:
    """Markets and events on which nothing has been planted yet, the busiest markets first."""

    def __init__(self, seed: int) -> None:
        self.world = SimulatedWorld(seed)
        self.floor = Floor(self.world, Clock(NOW))
        self.traded = iter(sorted(self._markets("26JUN29", "26JUN30"), key=self._trades, reverse=True))
        self.open = iter(sorted(self._markets("26JUL01"), key=self._trades, reverse=True))
        self.buckets = chain.from_iterable(self._settled(city, 4, 30) for city in CITIES)
        self.jobs = self._settled("KXPAYROLLS", 1, 60)
        self.prices = self._settled("KXCPI", 1, 60)

    def _markets(self, *days: str) -> list[Market]:
        events = (self.world.event(f"{city}-{day}") for city in CITIES for day in days)
        return [market for event in events if event is not None for market in self.world.markets(event)]

    def _trades(self, market: Market) -> int:
        return len(self.world.trades(market))

    def _settled(self, series: str, first: int, last: int) -> Iterator[list[Market]]:
        """Markets of settled events, lowest strike first, the newest event first."""
        settled = [
            e for e in self.world.events(series) if e.settled is not None and e.settled < NOW - timedelta(days=2)
        ]
        for event in settled[first:last]:
            yield sorted(self.world.markets(event), key=_strike)


def _strike(market: Market) -> float:
    return market.floor_strike if market.floor_strike is not None else float("-inf")


def plant(faults: Faults, seed: int) -> list[Loss]:
    """Plant every kind; returns what was planted where."""
    ground = Ground(seed)
    return [
        *_bars(faults, ground),
        *_trades(faults, ground),
        *_snapshots(faults, ground),
        *_descriptions(faults, ground),
        *_outcomes(faults, ground),
    ]


# --- bars


def _bars(faults: Faults, ground: Ground) -> Iterator[Loss]:
    kinds: dict[str, Callable[[Rows], Rows]] = {
        "a bar with trades is missing in the middle": _without(_traded),
        "a bar without trades is missing in the middle": _without(lambda bar: not _traded(bar) and _moved(bar)),
        "an hour of bars is missing": lambda bars: [bar for bar in bars if not _in_spell(bar, hours=1)],
        "every second bar is missing": lambda bars: bars[::2],
        "no bar is served at all": lambda bars: [],
        "bars are an hour late": _each(lambda bar: {**bar, "end_period_ts": bar["end_period_ts"] + _HOUR}),
        "bars are a minute late": _each(lambda bar: {**bar, "end_period_ts": bar["end_period_ts"] + _MINUTE}),
        "a bar ends half a minute late": _one(_any, lambda bar: {**bar, "end_period_ts": bar["end_period_ts"] + 30}),
        "a bar after the close": lambda bars: [*bars, _later(bars[-1])],
        "a bar is served twice with other trades": _twice,
        "high and low exchanged": _one(_moved, lambda bar: _exchanged(bar, "yes_bid", "high_dollars", "low_dollars")),
        "a close beyond the high": _one(_two_sided, lambda bar: _raised(bar, "yes_bid", "close_dollars", "0.0200")),
        "a mean beyond the high": _one(_traded, lambda bar: _raised(bar, "price", "mean_dollars", "0.0300")),
        "volume is off by one contract": _one(_traded, lambda bar: {**bar, "volume_fp": _plus(bar["volume_fp"], 1)}),
        "volume is lost": _each(lambda bar: {**bar, "volume_fp": "0.00"}),
        "a bid above its ask": _one(_two_sided, _crossed),
        "a high of the bid above that of the ask": _one(
            _two_sided, lambda bar: _raised(bar, "yes_bid", "high_dollars", "0.5000")
        ),
        "open interest is negative": _one(_any, lambda bar: {**bar, "open_interest_fp": "-5.00"}),
        "open interest jumps": _one(
            _any, lambda bar: {**bar, "open_interest_fp": _plus(bar["open_interest_fp"], 9_999)}
        ),
        "a bar in cents": _one(_two_sided, _in_cents),
        "a price between the ticks": _one(_two_sided, lambda bar: _raised(bar, "yes_ask", "close_dollars", "0.0037")),
        "quotes stand still for hours": _frozen,
        "quotes of the other side": _each(_other_side),
        "quotes rounded to a tenth": _each(_rounded),
        "the ask is lost for hours": _each(lambda bar: _without_ask(bar) if _in_spell(bar, hours=3) else bar),
        "a last price that was never traded": _one(
            _two_sided, lambda bar: _raised(bar, "price", "previous_dollars", "0.0500")
        ),
        "first and last trade exchanged": _one(
            lambda bar: _traded(bar) and bar["price"]["open_dollars"] != bar["price"]["close_dollars"],
            lambda bar: _exchanged(bar, "price", "open_dollars", "close_dollars"),
        ),
    }
    for kind, change in kinds.items():
        yield _planted(faults.bars, kind, "bars", next(ground.traded), change)
    both = "quotes and trades are silent for an hour"
    market = next(ground.traded)
    faults.trades[market.ticker] = lambda trades: [trade for trade in trades if not _traded_in_spell(trade)]
    change = _each(lambda bar: _no_trade(bar) if _in_spell(bar, hours=1) else bar)
    yield _planted(faults.bars, both, "bars", market, change)


def _planted(
    where: dict[str, Callable[[Rows], Rows]], kind: str, family: str, market: Market, change: Callable[[Rows], Rows]
) -> Loss:
    where[market.ticker] = change
    return Loss(kind, family, frozenset({market.ticker}))


def _end(bar: Row) -> datetime:
    return datetime.fromtimestamp(bar["end_period_ts"], UTC)


def _in_spell(bar: Row, *, hours: int) -> bool:
    """Whether a bar ends in the afternoon of a loaded day."""
    end = _end(bar)
    return end.date() >= FIRST_DAY and 17 <= end.hour < 17 + hours


def _traded_in_spell(trade: Row) -> bool:
    created = datetime.fromisoformat(trade["created_time"])
    return created.date() >= FIRST_DAY and created.hour == 17


def _any(bar: Row) -> bool:
    return True


def _traded(bar: Row) -> bool:
    return bool(bar["volume_fp"] != "0.00")


def _two_sided(bar: Row) -> bool:
    quotes = [bar[side][name] for side in _SIDES for name in _OHLC]
    return all("0.0500" < quote < "0.9500" for quote in quotes) and "previous_dollars" in bar["price"]


def _moved(bar: Row) -> bool:
    return _two_sided(bar) and bar["yes_bid"]["open_dollars"] != bar["yes_bid"]["close_dollars"]


def _each(change: Callable[[Row], Row]) -> Callable[[Rows], Rows]:
    return lambda bars: [change(bar) for bar in bars]


def _place(bars: Rows, fits: Callable[[Row], bool]) -> int | None:
    """The first bar in the afternoon of a loaded day that fits."""
    return next((n for n, bar in enumerate(bars) if _in_spell(bar, hours=6) and fits(bar)), None)


def _one(fits: Callable[[Row], bool], change: Callable[[Row], Row]) -> Callable[[Rows], Rows]:
    def changed(bars: Rows) -> Rows:
        place = _place(bars, fits)
        return bars if place is None else [*bars[:place], change(bars[place]), *bars[place + 1 :]]

    return changed


def _without(fits: Callable[[Row], bool]) -> Callable[[Rows], Rows]:
    def changed(bars: Rows) -> Rows:
        place = _place(bars, fits)
        return bars if place is None else bars[:place] + bars[place + 1 :]

    return changed


def _twice(bars: Rows) -> Rows:
    place = _place(bars, _traded)
    if place is None:
        return bars
    other = _raised({**bars[place], "volume_fp": _plus(bars[place]["volume_fp"], 7)}, "price", "high_dollars", "0.0400")
    return [*bars[:place], other, *bars[place:]]


def _frozen(bars: Rows) -> Rows:
    place = _place(bars, _two_sided)
    if place is None:
        return bars
    stale = {side: dict.fromkeys(_OHLC, bars[place][side]["close_dollars"]) for side in _SIDES}
    return [{**bar, **stale} if n > place and _in_spell(bar, hours=6) else bar for n, bar in enumerate(bars)]


def _later(bar: Row) -> Row:
    return {**bar, "end_period_ts": bar["end_period_ts"] + 10 * _MINUTE}


def _plus(number: str, more: int | str) -> str:
    exact = Decimal(number)
    return str((exact + Decimal(more)).quantize(exact))


def _raised(bar: Row, part: str, name: str, by: str) -> Row:
    return {**bar, part: {**bar[part], name: _plus(bar[part][name], by)}}


def _exchanged(bar: Row, part: str, one: str, other: str) -> Row:
    return {**bar, part: {**bar[part], one: bar[part][other], other: bar[part][one]}}


def _crossed(bar: Row) -> Row:
    return {**bar, "yes_bid": bar["yes_ask"], "yes_ask": bar["yes_bid"]}


def _in_cents(bar: Row) -> Row:
    return {**bar, **{side: {name: _plus(100 * Decimal(bar[side][name]), 0) for name in _OHLC} for side in _SIDES}}


def _other_side(bar: Row) -> Row:
    other = {"high_dollars": "low_dollars", "low_dollars": "high_dollars"}
    return {
        **bar,
        "yes_bid": {name: _opposite(bar["yes_ask"][other.get(name, name)]) for name in _OHLC},
        "yes_ask": {name: _opposite(bar["yes_bid"][other.get(name, name)]) for name in _OHLC},
    }


def _opposite(price: str) -> str:
    return f"{1 - Decimal(price):.4f}"


def _rounded(bar: Row) -> Row:
    return {**bar, **{side: {name: f"{Decimal(bar[side][name]):.1f}000" for name in _OHLC} for side in _SIDES}}


def _without_ask(bar: Row) -> Row:
    return {**bar, "yes_ask": dict.fromkeys(_OHLC, "1.0000")}


def _no_trade(bar: Row) -> Row:
    kept = {name: price for name, price in bar["price"].items() if name == "previous_dollars"}
    return {**bar, "volume_fp": "0.00", "price": kept}


# --- trades


def _trades(faults: Faults, ground: Ground) -> Iterator[Loss]:
    kinds: dict[str, Callable[[Rows], Rows]] = {
        "one trade in a hundred is missing": lambda trades: [t for n, t in enumerate(trades) if n % 100 != 7],
        "the last page of trades is missing": lambda trades: trades[: len(trades) // 2],
        "a trade comes twice under another name": lambda trades: [{**trades[0], "trade_id": "again"}, *trades],
        "trades are a tick too dear": _each(_dearer),
        "a trade of another size": _first(lambda trade: {**trade, "count_fp": _plus(trade["count_fp"], 1)}),
        "trades are an hour late": _each(lambda trade: _moved_trade(trade, timedelta(hours=1))),
        "a NO price that is not the complement": _first(lambda t: {**t, "no_price_dollars": t["yes_price_dollars"]}),
        "a taker on the other side of the book": _first(
            lambda t: {**t, "taker_book_side": _turned(t)["taker_book_side"]}
        ),
    }
    for kind, change in kinds.items():
        yield _planted(faults.trades, kind, "trades", next(ground.traded), change)
    market = next(ground.traded)
    late = {"trade_id": "late", "created_time": _stamp(market.close_time + timedelta(hours=1))}
    change: Callable[[Rows], Rows] = lambda trades: [*trades, {**trades[0], **late}]  # noqa: E731
    yield _planted(faults.trades, "a trade after the close", "trades", market, change)
    market, other = next(ground.traded), next(ground.traded)
    faults.trades[market.ticker] = _first(lambda trade: {**trade, "ticker": other.ticker})
    yield Loss("a trade of another market", "trades", frozenset({market.ticker, other.ticker}))
    market = next(ground.traded)
    faults.trades[market.ticker] = _each(lambda trade: {**trade, **_turned(trade)})
    unseen = "Who took and who gave is told by the trade alone; price and size are right."
    yield Loss("every taker is turned", "trades", frozenset({market.ticker}), unseen)


def _first(change: Callable[[Row], Row]) -> Callable[[Rows], Rows]:
    return lambda trades: [change(trades[0]), *trades[1:]] if trades else trades


def _dearer(trade: Row) -> Row:
    price = _plus(trade["yes_price_dollars"], "0.0100")
    return {**trade, "yes_price_dollars": price, "no_price_dollars": _opposite(price)}


def _moved_trade(trade: Row, by: timedelta) -> Row:
    return {**trade, "created_time": (datetime.fromisoformat(trade["created_time"]) + by).isoformat()}


def _turned(trade: Row) -> Row:
    buys = trade["taker_outcome_side"] == "yes"
    side = "no" if buys else "yes"
    return {"taker_side": side, "taker_outcome_side": side, "taker_book_side": "ask" if buys else "bid"}


# --- snapshots


def _snapshots(faults: Faults, ground: Ground) -> Iterator[Loss]:
    quotes: dict[str, Callable[[Row], Row]] = {
        "a snapshot with the bid above the ask": lambda row: {
            **row,
            "yes_bid_dollars": row["yes_ask_dollars"],
            "yes_ask_dollars": row["yes_bid_dollars"],
        },
        "a snapshot from hours ago": lambda row: {
            **row,
            "yes_bid_dollars": f"{(Decimal(row['yes_bid_dollars']) + 1) / 2:.2f}00",
            "yes_ask_dollars": f"{(Decimal(row['yes_ask_dollars']) + 1) / 2:.2f}00",
        },
        "a snapshot that counts too little volume": lambda row: {**row, "volume_fp": _plus(row["volume_fp"], -1)},
    }
    for kind, change in quotes.items():
        market = next(ground.open)
        faults.quotes[market.ticker] = lambda row, change=change: [change(row)]
        yield Loss(kind, "snapshots", frozenset({market.ticker}))
    books: dict[str, tuple[Callable[[Rows], Rows], str | None]] = {
        "a book whose sides cross": (lambda levels: [*levels, ["0.9900", "10.00"]], None),
        "the best level of a book is missing": (lambda levels: levels[:-1], None),
        "a level of a book twice": (lambda levels: [*levels, levels[-1]], None),
        "a deeper level of another size": (
            lambda levels: [[levels[0][0], _plus(levels[0][1], 5)], *levels[1:]],
            "Sizes below the best level are told by the book alone.",
        ),
    }
    for kind, (levels, unseen) in books.items():
        market = next(market for market in ground.open if len(ground.floor.book(market)[0]) > 1)
        faults.books[market.ticker] = lambda row, levels=levels: [
            {**row, "orderbook_fp": {**row["orderbook_fp"], "yes_dollars": levels(row["orderbook_fp"]["yes_dollars"])}}
        ]
        yield Loss(kind, "snapshots", frozenset({market.ticker}), unseen)


# --- descriptions


def _changed(faults: Faults, market: Market, **values: object) -> None:
    faults.markets[market.ticker] = lambda row: [{**row, **values}]


def _descriptions(faults: Faults, ground: Ground) -> Iterator[Loss]:
    def loss(kind: str, legs: list[Market], unseen: str | None = None) -> Loss:
        return Loss(kind, "descriptions", _everywhere(legs), unseen)

    def left_out(row: Row) -> Rows:
        return []

    for kind, position in (
        ("a bucket is not listed", 2),
        ("the lowest bucket is not listed", 1),
        ("a tail is not listed", 0),
    ):
        legs = next(ground.buckets)
        faults.markets[legs[position].ticker] = left_out
        yield loss(kind, legs)
    for kind, position, unseen in (
        ("a threshold is not listed", 4, None),
        (
            "the lowest threshold is not listed",
            0,
            "Thresholds may begin anywhere: nothing says that one more was listed.",
        ),
    ):
        legs = next(ground.jobs)
        faults.markets[legs[position].ticker] = left_out
        yield loss(kind, legs, unseen)
    legs = next(ground.buckets)
    _changed(faults, legs[2], floor_strike=float(legs[2].floor_strike or 0) + 1)
    yield loss("a strike one degree off", legs)
    legs = next(ground.jobs)
    _changed(faults, legs[4], floor_strike=float(legs[4].floor_strike or 0) / 1_000)
    yield loss("a strike in thousands", legs)
    legs = next(ground.prices)
    _changed(faults, legs[4], floor_strike=float(legs[4].floor_strike or 0) + 0.1)
    yield loss("a strike like the next one's", legs)
    legs = next(ground.prices)
    _changed(faults, legs[4], yes_sub_title=legs[6].yes_sub_title)
    yield loss("a label with another strike", legs)
    legs = next(ground.prices)
    _changed(faults, legs[4], strike_type="less", floor_strike=None, cap_strike=legs[4].floor_strike)
    yield loss("a payoff the other way round", legs)
    legs, others = next(ground.buckets), next(ground.buckets)
    _changed(faults, legs[2], event_ticker=others[0].event_ticker)
    yield loss("a market under another event", [*legs, *others])
    legs = next(ground.buckets)
    again = f"{legs[0].event_ticker}-B1.5"
    faults.markets[legs[2].ticker] = lambda row, again=again: [row, {**row, "ticker": again}]
    yield loss("a market twice under another ticker", legs)
    legs = next(ground.buckets)
    _changed(faults, legs[2], close_time=_stamp(legs[2].close_time + timedelta(hours=1)))
    yield loss("one market closes an hour later", legs)
    legs = next(ground.buckets)
    for leg in legs:
        _changed(faults, leg, close_time=_stamp(leg.close_time.replace(hour=0, minute=0)))
    yield loss("an event closes at midnight UTC instead of local time", legs)
    legs = next(ground.buckets)
    _changed(faults, legs[2], close_time=_stamp(legs[2].open_time - timedelta(hours=1)))
    yield loss("a market closes before it opens", legs)
    legs = next(ground.buckets)
    _changed(faults, legs[2], status="active", result="", expiration_value="")
    yield loss("a market is still active after its close", legs)
    for kind, legs, exclusive in (
        ("buckets that are said not to exclude each other", next(ground.buckets), False),
        ("thresholds that are said to exclude each other", next(ground.jobs), True),
    ):
        faults.events[legs[0].event_ticker] = lambda row, exclusive=exclusive: [
            {**row, "mutually_exclusive": exclusive}
        ]
        yield loss(kind, legs)
    legs = next(ground.buckets)
    faults.events[legs[0].event_ticker] = left_out
    yield loss("an event is not listed", legs)
    legs = next(ground.buckets)
    for leg in legs:
        faults.markets[leg.ticker] = left_out
    yield loss("the last page of an event's markets is missing", legs)
    legs = next(ground.buckets)
    faults.events[legs[0].event_ticker] = lambda row: [{**row, "title": "Another title"}]
    yield loss("an event with another title", legs, "A title is free text, and nothing is computed from it.")


def _everywhere(legs: list[Market]) -> frozenset[str]:
    return frozenset({legs[0].event_ticker, f"{legs[0].event_ticker}-B1.5", *(leg.event_ticker for leg in legs)}) | {
        leg.ticker for leg in legs
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


# --- outcomes


def _outcomes(faults: Faults, ground: Ground) -> Iterator[Loss]:
    def loss(kind: str, legs: list[Market], unseen: str | None = None) -> Loss:
        return Loss(kind, "outcomes", _everywhere(legs), unseen)

    legs = next(ground.prices)
    _settled_as(faults, _last_winner(legs), "no")
    yield loss("a threshold is settled against its number", legs)
    legs = next(ground.buckets)
    _settled_as(faults, _last_winner(legs), "no")
    yield loss("an event of buckets without a winner", legs)
    legs = next(ground.buckets)
    _settled_as(faults, next(leg for leg in legs if leg.result == "no"), "yes")
    yield loss("an event of buckets with two winners", legs)
    legs = next(ground.buckets)
    _changed(faults, legs[2], expiration_value=_plus(legs[2].expiration_value, 1))
    yield loss("one market states another number", legs)
    legs = next(ground.buckets)
    for leg in legs:
        _changed(faults, leg, expiration_value=f"{float(leg.expiration_value) + 0.4:.1f}")
    yield loss("a number finer than its grid", legs)
    legs = next(ground.buckets)
    _changed(faults, legs[2], settlement_ts=_stamp(legs[2].close_time - timedelta(hours=2)))
    yield loss("a market is settled before its close", legs)
    legs = next(ground.buckets)
    _changed(faults, legs[2], result="", expiration_value="", settlement_value_dollars=None)
    yield loss("a final market without a result", legs)
    legs = next(ground.buckets)
    _changed(faults, _last_winner(legs), settlement_value_dollars="0.0000")
    yield loss("a payout that is not that of the result", legs)
    legs = next(ground.prices)
    _settle_again(faults, legs, float(legs[0].expiration_value) + 0.1)
    yield loss("another number for an event whose statistic is published elsewhere", legs)
    legs = next(ground.buckets)
    _settle_again(faults, legs, float(legs[0].expiration_value) + 2)
    yield loss(
        "another number for an event, with the results that follow from it",
        legs,
        "Number and results agree, and no other feed says what the temperature was.",
    )
    legs = next(ground.jobs)
    for leg in legs:
        _changed(faults, leg, expiration_value=str(int(leg.expiration_value) // 1_000))
    yield loss("a number in thousands", legs)


def _last_winner(legs: list[Market]) -> Market:
    return [leg for leg in legs if leg.result == "yes"][-1]


def _settled_as(faults: Faults, market: Market, result: str) -> None:
    _changed(faults, market, result=result, settlement_value_dollars="1.0000" if result == "yes" else "0.0000")


def _settle_again(faults: Faults, legs: list[Market], value: float) -> None:
    """Settle a whole event on another number, without a contradiction."""
    for leg in legs:
        if leg.strike_type == "between":
            pays = (leg.floor_strike or 0) <= value <= (leg.cap_strike or 0)
        else:
            pays = value > (leg.floor_strike or 0) if leg.strike_type == "greater" else value < (leg.cap_strike or 0)
        result = "yes" if pays else "no"
        payout = "1.0000" if pays else "0.0000"
        text = f"{value:.1f}" if value % 1 else f"{value:.0f}"
        _changed(faults, leg, result=result, settlement_value_dollars=payout, expiration_value=text)
