"""Landing a daily fact: which units its days need, which of them are there, and what its manifests say.

A unit is one event over a run of days, cut to the life of the event's markets. What a fact asks the exchange is its
own affair (``candles``, ``trades``); that the days end complete, incomplete or empty with a reason is decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.landing.days import DayRun, is_over, midnight, runs_of
from kalshi_pipeline.landing.lives import Event, Window, events_by_day, events_in, events_of
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry, merged
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LandingStore, UnitWriter, safe_name
from kalshi_pipeline.landing.units import MarketWindow, Unit
from kalshi_pipeline.landing.working import Work


class Fact(Protocol):
    """What is particular to one daily fact."""

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        ...

    @property
    def kind(self) -> str:
        """Word in the unit identifiers that tells units of one event apart: the bar length, or the dataset."""
        ...

    @property
    def context(self) -> Mapping[str, Any]:
        """What every unit's context says beside dataset, series and event."""
        ...

    def life(self, market: MarketWindow) -> Window:
        """The moments at which a market can have rows."""
        ...

    def fetch(
        self,
        client: KalshiClient,
        cutoff: Cutoff,
        markets: Sequence[MarketWindow],
        window: Window,
        context: Mapping[str, Any],
        writer: UnitWriter,
    ) -> None:
        """Ask for the rows of these markets of one event within ``window`` and add the responses."""
        ...


@dataclass(frozen=True)
class _Wanted:
    """A unit that days need: an event over a window, with the file that already holds it, if any."""

    event: Event
    window: Window
    landed: UnitEntry | None


def land_days(
    work: Work, fact: Fact, markets: Iterable[MarketWindow], days: Iterable[date], now: datetime, refresh: bool
) -> LandingReport:
    """Land a fact for the given days and write the manifest of every one of them.

    Days whose manifest is complete and covers their markets are left alone unless ``refresh``; units whose file holds
    what is wanted are not fetched again unless ``refresh``.

    Raises:
        LandingFailed: some units could not be fetched; everything else has landed.
        KalshiError: the exchange did not say where its historical tier begins.
    """
    asked = sorted(set(days))
    alive = events_by_day(events_of(markets, fact.life), asked)
    before = {day: work.store.manifest(fact.dataset, day.isoformat()) for day in asked}
    open_days = asked if refresh else [day for day in asked if not _is_satisfied(before[day], fact, alive[day], day)]
    wanted = _wanted(work.store, fact, runs_of(open_days, now), alive, refresh)
    resumed = {unit_id: want.landed for unit_id, want in wanted.items() if want.landed}
    missing = {unit_id: want for unit_id, want in wanted.items() if not want.landed}
    fetched = work.carry_out(_units(work, fact, missing)) if missing else {}
    entries = {**resumed, **fetched}
    manifests = [_manifest(work, fact, day, now, before[day], alive[day], wanted, entries) for day in open_days]
    for manifest in manifests:
        work.store.write_manifest(manifest)
    report = LandingReport(
        dataset=fact.dataset,
        partitions=len(asked),
        skipped=len(asked) - len(open_days),
        incomplete={m.partition: m.reason for m in manifests if not m.complete},
    )
    report = work.account(report, resumed, fetched)
    if report.failed:
        raise LandingFailed(report)
    return report


def _wanted(
    store: LandingStore, fact: Fact, runs: Iterable[DayRun], alive: Mapping[date, Sequence[Event]], refresh: bool
) -> dict[str, _Wanted]:
    """The units that the runs of days consist of, by identifier."""
    wanted = {}
    for run in runs:
        for event in events_in(run, alive):
            if window := event.life & Window.of_run(run):
                landed = None if refresh else _landed(store, fact, event, window)
                wanted[_unit_id(event, fact, window)] = _Wanted(event, window, landed)
    return wanted


def _is_satisfied(manifest: Manifest | None, fact: Fact, events: Sequence[Event], day: date) -> bool:
    """Whether a complete manifest also covers every market that is now known to have been open on the day."""
    if manifest is None or not manifest.complete:
        return False
    entries: dict[str, list[UnitEntry]] = defaultdict(list)
    for entry in manifest.landed:
        if entry.context.items() >= fact.context.items():
            entries[str(entry.context["event_ticker"])].append(entry)
    day_window = Window.of_day(day)
    return all(
        any(_covers(entry, event.life & day_window, event) for entry in entries[event.ticker]) for event in events
    )


def _covers(entry: UnitEntry, window: Window, event: Event) -> bool:
    """Whether a landed unit holds everything of the event within ``window``."""
    context = entry.context
    return (
        int(context["after_ts"]) <= window.after_ts
        and window.end_ts <= int(context["end_ts"])
        and {market.ticker for market in event.alive(window)} <= set(entry.tickers)
    )


def _landed(store: LandingStore, fact: Fact, event: Event, window: Window) -> UnitEntry | None:
    """A unit file that holds everything of the event within ``window``, if there is one."""
    for path in store.unit_files(fact.dataset, event.ticker):
        _, kind, moments = store.unit_id(path).rsplit(".", 2)
        if kind != fact.kind or (held := Window.parse(moments)) & window != window:
            continue
        entry = store.entry(path, _context(fact, event, held))
        if entry and _covers(entry, window, event):
            return entry
    return None


def _unit_id(event: Event, fact: Fact, window: Window) -> str:
    return f"{safe_name(event.ticker)}.{fact.kind}.{window}"


def _context(fact: Fact, event: Event, window: Window) -> dict[str, Any]:
    return {
        "dataset": fact.dataset,
        "series_ticker": event.series_ticker,
        "event_ticker": event.ticker,
        **fact.context,
        "after_ts": window.after_ts,
        "end_ts": window.end_ts,
    }


def _units(work: Work, fact: Fact, wanted: Mapping[str, _Wanted]) -> list[Unit]:
    """The units of work for what is wanted; where the historical tier begins is asked anew every time."""
    cutoff = Cutoff.from_wire(work.client.cutoff().document)
    units = []
    for unit_id, want in wanted.items():
        context = _context(fact, want.event, want.window)
        fetch = partial(fact.fetch, work.client, cutoff, want.event.alive(want.window), want.window, context)
        units.append(Unit(unit_id, work.store.path(fact.dataset, want.event.ticker, unit_id), context, fetch))
    return units


def _manifest(
    work: Work,
    fact: Fact,
    day: date,
    now: datetime,
    before: Manifest | None,
    events: Sequence[Event],
    wanted: Mapping[str, _Wanted],
    entries: Mapping[str, UnitEntry],
) -> Manifest:
    """What a day consists of after the run."""
    window, alive = Window.of_day(day), {event.ticker for event in events}
    own = [entries[unit_id] for unit_id, want in wanted.items() if want.event.ticker in alive and want.window & window]
    units = merged(before.units if before else (), own)
    failed = [unit.unit_id for unit in units if unit.state == "failed"]
    if midnight(day) >= now:
        reason = "The day has not begun."
    elif not is_over(day, now):
        reason = f"The day is not over: landed as far as {now:%Y-%m-%d %H:%M} UTC."
    elif failed:
        reason = f"{len(failed)} of {len(units)} units failed: {', '.join(failed[:5])}{', ...' if failed[5:] else ''}."
    elif not units:
        reason = "No market of the universe was open on this day."
    else:
        reason = ""
    return Manifest(
        dataset=fact.dataset,
        partition=day.isoformat(),
        complete=is_over(day, now) and not failed,
        run_id=work.run_id,
        written_at=work.client.now().isoformat(),
        reason=reason,
        units=units,
    )
