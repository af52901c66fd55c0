"""From a world to results: the steps of production, each of which can be replaced, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.changes import distances
from kalshi_pipeline.distributions.lags import LAGS, Lag
from kalshi_pipeline.distributions.snapshots import SnapshotTables, compute
from kalshi_pipeline.research.baselines import CLIMATOLOGY_RELEASES
from kalshi_pipeline.research.columns import timestamps
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.folds import Folds, build_folds
from kalshi_pipeline.research.history import History, known_labels
from kalshi_pipeline.research.horizons import horizon_instants
from kalshi_pipeline.research.labels import build_labels
from kalshi_pipeline.research.panel import ACTIVITY_HOURS, build_panel
from kalshi_pipeline.research.proofs.joins import quote_activity, quotes_as_of
from kalshi_pipeline.research.proofs.world import World

#: Production's lags without a greatest gap: only horizons are rebuilt, and they lie further apart than the gaps reach.
_LAGS = {name: Lag(lag.minutes, 366 * 1440) for name, lag in LAGS.items()}


def compare_snapshots(ladders: pa.Table, made: SnapshotTables) -> pa.Table:
    """How far every snapshot is from the earlier one of each lag, as production measures it."""
    passed = made.distributions.filter(pc.invert(made.distributions["hard_gate_failed"])).select(["ladder_id", "asof"])
    cells = made.cells.join(passed, ["ladder_id", "asof"], join_type="left semi")
    days = pc.unique(made.distributions["partition_date"]).to_pylist()
    return distances(ladders, made.distributions, cells, days, _LAGS)


@dataclass(frozen=True)
class Steps:
    """What production does with a world, step by step.

    Attributes:
        join: the latest quote of every expected leg at every instant.
        measure: quotes to distributions.
        activity: changes of quotes before every instant.
        compare: snapshots to distances between them.
        gather: distributions to the event panel.
        label: releases and outcomes to labels.
        remember: earlier outcomes that were known at an instant.
        cut: labels to folds.
    """

    join: Callable[[World, pa.Table], pa.Table] = quotes_as_of
    measure: Callable[[pa.Table, pa.Table, pa.Table], SnapshotTables] = compute
    activity: Callable[[World, pa.Table, int], pa.Table] = quote_activity
    compare: Callable[[pa.Table, SnapshotTables], pa.Table] = compare_snapshots
    gather: Callable[[pa.Table, pa.Table, pa.Table, pa.Table, Sequence[int]], pa.Table] = build_panel
    label: Callable[[pa.Table, pa.Table, pa.Table], pa.Table] = build_labels
    remember: Callable[[pa.Table, pa.Table, int], History] = known_labels
    cut: Callable[[pa.Table, FoldRules], Folds] = build_folds
    rules: FoldRules = field(default_factory=lambda: FoldRules((10_080, 1_440, 240, 60, 15, 5)))


class Built(NamedTuple):
    """Results, each with the instant up to which it may have looked.

    Attributes:
        distributions: by ladder and ``asof``.
        cells: by ladder, ``asof`` and cell.
        panel: by ladder and horizon; ``asof``.
        memory: what the baselines remember, by ladder and horizon; ``asof``.
        labels: labels with the moment they were learned.
    """

    distributions: pa.Table
    cells: pa.Table
    panel: pa.Table
    memory: pa.Table
    labels: pa.Table


#: Which columns tell the rows of a result apart, and which says up to when it may have looked.
KEYS = {
    "distributions": (("ladder_id", "asof"), "asof"),
    "cells": (("ladder_id", "asof", "cell_index"), "asof"),
    "panel": (("ladder_id", "horizon_minutes"), "asof"),
    "memory": (("ladder_id", "horizon_minutes"), "asof"),
    "labels": (("ladder_id",), "learned_at"),
}
#: Of a label only this is final once it is learned; revisions may still come.
_FINAL = ("ladder_id", "has_label", "label_value", "label_mode", "learned_at", "first_print_value")


def rebuild(world: World, ladders: pa.Array, steps: Steps) -> Built:
    """Build the results of some ladders at all of their horizons, and all labels.

    Args:
        world: what to build from.
        ladders: the ladders looked at.
        steps: how.
    """
    own = world.of_ladders(ladders)
    wanted = _instants(own.releases, steps.rules.horizons_minutes)
    made = steps.measure(own.ladders, own.legs, steps.join(own, wanted))
    activity = steps.activity(own, wanted, ACTIVITY_HOURS)
    labels = steps.label(world.releases, world.outcomes, world.first_prints)
    moved = steps.compare(own.ladders, made)
    panel = steps.gather(own.releases, made.distributions, activity, moved, steps.rules.horizons_minutes)
    return Built(made.distributions, made.cells, panel, _memory(panel, labels, steps), _final(labels))


def _instants(releases: pa.Table, horizons: Sequence[int]) -> pa.Table:
    asof = horizon_instants(releases, horizons)
    row, column = np.nonzero(~np.isnat(asof))
    return pa.table(
        {
            "ladder_id": releases["ladder_id"].take(pa.array(row)),
            "asof": timestamps(asof[row, column]),
            "snapshot_kind": pa.array(["horizon"] * len(row), pa.string()),
        }
    )


def _memory(panel: pa.Table, labels: pa.Table, steps: Steps) -> pa.Table:
    """No change and climatology of every row of the panel, as means of what is remembered."""
    queries = panel.select(["series_ticker", "asof", "anchor_ts"])
    value = labels["label_value"].to_numpy()
    columns = {name: panel[name] for name in ("ladder_id", "horizon_minutes", "asof")}
    for name, window in (("no_change", 1), ("climatology", CLIMATOLOGY_RELEASES)):
        pointer, row = steps.remember(labels, queries, window)
        owner = np.repeat(np.arange(len(queries)), np.diff(pointer))
        count = np.bincount(owner, minlength=len(queries))
        total = np.bincount(owner, value[row], minlength=len(queries))
        mean = np.divide(total, count, out=np.full(len(queries), np.nan), where=count > 0)
        columns[name] = pa.array(mean, mask=count == 0)
    return pa.table(columns)


def _final(labels: pa.Table) -> pa.Table:
    return labels.filter(pc.is_valid(labels["learned_at"])).select(list(_FINAL))
