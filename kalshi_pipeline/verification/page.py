"""The verification as a page of Markdown: a dated sign-off per window, where the faults are, baseline, queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from kalshi_pipeline.verification.measures import BASELINE, baseline_sql
from kalshi_pipeline.verification.verify import Finding, Verdict, Verification, Window

#: Subjects with faults, or events without a bar, that are listed by name at most.
_LISTED = 10


def page(found: Verification, verified_at: datetime) -> str:
    """The page.

    Args:
        found: what was found.
        verified_at: when it was found.
    """
    until = found.observed_until.isoformat(timespec="minutes") if found.observed_until else "nothing was observed"
    lines = ["# Verification", "", f"Verified {verified_at:%Y-%m-%d %H:%M} UTC; data until {until}.", ""]
    for window in found.windows:
        lines += _window(found, window)
    lines += _baseline(found)
    lines += _queries(found)
    return "\n".join(lines) + "\n"


def sentence(found: Verification) -> str:
    """The verification in one sentence."""
    states = ", ".join(f"{window.name}: {found.signed_off(window)}" for window in found.windows)
    failed = ", ".join(sorted({finding.measure.name for finding in found.failed}))
    return f"{states}." + (f" Failed: {failed}." if failed else "")


def _window(found: Verification, window: Window) -> list[str]:
    lines = [
        f"## {window.name}: {window.first_day} to {window.last_day}: {found.signed_off(window)}",
        "",
        "| measure | a fault is | checked | faulty | share | limit | verdict |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [_row(finding) for finding in found.of(window)]
    faults = [
        f"- {finding.measure.name}: {', '.join(_worst(finding))}" for finding in found.of(window) if finding.faulty
    ]
    return [*lines, "", *(["Where the faults are:", "", *faults, ""] if faults else [])]


def _row(finding: Finding) -> str:
    share = "" if finding.share is None else f"{finding.share:.2%}"
    limit = f"{'below' if finding.measure.below else 'at most'} {finding.measure.limit:.1%}"
    verdict = str(finding.verdict) if finding.verdict is Verdict.PASSED else f"**{finding.verdict}**"
    return (
        f"| {finding.measure.name} | {finding.measure.says} | {finding.checked} | {finding.faulty} | {share} | {limit} "
        f"| {verdict} |"
    )


def _worst(finding: Finding) -> list[str]:
    return _listed([f"{subject} {faulty} of {checked}" for subject, checked, faulty in finding.subjects if faulty])


def _listed(names: Sequence[str]) -> list[str]:
    more = len(names) - _LISTED
    return [*names[:_LISTED], *([f"and {more} more"] if more > 0 else [])]


def _baseline(found: Verification) -> list[str]:
    lines = [
        "## Baseline",
        "",
        "| series | month | events | markets | with bars | bars | closed events without a bar |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {row['series_ticker']} | {row['month']:%Y-%m} | {row['events']} | {row['markets']} "
        f"| {row['markets_with_bars']} | {row['bars']} | {', '.join(_listed(row['events_without_bars']))} |"
        for row in found.baseline
    ]
    return [*lines, ""]


def _queries(found: Verification) -> list[str]:
    queries = {finding.measure.name: finding.measure.sql for finding in found.findings} | {BASELINE: baseline_sql()}
    return ["## Queries", "", *_blocks(queries.items())]


def _blocks(queries: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, sql in queries for line in (f"{name}:", "", "```sql", sql.strip(), "```", "")]
