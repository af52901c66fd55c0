"""Carrying out units of work, many at once, so that one that fails takes no other with it.

Not here: which units (``candles``, ``trades``, ``quotes``, ``reference``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import KalshiError
from kalshi_pipeline.exchange.statistics import Statistics
from kalshi_pipeline.landing.manifests import UnitEntry
from kalshi_pipeline.landing.report import LandingReport
from kalshi_pipeline.landing.store import LandingStore
from kalshi_pipeline.landing.units import Unit
from kalshi_pipeline.watching import say

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

    def landed(self, units: Sequence[Unit]) -> dict[str, UnitEntry]:
        """The units among these whose file is there, by identifier."""
        entries = ((unit.unit_id, self.store.entry(unit.path, unit.context)) for unit in units)
        return {unit_id: entry for unit_id, entry in entries if entry}

    def carry_out(self, units: Sequence[Unit]) -> dict[str, UnitEntry]:
        """Fetch the units, ``client.concurrency`` at once; every unit gets an entry, in the units' order.

        Whoever watches hears of each as it ends.

        A unit fails by an error of the exchange; its entry says why. Any other error ends the work: units that are
        whole by then stay.
        """
        entries: dict[str, UnitEntry] = {}
        todo = iter(units)
        with ThreadPoolExecutor(self.client.concurrency, thread_name_prefix="landing") as pool:
            running: dict[Future[UnitEntry], Unit] = {}
            try:
                while True:
                    for unit in islice(todo, 2 * self.client.concurrency - len(running)):
                        running[pool.submit(self._one, unit)] = unit
                    if not running:
                        return {unit.unit_id: entries[unit.unit_id] for unit in units}
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        entries[running.pop(future).unit_id] = future.result()
                    say(len(entries), len(units), "units")
            finally:
                for future in running:
                    future.cancel()

    def _one(self, unit: Unit) -> UnitEntry:
        try:
            entry = self.store.write(unit.path, unit.unit_id, self.run_id, unit.context, unit.fetch)
        except KalshiError as error:
            log.warning("unit %s failed: %s", unit.unit_id, error)
            return UnitEntry(unit_id=unit.unit_id, context=unit.context, state="failed", reason=str(error))
        log.debug("unit %s landed: %s responses, %s rows", unit.unit_id, entry.responses, entry.rows)
        return entry

    def account(
        self, report: LandingReport, resumed: Mapping[str, UnitEntry], fetched: Mapping[str, UnitEntry]
    ) -> LandingReport:
        """The report with what the units came to."""
        return replace(
            report,
            planned=len(resumed) + len(fetched),
            landed=sum(entry.state == "landed" for entry in fetched.values()),
            resumed=len(resumed),
            failed={entry.unit_id: entry.reason for entry in fetched.values() if entry.state == "failed"},
            rows=sum(entry.rows for entry in (*resumed.values(), *fetched.values())),
            file_bytes=sum(entry.bytes for entry in fetched.values()),
            statistics=self.client.statistics - self.before,
            seconds=time.monotonic() - self.started,
        )
