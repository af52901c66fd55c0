"""Bundles: the events that one unit of work fetches together, and the units that already hold what is wanted.

A unit is one event, or, where the exchange answers for many markets at once, as many as fill its requests. Not here:
what a fact asks for (``candles``, ``trades``), what days need (``facts``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kalshi_pipeline.landing.lives import Event, Window
from kalshi_pipeline.landing.manifests import UnitEntry
from kalshi_pipeline.landing.store import LandingStore, safe_name
from kalshi_pipeline.landing.units import MarketWindow

#: Folder of the units that are about several events.
_FOLDER = "bundles"


@dataclass(frozen=True, eq=False)
class Wanted:
    """An event over a window; two of them are the same only if they are one object.

    Attributes:
        event: the event.
        window: the part of its life that is wanted.
        run: the run of days that the window is a part of.
    """

    event: Event
    window: Window
    run: Window


@dataclass(frozen=True)
class Bundle:
    """What one unit of work fetches."""

    wanted: tuple[Wanted, ...]

    @property
    def window(self) -> Window:
        """From the first moment wanted of any event to the last."""
        return Window(
            min(want.window.after_ts for want in self.wanted), max(want.window.end_ts for want in self.wanted)
        )

    @property
    def markets(self) -> list[MarketWindow]:
        """The markets that can have rows within the window."""
        return [market for want in self.wanted for market in want.event.alive(self.window)]

    @property
    def folder(self) -> str:
        """Where its file is kept below the dataset."""
        return self.wanted[0].event.ticker if len(self.wanted) == 1 else _FOLDER

    def context(self, dataset: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """What its unit is about."""
        first = self.wanted[0].event
        about: dict[str, Any] = (
            {"series_ticker": first.series_ticker, "event_ticker": first.ticker}
            if len(self.wanted) == 1
            else {"event_tickers": [want.event.ticker for want in self.wanted]}
        )
        return {
            "dataset": dataset,
            **about,
            **more,
            "after_ts": self.window.after_ts,
            "end_ts": self.window.end_ts,
        }

    def unit_id(self, kind: str) -> str:
        """Its identifier: the same whenever the same events are wanted over the same window."""
        tickers = [want.event.ticker for want in self.wanted]
        name = safe_name(tickers[0])
        if len(tickers) > 1:
            name += f"+{len(tickers) - 1}-{hashlib.sha256(' '.join(tickers).encode()).hexdigest()[:8]}"
        return f"{name}.{kind}.{self.window}"


def bundled(wanted: Iterable[Wanted], sizes: Sequence[float], enough: float) -> list[Bundle]:
    """Neighbours in time, of one run of days, put together until they are large enough.

    Args:
        wanted: events over windows.
        sizes: requests that each fills.
        enough: requests at which a bundle is full; what is larger stands alone.
    """
    bundles: list[Bundle] = []
    filling: list[Wanted] = []
    filled = 0.0
    for want, size in sorted(zip(wanted, sizes, strict=True), key=lambda pair: _place(pair[0])):
        if filling and (filled + size > enough or filling[0].run != want.run):
            bundles.append(Bundle(tuple(filling)))
            filling, filled = [], 0.0
        filling.append(want)
        filled += size
    return [*bundles, Bundle(tuple(filling))] if filling else bundles


def _place(want: Wanted) -> tuple[int, int, int, str]:
    return want.run.after_ts, want.window.after_ts, want.window.end_ts, want.event.ticker


def covers(entry: UnitEntry, window: Window, event: Event) -> bool:
    """Whether a landed unit holds everything of the event within ``window``."""
    context = entry.context
    return (
        event.ticker in entry.events
        and int(context["after_ts"]) <= window.after_ts
        and window.end_ts <= int(context["end_ts"])
        and {market.ticker for market in event.alive(window)} <= set(entry.tickers)
    )


@dataclass
class Shelf:
    """The units of one kind that have landed; the files of bundles are read once.

    Attributes:
        store: the landing folder.
        dataset, kind: dataset of the units, and the word in their identifiers.
        context: what every unit's context says beside dataset and events.
    """

    store: LandingStore
    dataset: str
    kind: str
    context: Mapping[str, Any]
    _bundles: dict[Path, UnitEntry | None] | None = None

    def holding(self, want: Wanted) -> UnitEntry | None:
        """A unit that holds everything wanted, if there is one."""
        for path in self.store.unit_files(self.dataset, want.event.ticker):
            if held := self._reaching(path, want.window):
                alone = Bundle((Wanted(want.event, held, held),))
                entry = self.store.entry(path, alone.context(self.dataset, self.context))
                if entry and covers(entry, want.window, want.event):
                    return entry
        if self._bundles is None:
            self._bundles = dict.fromkeys(self.store.unit_files(self.dataset, _FOLDER))
        for path, entry in self._bundles.items():
            if self._reaching(path, want.window):
                entry = self._bundles[path] = entry or self.store.entry(path)
                if entry and covers(entry, want.window, want.event):
                    return entry
        return None

    def _reaching(self, path: Path, window: Window) -> Window | None:
        """The window of a unit of the right kind that takes in the whole of ``window``."""
        _, kind, moments = self.store.unit_id(path).rsplit(".", 2)
        held = Window.parse(moments)
        return held if kind == self.kind and held & window == window else None
