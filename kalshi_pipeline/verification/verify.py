"""Runs the measures over windows of days and judges them. Reads only: it is given a connection that cannot write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import duckdb

from kalshi_pipeline.verification.measures import MEASURES, Measure, baseline_sql

#: First day of the baseline.
BASELINE_FROM = date(2023, 1, 1)

#: The window that a verification always covers, besides the last days before the end of the data.
FIXED_WINDOW = (date(2025, 9, 29), date(2025, 11, 27))
LAST_DAYS = 60

#: A row where the models that the measures read are there: the last of them to be built.
_BUILT = """
select 1 from duckdb_functions() where schema_name = 'health' and function_name = 'decision_times_between'
"""


class WindowError(ValueError):
    """What was given is no window of days; the message says how to write one."""


class NothingToVerify(RuntimeError):
    """The tables that the measures read have not been built yet; the message names the remedy."""


class Verdict(StrEnum):
    """How a measure came out in a window."""

    PASSED = "passed"
    FAILED = "failed"
    NO_DATA = "no data"


@dataclass(frozen=True)
class Window:
    """Days that are verified together, both ends included."""

    name: str
    first_day: date
    last_day: date

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read a window like ``2025-09-29/2025-11-27``; it is named after itself.

        Raises:
            WindowError: the text is not two days with a slash between, the first not after the last.
        """
        first, _, last = text.partition("/")
        try:
            window = cls(text, date.fromisoformat(first), date.fromisoformat(last))
        except ValueError:
            raise WindowError(f"{text!r} is no window; write it like 2025-09-29/2025-11-27.") from None
        if window.first_day > window.last_day:
            raise WindowError(f"The window {text!r} ends before it begins.")
        return window


@dataclass(frozen=True)
class Finding:
    """How one measure came out in one window.

    Attributes:
        checked, faulty: things looked at, and faulty ones.
        subjects: the same by subject (mostly series), faulty ones first.
    """

    measure: Measure
    window: Window
    checked: int
    faulty: int
    subjects: tuple[tuple[str, int, int], ...]

    @property
    def share(self) -> float | None:
        """Share of faults; ``None`` where there was nothing to check."""
        return self.faulty / self.checked if self.checked else None

    @property
    def verdict(self) -> Verdict:
        """Whether it passes. Nothing to check is no pass."""
        if not self.checked:
            return Verdict.NO_DATA
        return Verdict.PASSED if self.measure.passes(self.checked, self.faulty) else Verdict.FAILED


@dataclass(frozen=True)
class Verification:
    """Everything one verification found.

    Attributes:
        findings: by window and measure.
        baseline: what there is, by series and month (see ``baseline_by_month.sql``).
        observed_until: end of the last bar; ``None`` without bars.
    """

    findings: tuple[Finding, ...]
    baseline: tuple[dict[str, Any], ...]
    observed_until: datetime | None

    def of(self, window: Window) -> tuple[Finding, ...]:
        """The findings of a window."""
        return tuple(finding for finding in self.findings if finding.window == window)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows, in order."""
        return tuple(dict.fromkeys(finding.window for finding in self.findings))

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What failed anywhere."""
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.FAILED)

    def signed_off(self, window: Window) -> Verdict:
        """Whether the window can be relied on: nothing failed, and what has to be there was there to check."""
        verdicts = [(finding.verdict, finding.measure.needed) for finding in self.of(window)]
        if any(verdict is Verdict.FAILED for verdict, _ in verdicts):
            return Verdict.FAILED
        if any(verdict is Verdict.NO_DATA and needed for verdict, needed in verdicts):
            return Verdict.NO_DATA
        return Verdict.PASSED


def default_windows(observed_until: datetime | None) -> tuple[Window, ...]:
    """The fixed window, and the last 60 days of what was observed."""
    fixed = Window("fixed", *FIXED_WINDOW)
    if observed_until is None:
        return (fixed,)
    last = observed_until.date()
    return fixed, Window(f"last {LAST_DAYS} days", last - timedelta(days=LAST_DAYS - 1), last)


def verify(
    con: duckdb.DuckDBPyConnection,
    windows: Sequence[Window] = (),
    *,
    target: int,
    measures: Sequence[Measure] = MEASURES,
) -> Verification:
    """Measure the windows.

    Args:
        con: a read-only connection to a warehouse of this code's schema.
        windows: days to verify; empty takes :func:`default_windows`.
        target: schema version of the code.
        measures: what to measure.

    Raises:
        NothingToVerify: no day of bars has gone through the models yet.
    """
    if not con.execute(_BUILT).fetchall():
        raise NothingToVerify("Nothing to verify yet: fill some days first, with `kalshi-pipeline backfill`.")
    observed_until = con.execute("select max(available_ts) from marts.candles").fetchall()[0][0]
    findings = [
        _found(con, measure, window, target)
        for window in windows or default_windows(observed_until)
        for measure in measures
    ]
    baseline = con.execute(baseline_sql(), {"first_day": BASELINE_FROM})
    names = [column[0] for column in baseline.description]
    return Verification(
        tuple(findings), tuple(dict(zip(names, row, strict=True)) for row in baseline.fetchall()), observed_until
    )


def _found(con: duckdb.DuckDBPyConnection, measure: Measure, window: Window, target: int) -> Finding:
    given = {"first_day": window.first_day, "last_day": window.last_day, "target": target}
    sql = measure.sql
    rows = con.execute(sql, {name: value for name, value in given.items() if f"${name}" in sql}).fetchall()
    subjects = sorted(((str(subject), int(checked), int(faulty)) for subject, checked, faulty in rows), key=_worst)
    return Finding(
        measure,
        window,
        sum(checked for _, checked, _ in subjects),
        sum(faulty for *_, faulty in subjects),
        tuple(subjects),
    )


def _worst(subject: tuple[str, int, int]) -> tuple[int, str]:
    return -subject[2], subject[0]
