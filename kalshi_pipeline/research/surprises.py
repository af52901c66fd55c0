"""How far an outcome lay from what was expected: from the market's mean, and from no change.

Both expectations are taken as they stood before the release: the mean of its last snapshot that passed the gates, and
the last outcome of the series that was known at the anchor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kalshi_pipeline.research.columns import require
from kalshi_pipeline.research.history import known_labels
from kalshi_pipeline.research.labels import LABEL_SCHEMA

SURPRISE_SCHEMA = pa.schema(
    {
        "market_mean": pa.float64(),
        "market_mean_horizon_minutes": pa.int32(),
        "market_surprise": pa.float64(),
        "previous_value": pa.float64(),
        "previous_ladder_id": pa.string(),
        "change_surprise": pa.float64(),
    }
)
LABEL_WITH_SURPRISE_SCHEMA = pa.schema([*LABEL_SCHEMA, *SURPRISE_SCHEMA])


def with_surprises(labels: pa.Table, panel: pa.Table) -> pa.Table:
    """Add to every label what the market and what the previous outcome had led one to expect.

    Args:
        labels: rows as ``build_labels`` makes them.
        panel: rows of ``research.event_feature_panel``.

    Returns:
        The labels as :data:`LABEL_WITH_SURPRISE_SCHEMA`: ``market_surprise`` is label less ``market_mean``, the mean at
        the shortest horizon that passed; ``change_surprise`` is label less ``previous_value``, the series' last outcome
        known at the anchor. NULL where an expectation or the label is missing.

    Raises:
        ValueError: a column is missing.
    """
    require(labels, LABEL_SCHEMA.names, "The labels table")
    require(panel, ("ladder_id", "horizon_minutes", "mean", "missing_reason"), "The panel")
    nearest: dict[str, tuple[int, float]] = {}
    rows = zip(
        *(panel[name].to_pylist() for name in ("ladder_id", "horizon_minutes", "mean", "missing_reason")), strict=True
    )
    for ladder, horizon, mean, missing in rows:
        if missing is None and mean is not None and horizon < nearest.get(ladder, (np.inf, 0.0))[0]:
            nearest[ladder] = (horizon, mean)
    ladders = labels["ladder_id"].to_pylist()
    market = [nearest.get(ladder, (None, None)) for ladder in ladders]
    means = _floats([mean for _, mean in market])
    value = _floats(labels["label_value"].to_pylist())

    at_anchor = labels.select(["series_ticker", "anchor_ts"]).append_column("asof", labels["anchor_ts"])
    pointer, row = known_labels(labels, at_anchor, window=1)
    previous = np.full(len(labels), -1)
    previous[np.repeat(np.arange(len(labels)), np.diff(pointer))] = row
    before = np.where(previous >= 0, value[previous], np.nan)
    added = {
        "market_mean": _numbers(means),
        "market_mean_horizon_minutes": pa.array([horizon for horizon, _ in market], pa.int32()),
        "market_surprise": _numbers(value - means),
        "previous_value": _numbers(before),
        "previous_ladder_id": labels["ladder_id"].take(pa.array(previous, mask=previous < 0)),
        "change_surprise": _numbers(value - before),
    }
    columns = {name: labels[name] for name in LABEL_SCHEMA.names} | added
    return pa.table(columns, schema=LABEL_WITH_SURPRISE_SCHEMA)


def _floats(values: list[float | None]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=~np.isfinite(values))
