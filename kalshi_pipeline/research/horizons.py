"""At which instants a ladder is looked at.

Two kinds of instants: a regular grid aligned to UTC midnight, and the exact distances before the anchor of a release
that research uses. Purging never moves them. What is measured at an instant is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kalshi_pipeline.research.columns import TIMESTAMP, Instants, instants, require, timestamps

DAY_MINUTES = 1440
_MINUTE = np.timedelta64(60_000_000, "us")
_KINDS = pa.array(["grid", "horizon", "both"])

INSTANT_SCHEMA = pa.schema(
    {
        "ladder_id": pa.string(),
        "asof": TIMESTAMP,
        "snapshot_kind": pa.string(),
        "horizon_minutes": pa.int32(),
        "partition_date": pa.date32(),
    }
)


def snapshot_instants(
    ladders: pa.Table,
    days: Sequence[date],
    *,
    grid_minutes: int | None,
    horizons_minutes: Sequence[int],
) -> pa.Table:
    """List the instants at which the ladders are looked at within some UTC days.

    A ladder is looked at while it trades (``open_time <= asof <= close_time``) and its specification is known
    (``known_at <= asof``). An anchor has one instant per horizon, so an instant carries at most one.

    Args:
        ladders: rows with ``ladder_id, open_time, close_time, known_at, anchor_ts``.
        days: partition days, each the half-open interval ``[day, day + 1)``; they need not adjoin.
        grid_minutes: distance of the regular instants; ``None`` leaves only the horizons.
        horizons_minutes: distances before the anchor.

    Returns:
        :data:`INSTANT_SCHEMA`, ordered by ladder and instant; ``horizon_minutes`` is NULL where ``snapshot_kind`` is
        ``grid``.

    Raises:
        ValueError: a column is missing, the grid does not divide a day, or a horizon is negative.
    """
    require(ladders, ("ladder_id", "open_time", "close_time", "known_at", "anchor_ts"), "The ladders table")
    if grid_minutes is not None and (grid_minutes < 1 or DAY_MINUTES % grid_minutes):
        raise ValueError(f"A grid of {grid_minutes} minutes does not divide a day; use 5, 15, 60, 1440, or none.")
    midnights = np.unique(np.array(list(days), dtype="datetime64[D]"))
    ladders = ladders.sort_by("ladder_id")
    first, last = tradable(ladders)

    grid_row, grid_asof = _grid_instants(first, last, midnights, grid_minutes)
    at_horizon = horizon_instants(ladders, horizons_minutes)
    horizon_row, horizon_column = np.nonzero(np.isin(at_horizon.astype("datetime64[D]"), midnights))
    horizon_asof = at_horizon[horizon_row, horizon_column]
    minutes = _unique_minutes(horizons_minutes)[horizon_column]

    row = np.concatenate([grid_row, horizon_row])
    asof = np.concatenate([grid_asof, horizon_asof])
    horizon = np.concatenate([np.full(len(grid_row), -1, dtype=np.int32), minutes])
    order = np.lexsort((horizon, asof, row))
    row, asof, horizon = row[order], asof[order], horizon[order]
    # A grid instant sorts before the horizon instant it coincides with: keep the latter and call it both.
    twin = np.zeros(len(row), dtype=bool)
    twin[1:] = (row[1:] == row[:-1]) & (asof[1:] == asof[:-1])
    keep = ~np.append(twin[1:], False) if len(row) else twin
    kind = (horizon >= 0).astype(np.int8) + twin
    return pa.table(
        [
            ladders["ladder_id"].combine_chunks().cast(pa.string()).take(pa.array(row[keep])),
            timestamps(asof[keep]),
            _KINDS.take(pa.array(kind[keep])),
            pa.array(horizon[keep], mask=horizon[keep] < 0),
            pa.array(asof[keep].astype("datetime64[D]")),
        ],
        schema=INSTANT_SCHEMA,
    )


def tradable(ladders: pa.Table) -> tuple[Instants, Instants]:
    """First and last instant (both inclusive) at which each ladder can be looked at."""
    first = np.maximum(instants(ladders, "open_time"), instants(ladders, "known_at"))
    return first, instants(ladders, "close_time")


def horizon_instants(ladders: pa.Table, horizons_minutes: Sequence[int]) -> Instants:
    """The instants ``anchor - horizon`` at which each ladder can be looked at.

    Returns:
        Shape ``(ladders, horizons)``, the distinct horizons ascending; NaT where the ladder does not trade then or was
        not yet known.

    Raises:
        ValueError: a horizon is negative.
    """
    minutes = _unique_minutes(horizons_minutes)
    first, last = tradable(ladders)
    asof = instants(ladders, "anchor_ts")[:, None] - minutes.astype(np.int64)[None, :] * _MINUTE
    asof[~((asof >= first[:, None]) & (asof <= last[:, None]))] = np.datetime64("NaT")
    return asof


def _unique_minutes(horizons_minutes: Sequence[int]) -> npt.NDArray[np.int32]:
    minutes = np.unique(np.array(list(horizons_minutes), dtype=np.int32))
    if len(minutes) and minutes[0] < 0:
        raise ValueError(f"A horizon of {minutes[0]} minutes lies after the anchor; horizons count back from it.")
    return minutes


def _grid_instants(
    first: Instants, last: Instants, midnights: Instants, grid_minutes: int | None
) -> tuple[npt.NDArray[np.int64], Instants]:
    """Ladder position and instant of every grid point between each ladder's first and last."""
    if grid_minutes is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[us]")
    steps = np.arange(0, DAY_MINUTES, grid_minutes) * _MINUTE
    grid = (midnights.astype("datetime64[us]")[:, None] + steps[None, :]).ravel()
    start, stop = np.searchsorted(grid, first, side="left"), np.searchsorted(grid, last, side="right")
    count = np.maximum(stop - start, 0)
    row = np.repeat(np.arange(len(first)), count)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, grid[np.repeat(start, count) + offset]
