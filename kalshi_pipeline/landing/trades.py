"""Landing trades, market by market, from both tiers: the cutoff splits a window by the time of the trade.

Not here: which days and events need what (``facts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from kalshi_pipeline.exchange.client import KalshiClient, Tier
from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.exchange.wire import rows
from kalshi_pipeline.landing.bundles import Bundle, Wanted
from kalshi_pipeline.landing.facts import land_days
from kalshi_pipeline.landing.lives import Window
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore, UnitWriter
from kalshi_pipeline.landing.units import MarketWindow
from kalshi_pipeline.landing.working import Work


@dataclass(frozen=True)
class TradeFact:
    """Trades."""

    dataset: str = "trades"
    kind: str = "trades"
    context: Mapping[str, Any] = field(default_factory=dict)

    def life(self, market: MarketWindow) -> Window:
        """The trading window; both its ends are asked for."""
        return Window(int(market.open_time.timestamp()) - 1, int(market.close_time.timestamp()) + 1)

    def bundles(self, wanted: Sequence[Wanted], cutoff: Cutoff) -> list[Bundle]:
        """Trades are asked for market by market, so there is nothing to gain from several events at once."""
        return [Bundle((want,)) for want in wanted]

    def fetch(
        self,
        client: KalshiClient,
        cutoff: Cutoff,
        markets: Sequence[MarketWindow],
        window: Window,
        context: Mapping[str, Any],
        writer: UnitWriter,
    ) -> None:
        """Ask the historical tier up to the cutoff and the live tier from there; a trade seen in both has one id."""
        border = int(cutoff.trades_created_ts.timestamp())
        parts: tuple[tuple[Tier, Window], ...] = (
            ("historical", Window(window.after_ts, min(window.end_ts, border))),
            ("live", Window(max(window.after_ts, border), window.end_ts)),
        )
        for market in markets:
            for tier, part in parts:
                if part & self.life(market):
                    told = {**context, "tier": tier, "tickers": [market.ticker]}
                    for page in client.trades(market.ticker, part.after_ts, part.end_ts, tier):
                        writer.add(page, told, len(rows(page.document, "trades")))


def land_trades(
    client: KalshiClient,
    store: LandingStore,
    markets: Iterable[MarketWindow],
    days: Iterable[date],
    *,
    run_id: str,
    now: datetime | None = None,
    refresh: bool = False,
) -> LandingReport:
    """Land the trades of the given markets on the given UTC days; arguments and errors as for candles."""
    work = Work.begin(client, store, run_id)
    return land_days(work, TradeFact(), markets, days, now or client.now(), refresh)
