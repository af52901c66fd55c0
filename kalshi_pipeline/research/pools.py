"""The labelled releases of one fold scheme, in groups, in order of time.

This is the ground folds are cut on: how many groups there are, when the features of each begin and when its labels
were known. Which group trains for which is decided in ``folds``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import Instants, instants, timestamps
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.horizons import horizon_instants

#: Name of the single pool when release types are pooled.
ALL = "ALL"

_NAT = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Pool:
    """Release groups of one scheme; arrays have one entry per group.

    Attributes:
        name: release type, or ``ALL``.
        releases: one row per labelled release, ordered by ``group_number``.
        offsets: row of ``releases`` at which each group begins, and their number at the end.
        first_asof: earliest horizon instant of the group.
        learned_at: when the last label of the group was known.
        purge: time that must lie between a training label and the first test features.
        unlabelled: releases of the pool without a label.
    """

    name: str
    releases: pa.Table
    offsets: npt.NDArray[np.int64]
    first_asof: Instants
    learned_at: Instants
    purge: np.timedelta64
    unlabelled: int

    @property
    def size(self) -> int:
        """Number of groups."""
        return len(self.first_asof)


def build_pools(labels: pa.Table, rules: FoldRules) -> Iterator[Pool]:
    """Gather labels into releases, releases into groups and groups into pools, in order of the pools' names.

    A release is known when the last of its ladders' labels is, and its features begin with the first of its ladders'
    horizon instants; a ladder that has none (it opened too late) gives no features and stands at its anchor.
    """
    releases = _releases(labels, rules)
    pools = pa.array([ALL] * len(releases), type=pa.string()) if rules.pooled else releases["release_type"]
    for name in sorted(pc.unique(pools).to_pylist()):
        members = releases.filter(pc.equal(pools, name))
        labelled = members.filter(members["has_label"])
        yield _pool(name, labelled, len(members) - len(labelled), rules)


def _releases(labels: pa.Table, rules: FoldRules) -> pa.Table:
    asof = horizon_instants(labels, rules.horizons_minutes)
    anchor = instants(labels, "anchor_ts")
    first = np.fmin.reduce(asof, axis=1, initial=_NAT)
    first = np.where(np.isnat(first), anchor, first)
    labelled = labels["has_label"].to_numpy()
    keys = ["release_id", "release_type", "release_group"]
    columns = {
        "has_label": (labels["has_label"], "any"),
        "anchor_ts": (timestamps(anchor), "min"),
        "first_asof": (timestamps(np.where(labelled, first, _NAT)), "min"),
        "learned_at": (timestamps(np.where(labelled, instants(labels, "learned_at"), _NAT)), "max"),
    }
    ladders = labels.select(keys)
    for name, (values, _) in columns.items():
        ladders = ladders.append_column(name, values)
    releases = ladders.group_by(keys, use_threads=False).aggregate([(name, how) for name, (_, how) in columns.items()])
    return releases.rename_columns([*keys, *columns])


def _pool(name: str, releases: pa.Table, unlabelled: int, rules: FoldRules) -> Pool:
    number = _group_numbers(releases)
    order = np.lexsort((np.array(releases["release_id"].to_pylist(), dtype=str), number))
    number = number[order]
    releases = releases.take(pa.array(order)).append_column("group_number", pa.array(number, type=pa.int32()))
    offsets = np.searchsorted(number, np.arange(number.max(initial=-1) + 2))
    purges = [rules.purge(kind) for kind in releases["release_type"].unique().to_pylist()]
    return Pool(
        name=name,
        releases=releases,
        offsets=offsets,
        first_asof=np.minimum.reduceat(instants(releases, "first_asof"), offsets[:-1]),
        learned_at=np.maximum.reduceat(instants(releases, "learned_at"), offsets[:-1]),
        purge=max(purges, default=np.timedelta64(0, "us")),
        unlabelled=unlabelled,
    )


def _group_numbers(releases: pa.Table) -> npt.NDArray[np.int64]:
    """Number the release groups by their earliest anchor.

    Groups of different types at one instant share a number: in a pooled scheme neither may train for the other.
    """
    keys = list(zip(releases["release_type"].to_pylist(), releases["release_group"].to_pylist(), strict=True))
    earliest: dict[tuple[str, str], np.datetime64] = {}
    for key, anchor in zip(keys, instants(releases, "anchor_ts"), strict=True):
        earliest[key] = min(earliest.get(key, anchor), anchor)
    when = np.array([earliest[key] for key in keys], dtype="datetime64[us]")
    return np.unique(when, return_inverse=True)[1].astype(np.int64)
