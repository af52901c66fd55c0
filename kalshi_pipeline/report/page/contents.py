"""From tables to what the page says, section by section: cards, maps, freshness, runs, folds.

Sections that judge forecasts are in ``judged``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from kalshi_pipeline.report.page.cards import Card, make_cards, moment
from kalshi_pipeline.report.page.heat import Calendar, Cell, heat, level
from kalshi_pipeline.report.page.judged import places, proofs, reliability, scorecard
from kalshi_pipeline.report.page.sections import Grid, Page, Section
from kalshi_pipeline.research.summary import Summary


def make_page(
    tables: Mapping[str, pa.Table],
    summary: Summary,
    freshness: Sequence[Mapping[str, Any]],
    *,
    source: str,
    made_at: datetime,
    proved: Mapping[str, Any] | None = None,
) -> Page:
    """Put the page together.

    Args:
        tables: as ``warehouse.report_tables`` reads them, by name.
        summary: the account of the warehouse.
        freshness: one mapping a dataset: ``dataset, days, rows, quarantined, newest_day, written_at``.
        source: the exchange the data come from.
        made_at: when the page is made, in UTC.
        proved: the record of the last proofs: ``proved_at, cuts, seed, proofs``; ``None`` where there is none.
    """
    snapshots, passed = summary.total("snapshots"), summary.total("passed")
    cards = make_cards(tables["snapshots"], tables["cells"], tables["paths"])
    headline = [
        ("markets", f"{summary.total('markets'):,}"),
        ("on a ladder", _share(summary.total("on a ladder"), summary.total("markets"))),
        ("snapshots", f"{snapshots:,}"),
        ("passed every gate", _share(passed, snapshots)),
        ("outcomes", f"{summary.total('outcomes'):,}"),
        ("folds", f"{sum(summary.folds.values()):,}"),
    ]
    sections = [
        _cards(
            "next",
            "Releases to come",
            "The release of every series that comes next: the probability of every value (bar), and how far quotes "
            "let it move (thin line).",
            [card for card in cards if card.role == "next"],
            "No release lies ahead of the latest snapshot, or none of its snapshots passed the gates.",
        ),
        _cards(
            "latest",
            "Latest outcomes",
            "The last belief before the release, beside what came true.",
            [card for card in cards if card.role == "latest"],
            "No release with an outcome has a snapshot that passed the gates yet.",
        ),
        _coverage(tables["coverage"]),
        _gates(tables["gates"]),
        _freshness(freshness),
        _runs(tables["runs"]),
        _folds(tables["folds"], summary),
        scorecard(tables.get("scores")),
        reliability(tables.get("reliability")),
        places(tables.get("pit")),
        proofs(proved),
        _markets(summary),
        _quarantine(tables["quarantine"]),
    ]
    return Page(source, moment(made_at), headline, sections)


def _cards(anchor: str, title: str, intro: str, cards: Sequence[Card], empty: str) -> Section:
    return Section(anchor, title, intro, empty="" if cards else empty, cards=cards)


def _coverage(table: pa.Table) -> Section:
    rows = table.to_pylist()
    counts = {(row["series_ticker"], row["day"]): (row["passed"], row["snapshots"]) for row in rows}

    def shade(name: str, head: str, sums: Sequence[int]) -> Cell:
        passed, taken = sums
        said = f"{name}, {head}: {passed:,} of {taken:,} snapshots passed"
        return Cell(level(passed / taken), f"{100 * passed / taken:.0f}", said)

    return _heat_section(
        "coverage",
        "Coverage",
        "Snapshots that passed every gate, in percent of those taken; darker is better, empty means none was taken.",
        counts,
        shade,
        "No snapshot has been computed yet.",
        names=sorted({row["series_ticker"] for row in rows}),
    )


def _gates(table: pa.Table) -> Section:
    rows = table.to_pylist()
    counts = {(row["reason"], row["day"]): (row["snapshots"],) for row in rows}
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["reason"]] = totals.get(row["reason"], 0) + row["snapshots"]
    calendar = Calendar.over([row["day"] for row in rows])
    sums: dict[tuple[str, date], int] = {}
    for row in rows:
        key = row["reason"], calendar.column(row["day"])
        sums[key] = sums.get(key, 0) + row["snapshots"]
    most = max(sums.values(), default=1)

    def shade(name: str, head: str, counted: Sequence[int]) -> Cell:
        said = f"{name}, {head}: {counted[0]:,} snapshots held back"
        return Cell(level(counted[0] / most), f"{counted[0]:,}", said)

    return _heat_section(
        "gates",
        "Why snapshots were held back",
        "Snapshots by gate; one can fail several. A snapshot that is held back has no moments, and its reasons stand "
        "in its row.",
        counts,
        shade,
        "Every snapshot passed every gate.",
        names=sorted(totals, key=lambda reason: (-totals[reason], reason)),
    )


def _heat_section(
    anchor: str,
    title: str,
    intro: str,
    counts: Mapping[tuple[str, date], Sequence[int]],
    shade: Any,
    empty: str,
    *,
    names: Sequence[str],
) -> Section:
    if not counts:
        return Section(anchor, title, intro, empty=empty)
    calendar = Calendar.over([day for _, day in counts])
    return Section(
        anchor, title, f"{intro} By {calendar.per}, in UTC.", heat=heat(counts, shade, names=names, calendar=calendar)
    )


def _freshness(freshness: Sequence[Mapping[str, Any]]) -> Section:
    rows = [
        [
            entry["dataset"],
            "" if entry["days"] is None else f"{entry['days']:,}",
            f"{entry['rows']:,}",
            f"{entry['quarantined']:,}",
            str(entry["newest_day"] or "none"),
            moment(entry["written_at"]),
        ]
        for entry in freshness
    ]
    heads = ["dataset", "days", "rows", "set aside", "newest day", "written"]
    return Section(
        "freshness",
        "Freshness",
        "The newest UTC day that holds rows, and when the dataset was last written.",
        grid=Grid(heads, rows, frozenset({1, 2, 3})),
    )


def _runs(table: pa.Table) -> Section:
    rows = [
        [
            moment(row["written_at"]),
            row["run_id"][:8],
            f"{row['first_day']}" if row["days"] == 1 else f"{row['first_day']} to {row['last_day']}",
            f"{row['rows']:,}",
            row["datasets"],
        ]
        for row in table.to_pylist()
    ]
    intro = "The latest runs that wrote days of data; the Dagster UI shows each under its identifier."
    if not rows:
        return Section("runs", "What ran", intro, empty="No run has written a day of data yet.")
    return Section(
        "runs", "What ran", intro, grid=Grid(["written", "run", "days", "rows", "datasets"], rows, frozenset({3}))
    )


def _folds(table: pa.Table, summary: Summary) -> Section:
    intro = "Walk-forward folds by pool of releases: a fold trains on what was known before its first test snapshot."
    rows = [
        [
            row["pool"],
            f"{row['folds']:,}",
            f"{row['least_train_groups']:,} to {row['most_train_groups']:,}" if row["folds"] else "",
            f"{row['tested_releases']:,}",
            f"{moment(row['first_test'])} to {moment(row['last_test'])}" if row["folds"] else row["not_built_reason"],
        ]
        for row in table.to_pylist()
    ]
    if not rows:
        return Section("folds", "Folds", intro, empty="No fold has been cut yet.")
    heads = ["pool", "folds", "training groups", "tested releases", "tested, or why not"]
    lines = list(summary.fold_sentences.values())
    return Section("folds", "Folds", intro, grid=Grid(heads, rows, frozenset({1, 3})), lines=lines)


def _markets(summary: Summary) -> Section:
    names = ("markets", "on a ladder", "ladders", "snapshots", "passed", "outcomes")
    rows = [[series, *(f"{counts[name]:,}" for name in names)] for series, counts in summary.by_series.items()]
    lines = [
        f"{off.count:,} markets on no ladder: {reason} (for example {', '.join(off.examples)})."
        for reason, off in summary.off_ladder.items()
    ]
    intro = "From markets to outcomes; every market is on a ladder or says why not."
    if not rows:
        return Section("series", "By series", intro, empty="No market has been taken in yet.")
    grid = Grid(["series", *names], rows, frozenset(range(1, 7)))
    return Section("series", "By series", intro, grid=grid, lines=lines)


def _quarantine(table: pa.Table) -> Section:
    intro = "Rows that did not hold their schema: set aside with their reason, and counted."
    rows = [[row["table_name"], row["reason"], f"{row['rows']:,}", moment(row["latest"])] for row in table.to_pylist()]
    if not rows:
        return Section("quarantine", "Faulty rows", intro, empty="No row has been set aside.")
    return Section(
        "quarantine", "Faulty rows", intro, grid=Grid(["table", "reason", "rows", "latest"], rows, frozenset({2}))
    )


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.1f} %)" if whole else f"{part:,}"
