"""From tables to what the page says: headline numbers, freshness, maps, cards, folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from kalshi_pipeline.report.page.cards import Card, make_cards, moment
from kalshi_pipeline.report.page.heat import Calendar, Cell, Heat, heat, level
from kalshi_pipeline.research.summary import Summary


@dataclass(frozen=True)
class Grid:
    """A plain table: heads, rows of texts, and which columns hold numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Section:
    """A part of the page: its heading, one sentence on how to read it, and what it shows.

    A section without anything to show says why in ``empty``.
    """

    anchor: str
    title: str
    intro: str
    empty: str = ""
    grid: Grid | None = None
    heat: Heat | None = None
    cards: Sequence[Card] = ()
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """Everything the template writes."""

    source: str
    made_at: str
    headline: Sequence[tuple[str, str]]
    sections: Sequence[Section]


def make_page(
    tables: Mapping[str, pa.Table],
    summary: Summary,
    freshness: Sequence[Mapping[str, Any]],
    *,
    source: str,
    made_at: datetime,
) -> Page:
    """Put the page together.

    Args:
        tables: as ``warehouse.report_tables`` reads them, by name.
        summary: the account of the warehouse.
        freshness: one mapping a dataset: ``dataset, days, rows, quarantined, newest_day, written_at``.
        source: the exchange the data come from.
        made_at: when the page is made, in UTC.
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
        _scores(tables.get("scores")),
        _calibration(tables.get("pit")),
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


def _scores(table: pa.Table | None) -> Section:
    intro = (
        "How forecasts a day before the release did: the mean over events, its 95 % interval, and the loss beyond the "
        "market's on the same events (above 0 the market was better)."
    )
    if table is None or not table.num_rows:
        return Section("scores", "Scorecard", intro, empty="Nothing has been scored yet.")
    rows = [
        [
            row["scope_value"],
            row["metric"],
            row["method"],
            _between(row["estimate"], row["estimate_low"], row["estimate_high"]),
            f"{row['n_events']:,}",
            _between(row["difference"], row["difference_low"], row["difference_high"]),
        ]
        for row in table.to_pylist()
    ]
    heads = ["over", "metric", "method", "mean [95 %]", "events", "beyond the market [95 %]"]
    return Section("scores", "Scorecard", intro, grid=Grid(heads, rows, frozenset({4})))


def _calibration(table: pa.Table | None) -> Section:
    intro = (
        "Where outcomes fell in the market's distribution a day before, by tenths of its probability. A well "
        "calibrated market has about as many in each."
    )
    if table is None or not table.num_rows:
        return Section("calibration", "Calibration", intro, empty="Nothing has been scored yet.")
    rows = [
        [
            f"{10 * row['tenth']} to {10 * row['tenth'] + 10}\u00a0%",
            f"{row['events']:.1f}",
            f"{row['of_events'] / 10:.1f}",
            "█" * round(20 * row["events"] / row["of_events"]),
        ]
        for row in table.to_pylist()
    ]
    heads = ["tenth", "events", "expected", "share"]
    return Section("calibration", "Calibration", intro, grid=Grid(heads, rows, frozenset({1, 2})))


def _between(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if low is None or high is None else f"{value:.3g} [{low:.3g}, {high:.3g}]"


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
