"""The columns of what the room hands out, in stored order."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_NAMES = pa.list_(pa.string())

LADDER_SCHEMA = pa.schema(
    {
        "ladder_id": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "subject": pa.string(),
        "release_type": pa.string(),
        "kind": pa.string(),
        "confidence": pa.string(),
        "mutually_exclusive": pa.bool_(),
        "grid_step": pa.float64(),
        "unit": pa.string(),
        "support_low": pa.float64(),
        "support_high": pa.float64(),
        "tail_ratio": pa.float64(),
        "tail_thresholds": pa.list_(pa.float64()),
        "fee_multiplier": pa.float64(),
        "stale_profile": pa.string(),
        "registered": pa.bool_(),
        "n_legs": pa.int32(),
        "n_cells": pa.int32(),
        "cuts": pa.list_(pa.float64()),
        "open_time": _TIMESTAMP,
        "close_time": _TIMESTAMP,
        "anchor": pa.string(),
        "anchor_ts": _TIMESTAMP,
        "release_ts": _TIMESTAMP,
        "known_at": _TIMESTAMP,
        "flags": _NAMES,
    }
)

LEG_SCHEMA = pa.schema(
    {
        "ticker": pa.string(),
        "ladder_id": pa.string(),
        "event_ticker": pa.string(),
        "series_ticker": pa.string(),
        "leg_index": pa.int32(),
        "strike_type": pa.string(),
        "floor_strike": pa.float64(),
        "cap_strike": pa.float64(),
        "strike_source": pa.string(),
        "low_cut": pa.float64(),
        "high_cut": pa.float64(),
        "first_cell": pa.int32(),
        "last_cell": pa.int32(),
        "confidence": pa.string(),
        "known_at": _TIMESTAMP,
        "reason": pa.string(),
        "flags": _NAMES,
    }
)


class LadderTables(NamedTuple):
    """The ladders, and every market with its place on one or the reason why it has none."""

    ladders: pa.Table
    legs: pa.Table
