"""Landing the vintages of published statistics, each run one observation of every statistic asked for.

Not here: which statistic a series settles on, and what a vintage says (the loader).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from kalshi_pipeline.exchange import alfred
from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.landing.manifests import Manifest
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LATEST, LandingStore, UnitWriter, safe_name
from kalshi_pipeline.landing.units import Unit
from kalshi_pipeline.landing.working import Work

DATASET = "outcome_vintages"


def land_vintages(
    client: KalshiClient, store: LandingStore, statistics: Mapping[str, tuple[str, str]], run_id: str
) -> LandingReport:
    """Land all vintages of the statistics that series settle on.

    Args:
        client: a client at the root of the archive of vintages.
        store: the landing folder.
        statistics: statistic and units by series.
        run_id: the run; started again with the same identifier it resumes.

    Raises:
        LandingFailed: some could not be fetched; the others have landed.
    """
    work = Work.begin(client, store, run_id)
    units = [_unit(work, series, *statistic) for series, statistic in statistics.items()]
    resumed = work.landed(units)
    fetched = work.carry_out([unit for unit in units if unit.unit_id not in resumed])
    entries = (*resumed.values(), *fetched.values())
    failed = "; ".join(f"{entry.unit_id}: {entry.reason}" for entry in entries if entry.state == "failed")
    manifest = Manifest(
        dataset=DATASET,
        partition=f"observation-{run_id}",
        complete=not failed,
        run_id=run_id,
        written_at=client.now().isoformat(),
        reason=failed,
        units=entries,
    )
    store.write_manifest(manifest)
    store.write_manifest(replace(manifest, partition=LATEST))
    incomplete = {manifest.partition: failed} if failed else {}
    report = work.account(LandingReport(dataset=DATASET, partitions=1, incomplete=incomplete), resumed, fetched)
    if report.failed:
        raise LandingFailed(report)
    return report


def _unit(work: Work, series_ticker: str, statistic: str, units: str) -> Unit:
    unit_id = f"{safe_name(series_ticker)}.{DATASET}.{safe_name(statistic)}.{safe_name(work.run_id)}"
    context = {"dataset": DATASET, "series_ticker": series_ticker, "statistic": statistic, "units": units}
    path = work.store.path(DATASET, series_ticker, unit_id)
    return Unit(unit_id, path, context, partial(_fetch, work.client, statistic, units, context))


def _fetch(client: KalshiClient, statistic: str, units: str, context: Mapping[str, Any], writer: UnitWriter) -> None:
    answer = alfred.vintages(client, statistic, units)
    writer.add(answer, context, len(answer.document["observations"]))
