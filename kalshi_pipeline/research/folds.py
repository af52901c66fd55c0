"""Walk-forward folds: which releases a model may train on before it is tested on later ones.

A fold tests on a block of release groups and trains on earlier groups whose labels were known long enough before the
block's first features were taken. Purging separates training from test and never moves a feature. How releases become
groups is in ``pools``; fitting models is not done here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kalshi_pipeline.research.columns import TIMESTAMP, moment, require
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.fold_sentences import fold_sentence
from kalshi_pipeline.research.pools import Pool, build_pools

__all__ = ["FOLD_SCHEMA", "FoldRules", "Folds", "build_folds"]

_FOLD = {"fold_id": pa.string(), "pool": pa.string(), "fold_number": pa.int32()}
_RELEASE = {
    "release_id": pa.string(),
    "release_type": pa.string(),
    "release_group": pa.string(),
    "group_number": pa.int32(),
    "first_asof": TIMESTAMP,
    "learned_at": TIMESTAMP,
}
_ROLE = {"role": pa.string(), "is_train": pa.bool_()}
_DETAILS = {
    "t_fold": TIMESTAMP,
    "train_groups": pa.int32(),
    "purged_groups": pa.int32(),
    "embargoed_groups": pa.int32(),
    "test_groups": pa.int32(),
    "planned_gap_groups": pa.int32(),
    "actual_gap_groups": pa.int32(),
    "planned_gap_seconds": pa.float64(),
    "actual_gap_seconds": pa.float64(),
    "inner_t_fold": TIMESTAMP,
    "inner_planned_gap_groups": pa.int32(),
    "inner_actual_gap_groups": pa.int32(),
    "inner_planned_gap_seconds": pa.float64(),
    "inner_actual_gap_seconds": pa.float64(),
    "inner_fallback_reason": pa.string(),
    "not_built_reason": pa.string(),
}
FOLD_SCHEMA = pa.schema({**_FOLD, **_RELEASE, **_ROLE, **_DETAILS})

_ROLES = pa.array(["train", "inner_train", "inner_purged", "inner_val", "purged", "embargoed", "test", "not_built"])
_TRAIN, _INNER_TRAIN, _INNER_PURGED, _INNER_VAL, _PURGED, _EMBARGOED, _TEST, _NOT_BUILT = range(len(_ROLES))

_READ = ("release_id", "release_type", "release_group", "has_label", "learned_at", "anchor_ts")
_SPAN = ("open_time", "close_time", "known_at")

_Groups = npt.NDArray[np.int64]
_RoleCodes = npt.NDArray[np.int8]


class Folds(NamedTuple):
    """Folds as rows, and one sentence per pool for people."""

    table: pa.Table
    sentences: dict[str, str]


class _Rows(NamedTuple):
    """Releases of one fold, as rows of the pool's table, and the role of each."""

    releases: npt.NDArray[np.int64]
    roles: _RoleCodes


class _Gap(NamedTuple):
    """What the rule leaves of some candidate groups."""

    kept: _Groups
    purged: _Groups
    embargoed: _Groups


def build_folds(labels: pa.Table, rules: FoldRules) -> Folds:
    """Cut walk-forward folds, one pool per release type (or one for all).

    The first test block begins at the earliest group before which enough groups can be trained on; further blocks
    follow at every step. A block that reaches beyond the last group, or is left with too few training groups, gives
    one row that says so. Releases without a label are in no fold and are counted in the sentence.

    Args:
        labels: rows of ``research.event_labels``.
        rules: how to cut.

    Returns:
        The rows, as :data:`FOLD_SCHEMA`, ordered by pool, fold, group and release; and one sentence per pool, those
        without a fold included.

    Raises:
        ValueError: a column is missing.
    """
    require(labels, (*_READ, *_SPAN), "The labels table")
    tables, sentences = [FOLD_SCHEMA.empty_table()], {}
    for pool in build_pools(labels, rules):
        folds, rows = _cut(pool, rules)
        sentences[pool.name] = fold_sentence(pool, folds, rules)
        tables.append(_table(pool, folds, rows))
    return Folds(pa.concat_tables(tables), sentences)


def _cut(pool: Pool, rules: FoldRules) -> tuple[list[dict[str, Any]], list[_Rows]]:
    """Every fold of a pool: its columns, and its releases with their roles."""
    folds: list[dict[str, Any]] = []
    rows: list[_Rows] = []
    members = np.diff(pool.offsets)
    for start in _starts(pool, rules):
        fold, roles = _fold(pool, start, rules)
        folds.append({"fold_id": f"{pool.name}-{len(folds):03d}", "pool": pool.name, "fold_number": len(folds), **fold})
        if fold["not_built_reason"]:
            rows.append(_Rows(pool.offsets[start : start + 1], np.array([_NOT_BUILT], dtype=np.int8)))
        else:
            roles = np.repeat(roles, members[: len(roles)])
            rows.append(_Rows(np.arange(len(roles)), roles))
    return folds, rows


def _starts(pool: Pool, rules: FoldRules) -> Iterator[int]:
    """The groups at which test blocks begin; the last of them may lack groups to test on."""
    first = _first_start(pool, rules)
    if first is not None:
        for start in range(first, pool.size, rules.step_groups):
            yield start
            if start + rules.test_groups >= pool.size:
                return


