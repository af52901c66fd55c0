"""How far the belief of a ladder moved since one lag before: the table of distances between its snapshots.

Arrow in, Arrow out. A snapshot that failed a gate has no distance, neither as the later nor as the earlier one; the row
is there all the same and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.arrow import numbers, timestamps, words
from kalshi_pipeline.distributions.common_cells import common_cuts, spread
from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.distributions.distances import jensen_shannon, kullback_leibler, wasserstein
from kalshi_pipeline.distributions.lags import LAGS, NONE, Lag, earlier
from kalshi_pipeline.distributions.method import METHOD_VERSION
from kalshi_pipeline.distributions.observations import floats, instants
from kalshi_pipeline.distributions.tables import DISTANCE_SCHEMA
from kalshi_pipeline.distributions.tails import TailRule, cell_shapes

#: Why a row has no distance.
REASONS = ("gated", "earlier_gated", "no_earlier_snapshot")

_SECOND = 1e6  # in microseconds


def distances(
    ladders: pa.Table,
    distributions: pa.Table,
    cells: pa.Table,
    days: Sequence[date],
    lags: Mapping[str, Lag] = LAGS,
) -> pa.Table:
    """Compare the snapshots of some days with those one lag before.

    Args:
        ladders: rows of ``research.ladders``.
        distributions: rows of ``research.implied_distributions`` of the days and of the longest lag and gap before
            them: ``ladder_id, asof, partition_date, event_ticker, series_ticker, hard_gate_failed, mean``.
        cells: rows of ``research.implied_cells`` of those that passed: ``ladder_id, asof, cell_index, high_cut,
            probability``.
        days: partition days to make rows for.
        lags: lags by name.

    Returns:
        One row per snapshot of the days and lag, sorted by ladder, instant and lag.

    Raises:
        ValueError: a snapshot that passed comes without its cells.
    """
    distributions = distributions.sort_by([("ladder_id", "ascending"), ("asof", "ascending")])
    names = distributions["ladder_id"].combine_chunks().dictionary_encode()
    ladder = np.asarray(names.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    asof = instants(distributions, "asof")
    passed = ~np.asarray(distributions["hard_gate_failed"].to_numpy(), dtype=np.bool_)
    wanted = np.flatnonzero(pc.is_in(distributions["partition_date"], pa.array(days, pa.date32())).to_numpy())
    beliefs = _Beliefs(ladders, names, ladder, asof, passed, cells)
    mean = floats(distributions, "mean")
    parts = []
    for code, lag in enumerate(lags.values()):
        before, gated = earlier(ladder, asof, passed, lag)
        before, gated = before[wanted], gated[wanted]
        compared = passed[wanted] & (before != NONE)
        measures = np.full((3, wanted.size), np.nan)
        measures[:, compared] = beliefs.measure(wanted[compared], before[compared])
        reason = np.select([~passed[wanted], compared, gated], [0, -1, 1], default=2)
        rows = distributions.take(pa.array(wanted))
        parts.append(
            pa.table(
                {
                    "ladder_id": rows["ladder_id"],
                    "asof": rows["asof"].cast(DISTANCE_SCHEMA.field("asof").type),
                    "lag": words(list(lags), np.full(wanted.size, code)),
                    "partition_date": rows["partition_date"],
                    "event_ticker": rows["event_ticker"],
                    "series_ticker": rows["series_ticker"],
                    "earlier_asof": timestamps(np.where(compared, asof[before], np.iinfo(np.int64).min)),
                    "gap_seconds": numbers(
                        (asof[wanted] - asof[before]) / _SECOND - 60.0 * lag.minutes, withheld=~compared
                    ),
                    "kl": numbers(measures[0]),
                    "js": numbers(measures[1]),
                    "wasserstein": numbers(measures[2]),
                    "mean_change": numbers(mean[wanted] - mean[before], withheld=~compared),
                    "reason": words(REASONS, reason),
                    "method_version": words([METHOD_VERSION], np.zeros_like(wanted)),
                },
                schema=DISTANCE_SCHEMA,
            )
        )
    made = pa.concat_tables(parts)
    return made.sort_by([("ladder_id", "ascending"), ("asof", "ascending"), ("lag", "ascending")])


class _Beliefs:
    """Masses of snapshots with their cuts; snapshots of one ladder with the same cuts share a state."""

    def __init__(
        self, ladders: pa.Table, names: pa.DictionaryArray, ladder: Ints, asof: Ints, passed: Bools, cells: pa.Table
    ) -> None:
        self._rules = _tail_rules(ladders, names.dictionary.to_pylist())
        self._ladder = ladder
        self._pointer, self._mass, cut = _cells_of(names, ladder, asof, passed, cells)
        states: dict[tuple[int, bytes], int] = {}
        self._cuts: list[Floats] = []
        self._state = np.full(ladder.size, -1, dtype=np.int64)
        for snapshot in np.flatnonzero(passed):
            cuts = cut[self._pointer[snapshot] : self._pointer[snapshot + 1] - 1]
            key = int(ladder[snapshot]), cuts.tobytes()
            if key not in states:
                states[key] = len(self._cuts)
                self._cuts.append(cuts)
            self._state[snapshot] = states[key]

    def measure(self, later: Ints, before: Ints) -> Floats:
        """KL, JS and Wasserstein-1 of pairs of snapshots, ``(3, pairs)``."""
        out = np.empty((3, later.size))
        pairs = np.column_stack([self._state[later], self._state[before]])
        kinds, kind_of = np.unique(pairs, axis=0, return_inverse=True)
        for kind, (now, then) in enumerate(kinds):
            which = np.flatnonzero(kind_of.ravel() == kind)
            rule = self._rules[self._ladder[later[which[0]]]]
            p, q = self._masses(later[which]), self._masses(before[which])
            cuts = self._cuts[now]
            if now != then:
                cuts = common_cuts(self._cuts[now], self._cuts[then], rule)
                p, q = p @ spread(self._cuts[now], cuts, rule), q @ spread(self._cuts[then], cuts, rule)
            out[0, which], out[1, which] = kullback_leibler(p, q), jensen_shannon(p, q)
            out[2, which] = wasserstein(p, q, cuts, cell_shapes(cuts, *rule))
        return out

    def _masses(self, snapshots: Ints) -> Floats:
        """Masses of snapshots of one state, a row each."""
        cells = self._pointer[snapshots[0] + 1] - self._pointer[snapshots[0]]
        return np.asarray(self._mass[self._pointer[snapshots][:, None] + np.arange(cells)])


def _tail_rules(ladders: pa.Table, names: Sequence[str]) -> list[TailRule]:
    columns = ("grid_step", "tail_ratio", "support_low", "support_high")
    rows: dict[str, dict[str, Any]] = {
        row["ladder_id"]: row for row in ladders.select(["ladder_id", *columns]).to_pylist()
    }
    missing = [name for name in names if name not in rows]
    if missing:
        raise ValueError(f"Snapshots of {missing[0]} are of a ladder that the ladders table does not hold.")
    return [TailRule(*(rows[name][column] for column in columns)) for name in names]


def _cells_of(
    names: pa.DictionaryArray, ladder: Ints, asof: Ints, passed: Bools, cells: pa.Table
) -> tuple[Ints, Floats, Floats]:
    """Where the cells of every snapshot begin (none of one that failed), their masses and upper cuts, flat."""
    cells = cells.sort_by([("ladder_id", "ascending"), ("asof", "ascending"), ("cell_index", "ascending")])
    owner = pc.index_in(cells["ladder_id"], value_set=names.dictionary)
    rank = np.asarray(pc.fill_null(owner, -1).to_numpy(), dtype=np.int64)
    instant = instants(cells, "asof")
    new = np.append(True, (rank[1:] != rank[:-1]) | (instant[1:] != instant[:-1])) if rank.size else rank.astype(bool)
    starts = np.flatnonzero(new)
    chosen = np.flatnonzero(passed)
    same = starts.size == chosen.size and bool(
        (rank[starts] == ladder[chosen]).all() and (instant[starts] == asof[chosen]).all()
    )
    if not same:
        raise ValueError("Snapshots and cells do not correspond: every snapshot that passed needs its cells, no other.")
    sizes = np.zeros(ladder.size, dtype=np.int64)
    sizes[chosen] = np.diff(np.append(starts, rank.size))
    return (
        np.concatenate(([0], np.cumsum(sizes))),
        floats(cells, "probability"),
        floats(cells, "high_cut"),
    )
