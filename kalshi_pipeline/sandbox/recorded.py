"""A recorded world: a piece of the real exchange as somebody wrote it down, served as it was.

Bars are served one for one at the length they were recorded in. What nobody recorded is filled in so that the answer
is well formed, and never with a price: sizes of quotes are one contract, open interest is 0.00, titles come from
strikes, creation times are year 1, as the exchange itself writes unknown ones. Not here: reading files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from kalshi_pipeline.sandbox.bars import aggregate
from kalshi_pipeline.sandbox.labels import yes_label
from kalshi_pipeline.sandbox.recorded_files import Recording, read_recording
from kalshi_pipeline.sandbox.recorded_tables import candles_of, trades_of
from kalshi_pipeline.sandbox.world import (
    DOLLAR,
    Book,
    Candles,
    Event,
    FeeChange,
    Market,
    Series,
    Trades,
    Vintage,
    WorldError,
    WorldInfo,
)

_RESULTS = ("yes", "no", "scalar")


class RecordedWorld:
    """The world in a folder.

    Raises:
        WorldError: the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        recording = read_recording(folder)
        self._candles = candles_of(recording)
        self._trades = trades_of(recording)
        self._vintages = _payroll_vintages(recording)
        self._series = tuple(_series(row) for row in recording.rows("series"))
        rows = recording.rows("markets")
        listed: dict[str, datetime] = {}
        for row in rows:
            event = row["event_ticker"]
            listed[event] = min(row["open_time"], listed.get(event, row["open_time"]))
        self._markets = {row["ticker"]: _market(row, listed[row["event_ticker"]]) for row in rows}
        by_event: dict[str, list[Market]] = defaultdict(list)
        for market in sorted(self._markets.values(), key=lambda market: market.ticker, reverse=True):
            by_event[market.event_ticker].append(market)
        self._by_event = dict(by_event)
        events = [_event(recording, row, by_event.get(row["event_ticker"], [])) for row in recording.rows("events")]
        newest_first = sorted(events, key=lambda event: (event.listed, event.ticker), reverse=True)
        self._events = {event.ticker: event for event in newest_first}
        self._info, end = self._describe(recording)
        self._lag = end - self._first_cutoff(end)

    @property
    def info(self) -> WorldInfo:
        """What the world says of itself."""
        return self._info

    def cutoff(self, now: datetime) -> datetime:
        """As far behind the clock as, at the end of the recording, puts about half the settled markets behind it."""
        return _midnight(now - self._lag)

    def series(self) -> Sequence[Series]:
        """All series of the recording."""
        return self._series

    def events(self, series_ticker: str | None = None) -> Sequence[Event]:
        """Events, last listed first."""
        return [event for event in self._events.values() if series_ticker in (None, event.series_ticker)]

    def event(self, ticker: str) -> Event | None:
        """One event."""
        return self._events.get(ticker)

    def markets(self, event: Event) -> Sequence[Market]:
        """Markets of an event, by ticker descending."""
        return self._by_event[event.ticker]

    def market(self, ticker: str) -> Market | None:
        """One market."""
        return self._markets.get(ticker)

    def candles(self, market: Market, period_minutes: int) -> Candles:
        """Bars as recorded; days are put together from hours where the hours were built from every trade."""
        bars = self._candles.get((market.ticker, period_minutes))
        if bars is None and period_minutes == 1440 and self._info.quote_kind == "trade_proxy":
            bars = aggregate(self._candles.get((market.ticker, 60), Candles.none()), 1440)[0]
        return bars if bars is not None else Candles.none()

    def trades(self, market: Market) -> Trades:
        """Trades as recorded."""
        return self._trades.get(market.ticker, Trades.none())

    def depth(self, market: Market, bid: int, ask: int, at: int) -> Book:
        """One contract at each side that was quoted: prices were recorded, sizes were not."""
        yes = [(bid, 100)] if 0 < bid < DOLLAR else []
        no = [(DOLLAR - ask, 100)] if 0 < ask < DOLLAR else []
        return yes, no

    def fee_changes(self) -> Sequence[FeeChange]:
        """None were recorded."""
        return ()

    def outcome_vintages(self, series_ticker: str) -> Sequence[Vintage]:
        """Monthly payroll changes by the month they were published in, where recorded."""
        return self._vintages if series_ticker == "KXPAYROLLS" else ()

    def _describe(self, recording: Recording) -> tuple[WorldInfo, datetime]:
        if not self._markets:
            raise WorldError(f"{recording.folder / 'markets'}.parquet holds no market; a world needs at least one.")
        seen = [market.settlement_ts for market in self._markets.values() if market.settlement_ts]
        seen += [datetime.fromtimestamp(int(bars.end[-1]), UTC) for bars in self._candles.values()]
        seen += [datetime.fromtimestamp(int(trades.time[-1]) / 1e6, UTC) for trades in self._trades.values()]
        seen = seen or [market.close_time for market in self._markets.values()]
        begun = [datetime.fromtimestamp(int(bars.end[0]) - 1, UTC) for bars in self._candles.values()]
        begun += [datetime.fromtimestamp(int(trades.time[0]) / 1e6, UTC) for trades in self._trades.values()]
        begun = begun or [market.open_time for market in self._markets.values()]
        pinned = _minute_after(max(seen))
        if not any(market.open_time <= pinned < market.close_time for market in self._markets.values()):
            # Nothing trades any more, so nothing is missed by letting the last day end.
            pinned = _midnight(pinned + timedelta(days=1))
        info = WorldInfo(
            name=recording.name,
            kind="recorded",
            universe=tuple(series.ticker for series in self._series),
            first_day=min(begun).date(),
            last_day=(pinned - timedelta(microseconds=1)).date(),
            candle_minutes=tuple(sorted({minutes for _, minutes in self._candles})),
            quote_kind="trade_proxy" if "prox" in recording.notes else "candle_close",
            pinned=pinned,
            notes=recording.notes,
            counts={name: len(table) for name, table in recording.tables.items()},
        )
        return info, pinned

    def _first_cutoff(self, end: datetime) -> datetime:
        settled = sorted(market.settlement_ts for market in self._markets.values() if market.settlement_ts)
        middle = settled[len(settled) // 2] if settled else min(market.open_time for market in self._markets.values())
        return min(_midnight(middle + timedelta(days=1)), _midnight(end))


def _market(row: dict[str, Any], listed: datetime) -> Market:
    closed = row["close_time"].astimezone(UTC)
    settled = row["settlement_ts"].astimezone(UTC) if row["settlement_ts"] and row["result"] in _RESULTS else None
    label = yes_label(row["strike_type"], row["floor_strike"], row["cap_strike"])
    return Market(
        ticker=row["ticker"],
        event_ticker=row["event_ticker"],
        series_ticker=row["series_ticker"],
        title=row["ticker"],
        yes_sub_title=label,
        strike_type=row["strike_type"] or None,
        floor_strike=row["floor_strike"],
        cap_strike=row["cap_strike"],
        listed=listed.astimezone(UTC),
        created=None,
        open_time=row["open_time"].astimezone(UTC),
        close_time=closed,
        expected_expiration=closed,
        occurrence=None,
        settlement_ts=settled,
        result=row["result"] if settled else "",
        expiration_value=row["expiration_value"] or "",
    )


def _series(row: dict[str, Any]) -> Series:
    return Series(
        ticker=row["series_ticker"],
        title=row["title"] or row["series_ticker"],
        category=row["category"] or "",
        frequency=row["frequency"] or "custom",
        fee_type=row["fee_type"] or "quadratic",
        fee_multiplier=1.0 if row["fee_multiplier"] is None else row["fee_multiplier"],
    )


def _event(recording: Recording, row: dict[str, Any], markets: Sequence[Market]) -> Event:
    if not markets:
        raise WorldError(f"{recording.folder / 'markets'}.parquet holds no market of the event {row['event_ticker']}.")
    settled = [market.settlement_ts for market in markets]
    known = [moment for moment in settled if moment is not None]
    opened = min(market.open_time for market in markets)
    return Event(
        ticker=row["event_ticker"],
        series_ticker=row["series_ticker"],
        title=row["title"] or row["event_ticker"],
        sub_title="",
        mutually_exclusive=row["mutually_exclusive"],
        listed=opened,
        open_time=opened,
        close_time=max(market.close_time for market in markets),
        settled=max(known) if len(known) == len(settled) else None,
    )


def _payroll_vintages(recording: Recording) -> list[Vintage]:
    """The change that settles: a month's level less the month before's, both as one release has them.

    Only the month of a release was recorded, so a vintage is shown from the last day of that month on.
    """
    levels = {
        (row["release_month"], date.fromisoformat(f"{row['ref_month']}-01")): row["employment_sa"]
        for row in recording.rows("outcome_vintages")
    }
    found = []
    for (released, period), level in levels.items():
        before = levels.get((released, (period - timedelta(days=1)).replace(day=1)))
        if before is not None:
            shown = _last_day(date.fromisoformat(f"{released}-01"))
            found.append(Vintage(period, datetime.combine(shown, time(), UTC), float(level - before)))
    return found


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _minute_after(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
