"""What loads of daily facts share: a landed unit may span more days than are asked for, and facts come twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kalshi_pipeline.warehouse.sql import on_days

#: Which of two rows of one fact counts: that of the live tier, then the one received last.
PREFER_LIVE = "tier = 'live' DESC, ingested_at DESC, unit_id"


def of_days(days: Sequence[date]) -> str:
    """Condition on ``partition_date``; a row without one stays, to be found faulty."""
    return f"(partition_date IS NULL OR {on_days('partition_date', days)})"
