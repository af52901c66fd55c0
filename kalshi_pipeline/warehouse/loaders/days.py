"""What loads of daily facts share: a landed unit may span more days than are asked for, and facts come twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

#: Which of two rows of one fact counts: that of the live tier, then the one received last.
PREFER_LIVE = "tier = 'live' DESC, ingested_at DESC, unit_id"


def of_days(days: Sequence[date]) -> str:
    """Condition on ``partition_date``; a row without one stays, to be found faulty."""
    listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
    return f"(partition_date IN ({listed}) OR partition_date IS NULL)" if days else "FALSE"
