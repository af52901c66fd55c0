"""Landing a daily fact: which units its days need, which of them are there, and what its manifests say.

A unit is an event, or a bundle of events, over a run of days, cut to the life of their markets. What a fact asks the
exchange is its own affair (``candles``, ``trades``); that the days end complete, incomplete or empty with a reason is
decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.records import Cutoff
from kalshi_pipeline.landing.bundles import Bundle, Shelf, Wanted, covers
from kalshi_pipeline.landing.days import DayRun, is_over, midnight, runs_of
from kalshi_pipeline.landing.lives import Event, Window, events_by_day, events_in, events_of
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry, merged
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import UnitWriter
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

    def bundles(self, wanted: Sequence[Wanted], cutoff: Cutoff) -> list[Bundle]:
        """Which events are fetched together, where the exchange answers for several at once."""
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
        """Ask for the rows of these markets within ``window`` and add the responses."""
        ...


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
    shelf = Shelf(work.store, fact.dataset, fact.kind, fact.context)
    wanted = _wanted(runs_of(open_days, now), alive)
    held = {} if refresh else {want: entry for want in wanted if (entry := shelf.holding(want))}
    missing = [want for want in wanted if want not in held]
    units = _units(work, fact, missing, _failed_events(before.values())) if missing else {}
    fetched = work.carry_out([unit for unit, _ in units.values()])
    entries = {**held, **{want: fetched[name] for name, (_, bundle) in units.items() for want in bundle.wanted}}
    manifests = [_manifest(work, fact, day, now, before[day], alive[day], entries) for day in open_days]
    for manifest in manifests:
        work.store.write_manifest(manifest)
    report = LandingReport(
        dataset=fact.dataset,
        partitions=len(asked),
        skipped=len(asked) - len(open_days),
        incomplete={m.partition: m.reason for m in manifests if not m.complete},
    )
    report = work.account(report, {entry.unit_id: entry for entry in held.values()}, fetched)
    if report.failed:
        raise LandingFailed(report)
    return report


def _wanted(runs: Iterable[DayRun], alive: Mapping[date, Sequence[Event]]) -> list[Wanted]:
    """The events that the runs of days consist of, each over the part of its life within the run."""
    return [
        Wanted(event, window, whole)
        for run in runs
        for whole in [Window.of_run(run)]
        for event in events_in(run, alive)
        if (window := event.life & whole)
    ]


def _is_satisfied(manifest: Manifest | None, fact: Fact, events: Sequence[Event], day: date) -> bool:
    """Whether a complete manifest also covers every market that is now known to have been open on the day."""
    if manifest is None or not manifest.complete:
        return False
    entries: dict[str, list[UnitEntry]] = defaultdict(list)
    named: set[str] = set()
    for entry in manifest.landed:
        if entry.context.items() >= fact.context.items():
            named.update(entry.alive)
            for ticker in entry.events:
                entries[ticker].append(entry)
    whole_day = Window.of_day(day)
    return all(
        any(covers(entry, event.life & whole_day, event) for entry in entries[event.ticker])
        and named.issuperset(market.ticker for market in event.alive(whole_day))
        for event in events
    )


def _failed_events(manifests: Iterable[Manifest | None]) -> set[str]:
    """Events of units that failed before: they are fetched one by one, so that one of them takes no other with it."""
    return {
        ticker
        for manifest in manifests
        if manifest
        for unit in manifest.units
        if unit.state == "failed"
        for ticker in unit.events
    }


def _units(work: Work, fact: Fact, wanted: Sequence[Wanted], alone: set[str]) -> dict[str, tuple[Unit, Bundle]]:
    """The units of work for what is wanted; where the historical tier begins is asked anew every time."""
    cutoff = Cutoff.from_wire(work.client.cutoff().document)
    together = [want for want in wanted if want.event.ticker not in alone]
    bundles = [
        *fact.bundles(together, cutoff),
        *(Bundle((want,)) for want in wanted if want.event.ticker in alone),
    ]
    units = {}
    for bundle in bundles:
        unit_id, context = bundle.unit_id(fact.kind), bundle.context(fact.dataset, fact.context)
        fetch = partial(fact.fetch, work.client, cutoff, bundle.markets, bundle.window, context)
        path = work.store.path(fact.dataset, bundle.folder, unit_id)
        units[unit_id] = Unit(unit_id, path, context, fetch), bundle
    return units


def _manifest(
    work: Work,
    fact: Fact,
    day: date,
    now: datetime,
    before: Manifest | None,
    events: Sequence[Event],
    entries: Mapping[Wanted, UnitEntry],
) -> Manifest:
    """What a day consists of after the run."""
    window, tickers = Window.of_day(day), {event.ticker for event in events}
    own: dict[str, UnitEntry] = {}
    for want, entry in entries.items():
        if want.event.ticker in tickers and want.window & window:
            alive = tuple(market.ticker for market in want.event.alive(want.window & window))
            known = own.setdefault(entry.unit_id, replace(entry, alive=()))
            own[entry.unit_id] = replace(known, alive=(*known.alive, *alive))
    units = merged(before.units if before else (), own.values())
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