def _first_start(pool: Pool, rules: FoldRules) -> int | None:
    """The earliest group a test block can begin with, or none."""
    for start in range(rules.min_train_groups + rules.embargo_events, pool.size):
        if len(_outer_gap(pool, start, rules)[1].kept) >= rules.min_train_groups:
            return start
    return None


def _outer_gap(pool: Pool, start: int, rules: FoldRules) -> tuple[np.datetime64, _Gap]:
    t_fold = pool.first_asof[start : start + rules.test_groups].min()
    return t_fold, _gap(pool, np.arange(start), t_fold, rules.embargo_events)


def _gap(pool: Pool, candidates: _Groups, instant: np.datetime64, embargo: int) -> _Gap:
    """Purge the groups whose labels were not known early enough, then drop the last ``embargo`` of what remains."""
    known = pool.learned_at[candidates] + pool.purge <= instant
    allowed = candidates[known]
    end = max(len(allowed) - embargo, 0)
    return _Gap(kept=allowed[:end], purged=candidates[~known], embargoed=allowed[end:])


def _fold(pool: Pool, start: int, rules: FoldRules) -> tuple[dict[str, Any], _RoleCodes]:
    stop = min(start + rules.test_groups, pool.size)
    t_fold, gap = _outer_gap(pool, start, rules)
    reason = None
    if stop - start < rules.test_groups:
        reason = f"only {stop - start} of {rules.test_groups} release groups to test on"
    elif len(gap.kept) < rules.min_train_groups:
        reason = f"only {len(gap.kept)} of {rules.min_train_groups} release groups to train on"
    inner, inner_roles = _inner_split(pool, gap.kept, rules)
    roles = np.full(stop, _TEST, dtype=np.int8)
    roles[gap.purged], roles[gap.embargoed], roles[gap.kept] = _PURGED, _EMBARGOED, inner_roles
    columns = {
        "t_fold": moment(t_fold),
        "train_groups": len(gap.kept),
        "purged_groups": len(gap.purged),
        "embargoed_groups": len(gap.embargoed),
        "test_groups": stop - start,
        **_gap_columns("", pool, gap.kept, start, t_fold, rules.embargo_events),
        **inner,
        "not_built_reason": reason,
    }
    return columns, roles


def _inner_split(pool: Pool, train: _Groups, rules: FoldRules) -> tuple[dict[str, Any], _RoleCodes]:
    """Cut the training groups once more by the same rule, so that alpha is chosen without touching the test block.

    The gap is never shortened: with too few groups left the fold keeps plain ``train`` roles and says why.
    """
    cut = int(len(train) * rules.inner_train_share + 1e-9)
    plain = np.full(len(train), _TRAIN, dtype=np.int8)
    if cut == len(train):
        return {"inner_fallback_reason": "no release group is left for inner validation"}, plain
    instant = pool.first_asof[train[cut:]].min()
    gap = _gap(pool, train[:cut], instant, rules.inner_gap_groups)
    columns = {
        "inner_t_fold": moment(instant),
        **_gap_columns("inner_", pool, gap.kept, int(train[cut]), instant, rules.inner_gap_groups),
    }
    if len(gap.kept) < rules.min_inner_train_groups:
        columns["inner_fallback_reason"] = (
            f"only {len(gap.kept)} of {rules.min_inner_train_groups} release groups for inner training, "
            f"after purging and a gap of {rules.inner_gap_groups}"
        )
        return columns, plain
    roles = np.full(len(train), _INNER_PURGED, dtype=np.int8)
    roles[np.isin(train, gap.kept)] = _INNER_TRAIN
    roles[cut:] = _INNER_VAL
    return columns, roles


def _gap_columns(
    prefix: str, pool: Pool, kept: _Groups, block: int, instant: np.datetime64, planned: int
) -> dict[str, Any]:
    """Planned and actual gap between the kept groups and the block that begins at group ``block``."""
    second = np.timedelta64(1, "s")
    return {
        f"{prefix}planned_gap_groups": planned,
        f"{prefix}actual_gap_groups": block - int(kept[-1]) - 1 if len(kept) else None,
        f"{prefix}planned_gap_seconds": float(pool.purge / second),
        f"{prefix}actual_gap_seconds": float((instant - pool.learned_at[kept].max()) / second) if len(kept) else None,
    }


def _table(pool: Pool, folds: list[dict[str, Any]], rows: list[_Rows]) -> pa.Table:
    """Put each fold's columns beside its releases and their roles."""
    if not folds:
        return FOLD_SCHEMA.empty_table()
    fold = pa.array(np.repeat(np.arange(len(folds)), [len(row.roles) for row in rows]))
    release = pa.array(np.concatenate([row.releases for row in rows]))
    role = np.concatenate([row.roles for row in rows])
    per_fold = pa.Table.from_pylist(folds, schema=pa.schema({**_FOLD, **_DETAILS})).take(fold)
    per_release = pool.releases.select(list(_RELEASE)).take(release)
    columns = [*per_fold.select(list(_FOLD)).columns, *per_release.columns]
    columns += [_ROLES.take(pa.array(role)), pa.array(role <= _INNER_VAL)]
    columns += per_fold.select(list(_DETAILS)).columns
    return pa.table(columns, schema=FOLD_SCHEMA)
