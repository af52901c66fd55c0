"""Distances as features: how far a ladder's belief moved within the hour and the day before a horizon.

They are taken from the table of distances as they stand, each at its snapshot's own instant.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.lags import LAGS
from kalshi_pipeline.research.columns import instants, require

_MEASURES = ("kl", "js", "wasserstein")
_READ = ("ladder_id", "asof", "lag", "earlier_asof", *_MEASURES)

#: Columns of the panel: a measure and its lag.
DISTANCES = tuple(f"{measure}_{lag}" for lag in LAGS for measure in _MEASURES)


def distance_features(distances: pa.Table) -> dict[str, pa.Table]:
    """The distances of every snapshot, one table per feature.

    Args:
        distances: rows of ``research.distribution_distances``.

    Returns:
        By feature: ``ladder_id``, ``asof`` and a column named like the feature, in nats or the unit of the ladder.

    Raises:
        ValueError: a column is missing, or a distance is from a snapshot that is not a lag older.
    """
    require(distances, _READ, "The distances table")
    found = {}
    for name, lag in LAGS.items():
        own = distances.filter(pc.equal(distances["lag"], name))
        too_late = instants(own, "earlier_asof") > instants(own, "asof") - np.timedelta64(lag.minutes, "m")
        if too_late.any():
            row = own.slice(int(np.argmax(too_late)), 1).to_pylist()[0]
            raise ValueError(
                f"The distance of {row['ladder_id']} at {row['asof']} is from a snapshot of {row['earlier_asof']}, "
                f"which is not {name} older."
            )
        for measure in _MEASURES:
            columns = own.select(["ladder_id", "asof", measure])
            found[f"{measure}_{name}"] = columns.rename_columns(["ladder_id", "asof", f"{measure}_{name}"])
    return found
