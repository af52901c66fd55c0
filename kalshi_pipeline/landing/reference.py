"""Landing reference data: series, events, markets, fee changes, and the exchange's hours and state.

Each run is one observation of the whole universe. A unit is one series (and tier), or the whole exchange where its
answer is about all of it. An observation is identified by its run, so a run that is started again with the same
identifier resumes it. Not here: what changed since the last observation (the loader decides by content).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kalshi_pipeline.exchange.client import KalshiClient, Tier
from kalshi_pipeline.exchange.errors import KalshiError, NotFound
from kalshi_pipeline.exchange.transport import Response
from kalshi_pipeline.exchange.wire import rows
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry
from kalshi_pipeline.landing.report import LandingFailed, LandingReport, UnknownSeries
from kalshi_pipeline.landing.store import LATEST, LandingStore, UnitWriter, safe_name
from kalshi_pipeline.landing.units import Unit
from kalshi_pipeline.landing.working import Work

#: Stands in the place of a series where an answer is about the whole exchange.
_WHOLE_EXCHANGE = "exchange"


@dataclass(frozen=True)
class _Source:
    """One list of a dataset: the tier it comes from, how to ask for it, and the key its rows are under."""

    tier: Tier
    ask: Callable[[str], Iterable[Response]]
    key: str


def land_series(client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str) -> LandingReport:
    """Land the description of every series of the universe.

    Raises:
        UnknownSeries: the exchange does not list some of them; the others have landed.
        LandingFailed: some could not be fetched; the others have landed.
    """
    sources = [_Source("live", lambda series: [client.series(series)], "series")]
    return _land(client, store, universe, run_id, "series", sources)


def land_events(client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str) -> LandingReport:
    """Land all events of every series of the universe; errors as :func:`land_series`."""
    return _land(client, store, universe, run_id, "events", [_Source("live", client.events, "events")])


def land_markets(client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str) -> LandingReport:
    """Land all markets of every series of the universe, from both tiers; errors as :func:`land_series`."""
    sources = [_Source("live", client.markets, "markets"), _Source("historical", client.historical_markets, "markets")]
    return _land(client, store, universe, run_id, "markets", sources)


def land_series_fee_changes(
    client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str
) -> LandingReport:
    """Land the scheduled fee changes of every series of the universe; there may be none."""
    sources = [_Source("live", lambda series: [client.series_fee_changes(series)], "series_fee_change_arr")]
    return _land(client, store, universe, run_id, "series_fee_changes", sources, named=False)


def land_event_fee_changes(
    client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str
) -> LandingReport:
    """Land the scheduled changes of events' fee overrides, those of the whole exchange."""
    return _land_whole(client, store, run_id, "event_fee_changes", client.event_fee_changes, "event_fee_changes")


def land_exchange_schedules(
    client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str
) -> LandingReport:
    """Land the exchange's trading hours."""
    return _land_whole(client, store, run_id, "exchange_schedules", lambda: [client.schedule()], "schedule")


def land_exchange_statuses(
    client: KalshiClient, store: LandingStore, universe: Sequence[str], run_id: str
) -> LandingReport:
    """Land whether the exchange and its trading are active."""
    return _land_whole(client, store, run_id, "exchange_statuses", lambda: [client.status()], "exchange_active")


def _land_whole(
    client: KalshiClient,
    store: LandingStore,
    run_id: str,
    dataset: str,
    ask: Callable[[], Iterable[Response]],
    key: str,
) -> LandingReport:
    """Land an answer about the whole exchange."""
    sources = [_Source("live", lambda _: ask(), key)]
    return _land(client, store, [_WHOLE_EXCHANGE], run_id, dataset, sources, named=False)


def _land(
    client: KalshiClient,
    store: LandingStore,
    universe: Sequence[str],
    run_id: str,
    dataset: str,
    sources: Sequence[_Source],
    *,
    named: bool = True,
) -> LandingReport:
    """Land an observation; ``named`` says whether a series without rows must at least be one the exchange lists."""
    work = Work.begin(client, store, run_id)
    units = [_unit(work, dataset, series, source) for series in dict.fromkeys(universe) for source in sources]
    resumed = work.landed(units)
    fetched = work.carry_out([unit for unit in units if unit.unit_id not in resumed])
    entries = {**resumed, **fetched}
    unknown = _unknown(client, universe, entries.values()) if named else []
    manifest = Manifest(
        dataset=dataset,
        partition=f"observation-{run_id}",
        complete=not unknown and all(entry.state == "landed" for entry in entries.values()),
        run_id=run_id,
        written_at=client.now().isoformat(),
        reason="; ".join(f"{entry.unit_id}: {entry.reason}" for entry in entries.values() if entry.reason),
        units=tuple(entries.values()),
    )
    store.write_manifest(manifest)
    store.write_manifest(replace(manifest, partition=LATEST))
    incomplete = {} if manifest.complete else {manifest.partition: manifest.reason}
    report = work.account(LandingReport(dataset=dataset, partitions=1, incomplete=incomplete), resumed, fetched)
    if unknown:
        raise UnknownSeries(report, unknown)
    if report.failed:
        raise LandingFailed(report)
    return report


def _unit(work: Work, dataset: str, series_ticker: str, source: _Source) -> Unit:
    unit_id = f"{safe_name(series_ticker)}.{dataset}.{source.tier}.{safe_name(work.run_id)}"
    about = {} if series_ticker == _WHOLE_EXCHANGE else {"series_ticker": series_ticker}
    context = {"dataset": dataset, **about, "tier": source.tier}
    path = work.store.path(dataset, series_ticker, unit_id)
    return Unit(unit_id, path, context, partial(_fetch, source, series_ticker, context))


def _fetch(source: _Source, series_ticker: str, context: Mapping[str, Any], writer: UnitWriter) -> None:
    for page in source.ask(series_ticker):
        single = not isinstance(page.document[source.key], list | None)
        writer.add(page, context, 1 if single else len(rows(page.document, source.key)))


def _unknown(client: KalshiClient, universe: Sequence[str], entries: Iterable[UnitEntry]) -> list[str]:
    """The series of which no rows came because the exchange does not list them.

    A list of an unknown series is empty and no error, so a series without rows is looked up by itself.
    """
    entries = tuple(entries)
    heard = {entry.context["series_ticker"] for entry in entries if entry.rows}
    failed = {entry.context["series_ticker"] for entry in entries if entry.state == "failed"}
    unknown = []
    for series_ticker in dict.fromkeys(universe):
        if series_ticker in heard:
            continue
        try:
            client.series(series_ticker)
        except NotFound:
            unknown.append(series_ticker)
        except KalshiError:
            if series_ticker not in failed:
                raise
    return unknown
