"""What came of a pool of releases, in one sentence for people. How folds are cut is in ``folds``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.pools import Pool


def fold_sentence(pool: Pool, folds: Sequence[Mapping[str, Any]], rules: FoldRules) -> str:
    """Say how many folds came of a pool, what they train and test on, and what stood in the way of more.

    Args:
        pool: the labelled releases.
        folds: the columns of every fold of the pool, those not built included.
        rules: how the folds were cut.
    """
    built = [fold["train_groups"] for fold in folds if not fold["not_built_reason"]]
    failed = [fold["not_built_reason"] for fold in folds if fold["not_built_reason"]]
    known = f"{_many(pool.size, 'release group')} with an outcome"
    if built:
        trained = f"{built[0]}" if len(built) == 1 else f"{built[0]} to {built[-1]}"
        text = f"{_many(len(built), 'fold')}: {trained} to train on and {rules.test_groups} to test on, of {known}"
    elif failed:
        text = f"0 folds from {known}"
    elif pool.size < (needed := rules.min_train_groups + rules.embargo_events + rules.test_groups):
        text = (
            f"0 folds from {known}: a fold needs {needed} ({rules.min_train_groups} to train on, "
            f"{rules.embargo_events} embargoed, {rules.test_groups} to test on)"
        )
    else:
        text = f"0 folds from {known}: never were {rules.min_train_groups} of them known early enough to train on"
    if failed:
        text += f"; {_many(len(failed), 'fold')} not built ({failed[-1]})"
    if pool.unlabelled:
        text += f"; {_many(pool.unlabelled, 'release')} without an outcome left out"
    return f"{pool.name}: {text}."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
