"""A picture of walk-forward folds: what each trains on, drops and tests on, along time."""

from __future__ import annotations

from datetime import UTC

import matplotlib.dates as mdates
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.report import canvas

_TITLE = "Walk-forward folds"
#: Roles from the first drawn to the last, with their colours and names in the legend.
_LOOK = {
    ("train", "inner_train"): (canvas.BELIEF, "train"),
    ("inner_val",): (canvas.BANDS[2], "inner validation"),
    ("purged", "inner_purged", "embargoed"): (canvas.QUOTES, "purged or embargoed"),
    ("test",): (canvas.OUTCOME, "test"),
}
_ROW = 0.34


def folds_picture(folds: pa.Table, limit: int = 30) -> bytes:
    """Draw every built fold as a row of marks, one per release group, at the group's first snapshot.

    Args:
        folds: rows of ``research.walkforward_folds``.
        limit: most folds drawn; of more the latest.
    """
    built = folds.filter(pc.not_equal(folds["role"], "not_built"))
    order = built.group_by(["pool", "fold_number", "fold_id"]).aggregate([])
    names = order.sort_by([("pool", "ascending"), ("fold_number", "ascending")])["fold_id"].to_pylist()
    if not names:
        return canvas.empty_picture(_TITLE, "No fold could be built yet: there are too few releases with an outcome.")
    shown = names[-limit:]
    figure = canvas.new_figure((canvas.SIZE[0], 1.5 + _ROW * len(shown)))
    axes = figure.subplots()
    for row, name in enumerate(shown):
        fold = built.filter(pc.equal(built["fold_id"], name))
        for roles, (colour, label) in _LOOK.items():
            own = fold.filter(pc.is_in(fold["role"], pa.array(roles)))
            first = own.group_by("release_group").aggregate([("first_asof", "min")])["first_asof_min"]
            when = mdates.date2num([instant.astimezone(UTC) for instant in first.to_pylist()])
            axes.plot(
                when,
                np.full(len(when), row),
                "|",
                markersize=13,
                markeredgewidth=1.8,
                color=colour,
                label=label if row == 0 else None,
            )
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    canvas.time_axis(axes)
    canvas.dress(axes, _TITLE, "one mark per release group, at its first snapshot")
    canvas.legend(figure)
    return canvas.png(figure)
