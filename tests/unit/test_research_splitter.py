"""The folds as a cross-validator for scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kalshi_pipeline.research.splitter import WalkForwardSplit

pytestmark = pytest.mark.unit


def fold(fold_id: str, **roles: str) -> list[dict[str, Any]]:
    train = ("train", "inner_train", "inner_val")
    return [
        {"fold_id": fold_id, "release_id": release, "role": role, "is_train": role in train}
        for release, role in roles.items()
    ]


FOLDS = pa.Table.from_pylist(
    [
        *fold("CPI-000", a="train", b="embargoed", c="test"),
        *fold("CPI-001", a="inner_train", b="inner_val", c="purged", d="test"),
        *fold("CPI-002", e="not_built"),
    ]
)
RELEASE_OF_ROW = ["d", "a", "a", "b", "c", "c", "e", "unknown"]
X = np.arange(len(RELEASE_OF_ROW))[:, None]


def test_every_built_fold_yields_the_rows_of_its_releases() -> None:
    split = WalkForwardSplit(FOLDS)
    parts = [(train.tolist(), test.tolist()) for train, test in split.split(X, groups=RELEASE_OF_ROW)]
    assert parts == [([1, 2], [4, 5]), ([1, 2, 3], [0])]
    assert split.get_n_splits() == split.get_n_splits(X, None, RELEASE_OF_ROW) == 2


def test_groups_are_needed_and_must_fit() -> None:
    with pytest.raises(ValueError, match="needs groups"):
        next(WalkForwardSplit(FOLDS).split(X))
    with pytest.raises(ValueError, match="groups has 1 entries and X has 8 rows"):
        next(WalkForwardSplit(FOLDS).split(X, groups=["a"]))


def test_a_fold_without_rows_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="No row of X belongs to the test releases of fold CPI-000"):
        next(WalkForwardSplit(FOLDS).split([0], groups=["a"]))


def test_scikit_learn_takes_it_as_a_cross_validator() -> None:
    selection = pytest.importorskip("sklearn.model_selection", reason="scikit-learn is not installed")
    linear = pytest.importorskip("sklearn.linear_model")
    target = X[:, 0] * 2.0
    split, score = WalkForwardSplit(FOLDS), "neg_mean_squared_error"
    search = selection.GridSearchCV(linear.Ridge(), {"alpha": [0.0, 10.0]}, cv=split, scoring=score)
    search.fit(X, target, groups=RELEASE_OF_ROW)
    assert search.n_splits_ == 2 and search.best_params_ == {"alpha": 0.0}


def test_importing_it_does_not_import_scikit_learn() -> None:
    code = "import sys, kalshi_pipeline.research.splitter; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
