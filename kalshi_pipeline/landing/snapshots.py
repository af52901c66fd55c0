"""Landing snapshots of every open market of the universe, taken while their day runs: top of book, and order books.

A snapshot cannot be taken afterwards: a past day that has none is complete and empty, and says why. Not here: quotes
that come from candles, which the models derive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.endpoints import MARKETS_PER_BATCH
from kalshi_pipeline.exchange.wire import rows
from kalshi_pipeline.landing.days import is_over, midnight, stamp
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LandingStore, UnitWriter, safe_name
from kalshi_pipeline.landing.units import Unit
from kalshi_pipeline.landing.working import Work

Fetch = Callable[[KalshiClient, str, dict[str, str], UnitWriter], None]


@dataclass(frozen=True)
class _Snapshot:
    """What is taken: the dataset, and how one series of it is fetched."""

    dataset: str
    fetch: Fetch


def land_quotes(
    client: KalshiClient,
    store: LandingStore,
    universe: Sequence[str],
    days: Iterable[date],
    *,
    run_id: str,
    now: datetime | None = None,
) -> LandingReport:
    """Take one snapshot where today is among the days, and settle what the other days consist of.

    Args:
        client: the exchange.
        store: the landing folder.
        universe: series whose open markets are quoted.
        days: UTC days. Today gets one more unit per series; past days send no request.
        run_id: run that the responses belong to.
        now: what the exchange takes for now.

    Raises:
        LandingFailed: the snapshot of some series could not be taken; those of the others have landed.
    """
    return _land(_QUOTES, Work.begin(client, store, run_id), universe, days, now or client.now())


def land_orderbooks(
    client: KalshiClient,
    store: LandingStore,
    universe: Sequence[str],
    days: Iterable[date],
    *,
    run_id: str,
    now: datetime | None = None,
) -> LandingReport:
    """Take the order books of every open market where today is among the days; arguments and errors as for quotes."""
    return _land(_ORDERBOOKS, Work.begin(client, store, run_id), universe, days, now or client.now())


def _land(
    snapshot: _Snapshot, work: Work, universe: Sequence[str], days: Iterable[date], now: datetime
) -> LandingReport:
    asked = sorted(set(days))
    units = [_unit(snapshot, work, series, now) for series in dict.fromkeys(universe)] if now.date() in asked else []
    resumed = work.landed(units)
    fetched = work.carry_out([unit for unit in units if unit.unit_id not in resumed])
    taken = (*resumed.values(), *fetched.values())
    before = {day: work.store.manifest(snapshot.dataset, day.isoformat()) for day in asked}
    open_days = [day for day, manifest in before.items() if manifest is None or not manifest.complete]
    manifests = [
        _manifest(snapshot, work, day, now, before[day], taken if day == now.date() else ()) for day in open_days
    ]
    for manifest in manifests:
        work.store.write_manifest(manifest)
    report = LandingReport(
        dataset=snapshot.dataset,
        partitions=len(asked),
        skipped=len(asked) - len(open_days),
        incomplete={m.partition: m.reason for m in manifests if not m.complete},
    )
    report = work.account(report, resumed, fetched)
    if report.failed:
        raise LandingFailed(report)
    return report


def _unit(snapshot: _Snapshot, work: Work, series_ticker: str, now: datetime) -> Unit:
    """The snapshot of one series, identified by its instant: taken once."""
    unit_id = f"{safe_name(series_ticker)}.{snapshot.dataset}.{stamp(int(now.timestamp()))}"
    context = {"dataset": snapshot.dataset, "series_ticker": series_ticker, "tier": "live"}
    path = work.store.path(snapshot.dataset, now.date().isoformat(), unit_id)
    return Unit(unit_id, path, context, partial(snapshot.fetch, work.client, series_ticker, context))


def _fetch_quotes(client: KalshiClient, series_ticker: str, context: dict[str, str], writer: UnitWriter) -> None:
    for page in client.markets(series_ticker, status="open"):
        writer.add(page, context, len(rows(page.document, "markets")))


def _fetch_orderbooks(client: KalshiClient, series_ticker: str, context: dict[str, str], writer: UnitWriter) -> None:
    pages = client.markets(series_ticker, status="open")
    tickers = sorted({row["ticker"] for page in pages for row in rows(page.document, "markets")})
    for first in range(0, len(tickers), MARKETS_PER_BATCH):
        books = client.orderbooks(tickers[first : first + MARKETS_PER_BATCH])
        writer.add(books, context, len(rows(books.document, "orderbooks")))


_QUOTES = _Snapshot("quotes", _fetch_quotes)
_ORDERBOOKS = _Snapshot("orderbooks", _fetch_orderbooks)


def _manifest(
    snapshot: _Snapshot, work: Work, day: date, now: datetime, before: Manifest | None, taken: tuple[UnitEntry, ...]
) -> Manifest:
    """The snapshots of a day so far. A snapshot that failed is gone for good, so it does not keep a day from ending."""
    known = {unit.unit_id: unit for unit in (*(before.units if before else ()), *taken)}
    if midnight(day) > now:
        reason = "The day has not begun."
    elif not is_over(day, now):
        reason = "The day is not over: more snapshots can be taken."
    elif not known:
        reason = "A past day without landing: no live snapshot was taken while it ran, and none can be taken now."
    else:
        reason = ""
    return Manifest(
        dataset=snapshot.dataset,
        partition=day.isoformat(),
        complete=is_over(day, now),
        run_id=work.run_id,
        written_at=work.client.now().isoformat(),
        reason=reason,
        units=tuple(known.values()),
    )
