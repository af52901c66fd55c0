"""How landings and loads are entered in the warehouse's books, whether they succeeded or not.

A landing enters its units and the markets that failed, a load what it was made of and the state of every market; both
enter themselves in the log. Not here: the books (``warehouse.ingestion``), what manifests say (``landing.ledger``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb

from kalshi_pipeline.defs.checks import coverage_result, drift_result
from kalshi_pipeline.defs.metadata import counts
from kalshi_pipeline.defs.partitions import span
from kalshi_pipeline.exchange.errors import KalshiError
from kalshi_pipeline.landing.ledger import asked_table, contents_table, units_table
from kalshi_pipeline.landing.manifests import Manifest
from kalshi_pipeline.landing.report import LandingFailed, LandingReport
from kalshi_pipeline.landing.store import LATEST, LandingStore
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.warehouse.drift import DriftReport, record_drift, scan_drift
from kalshi_pipeline.warehouse.ingestion import (
    record_failures,
    record_provenance,
    record_run,
    record_units,
    states,
)
from kalshi_pipeline.warehouse.resource import Warehouse
from kalshi_pipeline.warehouse.writing import BlockedWrite, WriteReport


@dataclass(frozen=True)
class Books:
    """The books of one landing.

    Attributes:
        warehouse: where they are kept.
        store: the landing folder, whose manifests say what came of it.
        dataset: what is landed.
        run_id: the run.
        days: its partitions; none for reference data.
    """

    warehouse: Warehouse
    store: LandingStore
    dataset: str
    run_id: str
    days: Sequence[date] = ()

    def kept(self, land: Callable[[], LandingReport]) -> dg.MaterializeResult[None]:
        """Land, then enter what was landed and what failed, in one short transaction.

        Raises:
            LandingFailed: some units could not be fetched; the books say which, and the others have landed.
            KalshiError: the exchange did not answer at all; the log says so.
        """
        try:
            report = land()
        except LandingFailed as failed:
            self._enter(failed.report, str(failed))
            raise
        except KalshiError as error:
            self._enter(LandingReport(self.dataset), str(error))
            raise
        self._enter(report, None)
        days = {"days": span(self.days)} if self.days else {}
        return dg.MaterializeResult(metadata={**days, **counts(report.as_metadata())})

    def _enter(self, report: LandingReport, failure: str | None) -> None:
        manifests = manifests_of(self.store, self.dataset, self.days)
        with self.warehouse.write() as con:
            record_units(con, units_table(manifests))
            record_failures(con, asked_table(manifests), run_id=self.run_id)
            record_run(
                con, "landing", self.dataset, self.days, report.as_metadata(), run_id=self.run_id, failure=failure
            )


@dataclass(frozen=True)
class Loading:
    """The books of one load.

    Attributes:
        warehouse: where they are kept.
        table: what is loaded.
        manifests: what the partitions consist of.
        source: name of the exchange the responses came from.
        run_id: the run.
        days: the partitions; none for reference data.
    """

    warehouse: Warehouse
    table: Table
    manifests: Sequence[Manifest]
    source: str
    run_id: str
    days: Sequence[date] = ()

    def scanned(self, dataset: str, files: Sequence[Path]) -> dg.AssetCheckResult:
        """Hold the responses against their known form, without holding the warehouse; then count what was found."""
        return self.drifted(scan_drift(dataset, files))

    def drifted(self, report: DriftReport) -> dg.AssetCheckResult:
        """Count what differs about the responses from their known form."""
        with self.warehouse.write() as con:
            record_drift(con, self.table, report, run_id=self.run_id)
        return drift_result(self.table, report)

    def entered(
        self, write: Callable[[duckdb.DuckDBPyConnection], WriteReport], *, bulk: bool = False
    ) -> dict[str, WriteReport]:
        """Write and enter it, in one transaction; a write that is blocked is entered as such.

        Args:
            write: the load.
            bulk: whether it reads its files some responses at a time, so that bounded memory is enough.

        Raises:
            BlockedWrite: nothing was written.
        """
        try:
            with self.warehouse.write(bulk=bulk) as con:
                report = write(con)
                contents = contents_table(self.manifests)
                record_provenance(con, self.table, contents, source=self.source, run_id=self.run_id)
                self._log(con, report, None)
        except BlockedWrite as blocked:
            with self.warehouse.write() as con:
                self._log(con, blocked.report, str(blocked))
            raise
        return {self.table.name: report}

    def coverage(self) -> dg.AssetCheckResult:
        """Whether the days that have ended left no market failed or waiting."""
        ended = [date.fromisoformat(manifest.partition) for manifest in self.manifests if manifest.complete]
        failed = {unit.unit_id: unit.reason for one in self.manifests for unit in one.units if unit.state == "failed"}
        with self.warehouse.read() as con:
            found = states(con, self.table.name, [*ended, *self._days_with_failures()])
        return coverage_result(self.table, found, failed)

    def _days_with_failures(self) -> list[date]:
        return [
            date.fromisoformat(manifest.partition)
            for manifest in self.manifests
            if not manifest.complete and any(unit.state == "failed" for unit in manifest.units)
        ]

    def _log(self, con: duckdb.DuckDBPyConnection, report: WriteReport, failure: str | None) -> None:
        figures = {
            "rows": report.rows,
            "inserted": report.inserted,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "quarantined": report.quarantined_rows,
        }
        record_run(con, "loading", self.table.name, self.days, figures, run_id=self.run_id, failure=failure)


def manifests_of(store: LandingStore, dataset: str, days: Sequence[date]) -> list[Manifest]:
    """The manifests of these days, or of the newest observation without any."""
    return store.manifests(dataset, [day.isoformat() for day in days] or [LATEST])
