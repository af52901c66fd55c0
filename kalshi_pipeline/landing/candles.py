"""Landing candles: bars of 1, 60 or 1,440 minutes, from the live tier in batches, from the historical tier one by one.

A market settled before the exchange's cutoff is in the historical tier. Where a tier knows nothing of a market the
other one is asked, because markets move while we look and settlements may be unknown to us. Not here: which days and
events need what (``facts``), the arithmetic of windows (``planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import NotFound
from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.exchange.wire import rows
from kalshi_pipeline.landing.bundles import Bundle, Wanted, bundled
from kalshi_pipeline.landing.facts import land_days
from kalshi_pipeline.landing.lives import Window
from kalshi_pipeline.landing.planning import Span, batch_size, plan_batches, plan_singles
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore, UnitWriter
from kalshi_pipeline.landing.units import MarketWindow
from kalshi_pipeline.landing.working import Work

PERIODS = (1, 60, 1440)

#: Requests in a bundle of events: enough that the last one, which is seldom full, counts for little, and few enough
#: that little is fetched again after a failure.
REQUESTS_IN_BUNDLE = 40.0

#: A day of the exchange is 25 hours long when summer time ends.
_LONGEST_DAY = 25 * 3600


@dataclass(frozen=True)
class CandleFact:
    """Candles of one bar length."""

    period_minutes: int
    dataset: str = "candles"

    @property
    def kind(self) -> str:
        """Bar length as a word of the unit identifier."""
        return f"{self.period_minutes}m"

    @property
    def context(self) -> Mapping[str, Any]:
        """The bar length."""
        return {"period_minutes": self.period_minutes}

    def life(self, market: MarketWindow) -> Window:
        """From the opening to the end of the bar in which trading closes."""
        opened, closed = int(market.open_time.timestamp()), market.close_time.timestamp()
        length = self.period_minutes * 60
        last = int(closed) + _LONGEST_DAY if self.period_minutes == 1440 else int(-(-closed // length) * length)
        return Window(opened, last)

    def bundles(self, wanted: Sequence[Wanted], cutoff: Cutoff) -> list[Bundle]:
        """Events of the live tier fill batch requests together; the historical tier answers market by market."""
        live: list[Wanted] = []
        archived: list[Wanted] = []
        for want in wanted:
            gone = all(_is_archived(market, cutoff) for market, _ in want.event.lives)
            (archived if gone else live).append(want)
        sizes = [self._requests(want) for want in live]
        return [*bundled(live, sizes, REQUESTS_IN_BUNDLE), *(Bundle((want,)) for want in archived)]

    def _requests(self, want: Wanted) -> float:
        """How many requests the markets of an event fill, by their bars or by their number."""
        parts = [part for _, life in want.event.lives if (part := life & want.window)]
        return sum(batch_size((part.end_ts - part.after_ts) // (60 * self.period_minutes) + 1) for part in parts)

    def fetch(
        self,
        client: KalshiClient,
        cutoff: Cutoff,
        markets: Sequence[MarketWindow],
        window: Window,
        context: Mapping[str, Any],
        writer: UnitWriter,
    ) -> None:
        """Ask the tier that should have each market, then the other one for those it knew nothing of."""
        spans = {m.ticker: self._span(m, window) for m in markets}
        archived = {market.ticker for market in markets if _is_archived(market, cutoff)}
        perhaps = {m.ticker for m in markets if m.close_time < cutoff.market_settled_ts} - archived
        asking = _Asking(client, writer, context, self.period_minutes)
        silent = asking.live([spans[m.ticker] for m in markets if m.ticker not in archived])
        asking.historical([spans[ticker] for ticker in sorted(silent & perhaps)])
        silent = asking.historical([spans[ticker] for ticker in sorted(archived)])
        asking.live([spans[ticker] for ticker in sorted(silent)])

    def _span(self, market: MarketWindow, window: Window) -> Span:
        part = self.life(market) & window
        return Span(market.ticker, part.after_ts + 1, part.end_ts)


def _is_archived(market: MarketWindow, cutoff: Cutoff) -> bool:
    return market.settlement_ts is not None and market.settlement_ts < cutoff.market_settled_ts


@dataclass(frozen=True)
class _Asking:
    """The requests of one unit; each method returns the markets that had nothing to say."""

    client: KalshiClient
    writer: UnitWriter
    context: Mapping[str, Any]
    period_minutes: int

    def live(self, spans: Sequence[Span]) -> set[str]:
        silent = {span.ticker for span in spans}
        for request in plan_batches(spans, self.period_minutes):
            response = self.client.candles(request.tickers, request.start_ts, request.end_ts, self.period_minutes)
            counts = {m["market_ticker"]: len(rows(m, "candlesticks")) for m in rows(response.document, "markets")}
            context = {**self.context, "tier": "live", "tickers": list(request.tickers)}
            self.writer.add(response, context, sum(counts.values()))
            silent -= {ticker for ticker, count in counts.items() if count}
        return silent

    def historical(self, spans: Sequence[Span]) -> set[str]:
        return {span.ticker for span in spans if not self._one(span)}

    def _one(self, span: Span) -> int:
        """The number of bars of one market of the historical tier; 0 where the tier does not know it."""
        count = 0
        for request in plan_singles([span], self.period_minutes):
            try:
                response = self.client.historical_candles(
                    span.ticker, request.start_ts, request.end_ts, self.period_minutes
                )
            except NotFound:
                return count
            bars = len(rows(response.document, "candlesticks"))
            self.writer.add(response, {**self.context, "tier": "historical", "tickers": [span.ticker]}, bars)
            count += bars
        return count


def land_candles(
    client: KalshiClient,
    store: LandingStore,
    markets: Iterable[MarketWindow],
    days: Iterable[date],
    *,
    period_minutes: int,
    run_id: str,
    now: datetime | None = None,
    refresh: bool = False,
) -> LandingReport:
    """Land the candles of the given markets on the given UTC days.

    Args:
        client: the exchange.
        store: the landing folder.
        markets: markets with their lives; only those open at some moment of the days are asked for.
        days: UTC days; a bar belongs to the day in which it ends (at midnight: to the day before).
        period_minutes: bar length: 1, 60 or 1440.
        run_id: run that the responses belong to.
        now: what the exchange takes for now; a day that is not over by then stays incomplete.
        refresh: fetch again what has landed.

    Raises:
        LandingFailed: some units could not be fetched; everything else has landed.
        KalshiError: the exchange did not answer at all.
        ValueError: the exchange has no bars of that length.
    """
    if period_minutes not in PERIODS:
        raise ValueError(f"period_minutes is {period_minutes}; the exchange serves bars of 1, 60 and 1440 minutes.")
    work = Work.begin(client, store, run_id)
    return land_days(work, CandleFact(period_minutes), markets, days, now or client.now(), refresh)
