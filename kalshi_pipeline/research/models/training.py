"""Which rows a fold trains on, tunes on and is tested on: the one place where models take their rows from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import require

_Bools = npt.NDArray[np.bool_]


class FoldRows(NamedTuple):
    """Rows of a table by their part in one fold.

    Attributes:
        fold_id: the fold.
        train: rows the final fit uses, all inner roles included.
        inner_train: rows that alpha candidates are fitted on; none where the fold has no inner split.
        inner_val: rows the candidates are held against.
        test: rows of the test block.
    """

    fold_id: str
    train: _Bools
    inner_train: _Bools
    inner_val: _Bools
    test: _Bools


def fold_rows(folds: pa.Table, release_ids: pa.ChunkedArray) -> Iterator[FoldRows]:
    """The parts of every built fold, in order of pool and number.

    Args:
        folds: rows of ``research.walkforward_folds``.
        release_ids: the release of every row to be divided. Rows of other releases are in no part.

    Raises:
        ValueError: a column is missing.
    """
    require(folds, ("fold_id", "pool", "fold_number", "release_id", "role", "is_train"), "The folds table")
    built = folds.filter(pc.not_equal(folds["role"], "not_built"))
    names = built.group_by(["pool", "fold_number", "fold_id"]).aggregate([])
    for fold_id in names.sort_by([("pool", "ascending"), ("fold_number", "ascending")])["fold_id"].to_pylist():
        fold = built.filter(pc.equal(built["fold_id"], fold_id))
        role = fold["role"]
        parts = {
            "train": fold["is_train"],
            "inner_train": pc.equal(role, "inner_train"),
            "inner_val": pc.equal(role, "inner_val"),
            "test": pc.equal(role, "test"),
        }
        yield FoldRows(
            fold_id,
            **{name: _among(release_ids, fold.filter(member)["release_id"]) for name, member in parts.items()},
        )


def _among(values: pa.ChunkedArray, chosen: pa.ChunkedArray) -> _Bools:
    return np.asarray(pc.is_in(values, value_set=chosen.combine_chunks()).to_numpy(), dtype=np.bool_)
