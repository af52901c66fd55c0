"""The folds as a scikit-learn cross-validator: rows of a feature table in, positions of training and test rows out.

It applies folds that were cut elsewhere (``folds``) and holds no rule of its own. scikit-learn is not imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import require

_Rows = npt.NDArray[np.int64]


class WalkForwardSplit:
    """Cross-validator over the built folds of ``research.walkforward_folds``.

    Follows scikit-learn's splitter interface (``split``, ``get_n_splits``), so that it serves as ``cv=`` where
    ``groups`` is passed on. Folds come in order of pool and number.
    """

    def __init__(self, folds: pa.Table) -> None:
        """Take folds as they are stored; those that could not be built are left out.

        Args:
            folds: rows of ``research.walkforward_folds``, of one pool or of several.

        Raises:
            ValueError: a column is missing.
        """
        require(folds, ("fold_id", "release_id", "role", "is_train"), "The folds table")
        self.folds = folds.filter(pc.not_equal(folds["role"], "not_built"))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds; the arguments are there for the interface alone."""
        return len(pc.unique(self.folds["fold_id"]))

    def split(self, X: Any, y: Any = None, groups: Sequence[str] | None = None) -> Iterator[tuple[_Rows, _Rows]]:
        """Yield the positions of each fold's training and test rows.

        Args:
            X: anything with a length, one entry per row of the feature table; its values are not read.
            y: not read.
            groups: the ``release_id`` of every row. Rows of releases that a fold does not train or test on (purged,
                embargoed, later, or without a label) are in neither part.

        Raises:
            ValueError: ``groups`` is missing or of another length than ``X``, or a fold finds no row in ``X`` for
                its training or its test releases.
        """
        if groups is None:
            raise ValueError("WalkForwardSplit needs groups: the release_id of every row of X.")
        length = X.shape[0] if hasattr(X, "shape") else len(X)
        if len(groups) != length:
            raise ValueError(f"groups has {len(groups)} entries and X has {length} rows; they must agree.")
        releases = pc.unique(self.folds["release_id"])
        release_of_row = _positions(pa.array(groups, type=pa.string()), releases)
        release = _positions(self.folds["release_id"], releases)
        folds = pc.unique(self.folds["fold_id"])
        fold = _positions(self.folds["fold_id"], folds)
        parts = {
            "training": self.folds["is_train"].to_numpy(),
            "test": pc.equal(self.folds["role"], "test").to_numpy(),
        }
        for number, fold_id in enumerate(folds.to_pylist()):
            rows = {}
            for part, member in parts.items():
                # One place more than there are releases: rows of any other release (-1) fall there.
                chosen = np.zeros(len(releases) + 1, dtype=bool)
                chosen[release[member & (fold == number)]] = True
                rows[part] = np.flatnonzero(chosen[release_of_row])
                if not len(rows[part]):
                    raise ValueError(f"No row of X belongs to the {part} releases of fold {fold_id}.")
            yield rows["training"], rows["test"]


def _positions(values: pa.Array, among: pa.Array) -> _Rows:
    """The position of each value among others, -1 where it is not there."""
    found = pc.fill_null(pc.index_in(values, value_set=among), -1)
    return np.asarray(found.to_numpy(), dtype=np.int64)
