"""What a landing did, in numbers and sentences, and the error that names what it could not do.

Not here: the work (``working``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kalshi_pipeline.exchange.statistics import Statistics

_NAMED = 5


@dataclass(frozen=True)
class LandingReport:
    """The account of one landing.

    Attributes:
        dataset: what was landed.
        planned: units that the partitions consist of.
        landed: units fetched by this run.
        resumed: units that had landed before and were not fetched again.
        failed: units that could not be fetched, with the reason.
        partitions: partitions that were asked for.
        skipped: partitions that were complete before, so that nothing was planned for them.
        incomplete: partitions that are still incomplete, with the reason.
        rows: rows in the units of the partitions, duplicates included.
        file_bytes: size of the files fetched by this run.
        statistics: what the client did for it.
        seconds: how long it took.
    """

    dataset: str
    planned: int = 0
    landed: int = 0
    resumed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    partitions: int = 0
    skipped: int = 0
    incomplete: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    file_bytes: int = 0
    statistics: Statistics = field(default_factory=Statistics)
    seconds: float = 0.0

    def as_metadata(self) -> dict[str, Any]:
        """The report as flat entries, times in milliseconds where they are latencies."""
        done = self.statistics
        p50, p95 = done.latency(0.50), done.latency(0.95)
        return {
            "units_planned": self.planned,
            "units_landed": self.landed,
            "units_resumed": self.resumed,
            "units_failed": len(self.failed),
            "partitions": self.partitions,
            "partitions_complete_before": self.skipped,
            "partitions_incomplete": len(self.incomplete),
            "reasons": "; ".join(dict.fromkeys([*self.incomplete.values(), *self.failed.values()])) or None,
            "rows": self.rows,
            "file_bytes": self.file_bytes,
            "requests": done.requests,
            "retries": done.retries,
            "throttled": done.throttled,
            "response_bytes": done.bytes,
            "latency_p50_ms": None if p50 is None else round(p50 * 1000, 1),
            "latency_p95_ms": None if p95 is None else round(p95 * 1000, 1),
            "requests_per_second": round(done.requests / self.seconds, 1) if self.seconds else None,
            "seconds": round(self.seconds, 2),
        }


class LandingFailed(Exception):
    """Some units could not be fetched; everything else has landed and stays.

    Attributes:
        report: what was done.
    """

    def __init__(self, report: LandingReport, message: str | None = None) -> None:
        self.report = report
        super().__init__(message or _sentence(report))


class UnknownSeries(LandingFailed):
    """The universe names series that the exchange does not list."""

    def __init__(self, report: LandingReport, unknown: list[str]) -> None:
        self.unknown = unknown
        names = ", ".join(unknown)
        verb = "is" if len(unknown) == 1 else "are"
        super().__init__(
            report,
            f"{names} {verb} not listed by the exchange; correct the universe (KALSHI_UNIVERSE), which takes series "
            "tickers such as KXCPI, or choose a source that lists them.",
        )


def _sentence(report: LandingReport) -> str:
    named = [f"{unit} ({reason})" for unit, reason in list(report.failed.items())[:_NAMED]]
    more = f" and {len(report.failed) - _NAMED} more" if len(report.failed) > _NAMED else ""
    return (
        f"{len(report.failed)} of {report.planned} units of {report.dataset} could not be fetched: {'; '.join(named)}"
        f"{more}. The others have landed: run the same partitions again and only these are fetched."
    )
