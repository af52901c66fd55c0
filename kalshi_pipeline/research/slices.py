"""Slices of the results: what the scorecard averages together, and which of it counts as one observation.

A slice is one horizon of everything, of a release type or of a series. Rows of one release group are one cluster;
resampling draws whole clusters, in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from kalshi_pipeline.distributions.compiled import Ints
from kalshi_pipeline.research.scoring.inference import block_length, draw_clusters

#: Scope and the column of results that it divides them by; ``None`` leaves them together.
SCOPES = {"all": None, "release_type": "release_type", "series": "series_ticker"}
DRAWS, SEED = 1_000, 20_260_101


@dataclass(frozen=True)
class Slice:
    """Rows of one scope and horizon, with what all figures of them share.

    Attributes:
        scope: one of :data:`SCOPES`.
        value: which release type or series; ``all``.
        horizon: minutes before the anchor.
        rows: the results.
        cluster: of every row its release group, numbered in order of time.
        clusters: how many there are.
        length: of a block, in clusters.
        overlap: clusters whose forecasts overlap in time, 1 for none.
        times_drawn: draws by clusters: how often each is in it.
    """

    scope: str
    value: str
    horizon: int
    rows: pd.DataFrame
    cluster: Ints
    clusters: int
    length: int
    overlap: int
    times_drawn: npt.NDArray[np.float64]


def slices(frame: pd.DataFrame) -> Iterator[Slice]:
    """Cut results into slices.

    Args:
        frame: results with ``release_type``, ``release_group``, ``series_ticker``, ``horizon_minutes``, ``anchor_ts``.
    """
    frame = frame.assign(group=_group_numbers(frame))
    for scope, key in SCOPES.items():
        groups = [("all", frame)] if key is None else list(frame.groupby(key, sort=True))
        for value, members in groups:
            for horizon, rows in members.groupby("horizon_minutes", sort=True):
                yield _slice(scope, str(value), int(horizon), rows)


def _slice(scope: str, value: str, horizon: int, rows: pd.DataFrame) -> Slice:
    first = rows.groupby("group", sort=True)["anchor_ts"].min()
    length = block_length(len(first))
    spacing = first.diff().dt.total_seconds().median() / 60 if len(first) > 1 else np.inf
    overlap = 1 if not spacing > 0 else max(1, int(np.ceil(horizon / spacing)))
    return Slice(
        scope=scope,
        value=value,
        horizon=horizon,
        rows=rows,
        cluster=np.searchsorted(first.index.to_numpy(), rows["group"].to_numpy()).astype(np.int64),
        clusters=len(first),
        length=length,
        overlap=overlap,
        times_drawn=_draws(len(first), length),
    )


@lru_cache(maxsize=8)
def _draws(clusters: int, length: int) -> npt.NDArray[np.float64]:
    """The draws of so many clusters; most slices have the same number."""
    return draw_clusters(clusters, length, DRAWS, SEED).astype(np.float64)


def _group_numbers(frame: pd.DataFrame) -> Ints:
    """A number for every release group, ascending with its first anchor."""
    named = frame.groupby(["release_type", "release_group"], sort=True)
    first = named["anchor_ts"].min().to_numpy()
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(place[named.ngroup().to_numpy()])
