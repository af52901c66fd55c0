"""Carrying out units of work, many at once, so that one that fails takes no other with it.

Not here: which units (``candles``, ``trades``, ``quotes``, ``reference``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import KalshiError, NotFound
from kalshi_pipeline.exchange.statistics import Statistics
from kalshi_pipeline.landing.manifests import UnitEntry
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import Unit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A landing under way: where to ask, where to keep, on whose behalf, and since when.

    Attributes:
        client: the exchange.
        store: the landing folder.
        run_id: run that the responses belong to.
        started: monotonic seconds at the beginning.
        before: the client's counters at the beginning.
    """

    client: KalshiClient
    store: LandingStore
    run_id: str
    started: float
    before: Statistics

    @classmethod
    def begin(cls, client: KalshiClient, store: LandingStore, run_id: str) -> Work:
        """Begin now."""
        store.sweep()
        return cls(client, store, run_id, time.monotonic(), client.statistics)

    def carry_out(self, units: Sequence[Unit]) -> dict[str, UnitEntry]:
        """Fetch the units that have not landed, ``client.concurrency`` at once; every unit gets an entry.

        A unit fails by an error of the exchange; its entry says why. Any other error ends the work: units that are
        whole by then stay.
        """
        entries = {unit.unit_id: unit.landed for unit in units if unit.landed}
        todo = iter([unit for unit in units if not unit.landed])
        with ThreadPoolExecutor(self.client.concurrency, thread_name_prefix="landing") as pool:
            running: dict[Future[UnitEntry], Unit] = {}
            try:
                while True:
                    for unit in islice(todo, 2 * self.client.concurrency - len(running)):
                        running[pool.submit(self._one, unit)] = unit
                    if not running:
                        break
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        entries[running.pop(future).unit_id] = future.result()
            finally:
                for future in running:
                    future.cancel()
        return entries

    def _one(self, unit: Unit) -> UnitEntry:
        try:
            entry = unit.carry_out(self.store, self.run_id)
        except KalshiError as error:
            log.warning("unit %s failed: %s", unit.unit_id, error)
            return failed_entry(unit, error)
        log.debug("unit %s landed: %s responses, %s rows", unit.unit_id, entry.responses, entry.rows)
        return entry

    def account(self, report: LandingReport, units: Sequence[Unit], entries: dict[str, UnitEntry]) -> LandingReport:
        """The report with what the units came to."""
        fetched = [entries[unit.unit_id] for unit in units if not unit.landed]
        return replace(
            report,
            planned=len(units),
            landed=sum(entry.state == "landed" for entry in fetched),
            resumed=len(units) - len(fetched),
            failed={entry.unit_id: entry.reason for entry in fetched if entry.state == "failed"},
            rows=sum(entry.rows for entry in entries.values()),
            file_bytes=sum(entry.bytes for entry in fetched),
            statistics=self.client.statistics - self.before,
            seconds=time.monotonic() - self.started,
        )


def failed_entry(unit: Unit, error: KalshiError) -> UnitEntry:
    """The entry of a unit that could not be fetched."""
    reason = f"not found: {error}" if isinstance(error, NotFound) else str(error)
    return UnitEntry(unit_id=unit.unit_id, context=unit.context, state="failed", reason=reason)
