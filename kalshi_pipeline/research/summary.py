"""The account of a run: how much there is, what was held back and why, and what did not become part of a ladder.

Tables go in; a structured account with a text rendering comes out. Reading the tables is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import require

#: Tickers shown for each reason a market is on no ladder; the rest is in ``research.ladder_legs``.
_EXAMPLES = 3

_COUNTED = ("markets", "on a ladder", "ladders", "snapshots", "passed", "outcomes")


@dataclass(frozen=True)
class OffLadder:
    """Markets that share a reason for being on no ladder: how many, and a few of their tickers."""

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """What a warehouse holds.

    Attributes:
        rows: number of rows by table.
        by_series: for each series the number of markets, of those on a ladder, of ladders, snapshots, snapshots that
            passed every gate, and ladders with an outcome.
        gated: snapshots held back by gate; a snapshot can fail several.
        off_ladder: markets on no ladder, by reason.
        folds: walk-forward folds built, by pool.
        fold_sentences: what came of each pool, for people.
    """

    rows: Mapping[str, int]
    by_series: Mapping[str, Mapping[str, int]]
    gated: Mapping[str, int]
    off_ladder: Mapping[str, OffLadder]
    folds: Mapping[str, int]
    fold_sentences: Mapping[str, str]

    def total(self, counted: str) -> int:
        """Sum over the series of one of the counts of ``by_series``."""
        return sum(counts[counted] for counts in self.by_series.values())

    def text(self) -> str:
        """The account as plain text."""
        return "\n\n".join([self._rows(), self._series(), self._gated(), self._off_ladder(), self._folds()])

    def _rows(self) -> str:
        return _block("Rows per table", _aligned((name, f"{count:,}") for name, count in self.rows.items()))

    def _series(self) -> str:
        lines: list[tuple[str, ...]] = [("series", *_COUNTED)]
        lines += [(name, *(f"{counts[key]:,}" for key in _COUNTED)) for name, counts in self.by_series.items()]
        lines.append(("all", *(f"{self.total(key):,}" for key in _COUNTED)))
        return _block("From markets to outcomes, by series", _aligned(lines))

    def _gated(self) -> str:
        snapshots, passed = self.total("snapshots"), self.total("passed")
        if not snapshots:
            return _block("Snapshots: none")
        title = f"Snapshots: {snapshots:,}, of which {passed:,} passed every gate and {snapshots - passed:,} did not"
        rows = [(reason, f"{count:,}") for reason, count in self.gated.items()]
        return _block(f"{title} (one can fail several gates)" if rows else title, _aligned(rows))

    def _off_ladder(self) -> str:
        markets = self.total("markets")
        count = markets - self.total("on a ladder")
        rows = [
            (reason, f"{off.count:,}", "for example " + ", ".join(off.examples))
            for reason, off in self.off_ladder.items()
        ]
        return _block(f"Markets on no ladder: {count:,} of {markets:,}", _aligned(rows))

    def _folds(self) -> str:
        built = sum(self.folds.values())
        return _block(f"Walk-forward folds: {built}", list(self.fold_sentences.values()))


def summarise(
    *,
    rows: Mapping[str, int],
    ladders: pa.Table,
    legs: pa.Table,
    distributions: pa.Table,
    labels: pa.Table,
    folds: pa.Table,
    fold_sentences: Mapping[str, str],
) -> Summary:
    """Make the account from the tables.

    Args:
        rows: number of rows by table, in the order they are to be shown.
        ladders: ``research.ladders``: ``series_ticker``.
        legs: ``research.ladder_legs``: ``ticker, series_ticker, ladder_id, reason``.
        distributions: ``research.implied_distributions``: ``series_ticker, hard_gate_failed, gate_reasons``.
        labels: ``research.event_labels``: ``series_ticker, has_label``.
        folds: ``research.walkforward_folds``: ``pool, fold_id, role``.
        fold_sentences: by pool, from ``build_folds``.

    Raises:
        ValueError: a column is missing.
    """
    require(ladders, ("series_ticker",), "The ladders table")
    require(legs, ("ticker", "series_ticker", "ladder_id", "reason"), "The ladder legs table")
    require(distributions, ("series_ticker", "hard_gate_failed", "gate_reasons"), "The distributions table")
    require(labels, ("series_ticker", "has_label"), "The labels table")
    require(folds, ("pool", "fold_id", "role"), "The folds table")
    passed = distributions.filter(pc.invert(distributions["hard_gate_failed"]))
    on_ladder = legs.filter(pc.is_valid(legs["ladder_id"]))
    counts = {
        "markets": _tally(legs["series_ticker"]),
        "on a ladder": _tally(on_ladder["series_ticker"]),
        "ladders": _tally(ladders["series_ticker"]),
        "snapshots": _tally(distributions["series_ticker"]),
        "passed": _tally(passed["series_ticker"]),
        "outcomes": _tally(labels.filter(labels["has_label"])["series_ticker"]),
    }
    names = sorted(set().union(*counts.values()))
    built = folds.filter(pc.not_equal(folds["role"], "not_built"))
    by_pool = built.group_by("pool").aggregate([("fold_id", "count_distinct")])
    built_by_pool = dict(zip(by_pool["pool"].to_pylist(), by_pool["fold_id_count_distinct"].to_pylist(), strict=True))
    return Summary(
        rows=dict(rows),
        by_series={name: {key: counts[key].get(name, 0) for key in _COUNTED} for name in names},
        gated=_tally(pc.list_flatten(distributions["gate_reasons"])),
        off_ladder=_off_ladder(legs.filter(pc.is_null(legs["ladder_id"]))),
        folds=dict.fromkeys(fold_sentences, 0) | built_by_pool,
        fold_sentences=dict(fold_sentences),
    )


def _tally(values: pa.ChunkedArray) -> dict[str, int]:
    """How often each value occurs, the most frequent first."""
    counted = [(item["values"].as_py(), item["counts"].as_py()) for item in values.value_counts()]
    return dict(sorted(counted, key=lambda item: (-item[1], str(item[0]))))


def _off_ladder(legs: pa.Table) -> dict[str, OffLadder]:
    reasons = pc.fill_null(legs["reason"], "no reason recorded")
    found = {}
    for reason, count in _tally(reasons).items():
        tickers = sorted(legs.filter(pc.equal(reasons, reason))["ticker"].to_pylist())
        found[reason] = OffLadder(count, tuple(tickers[:_EXAMPLES]))
    return found


def _block(title: str, lines: Iterable[str] = ()) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows as lines: the first column and words to the left, numbers to the right."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        if row[-1].startswith("for example"):
            cells[-1] = row[-1]
        lines.append("  ".join(cells).rstrip())
    return lines
