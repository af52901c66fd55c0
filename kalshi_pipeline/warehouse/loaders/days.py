"""The days a load is about, in SQL: a landed unit may span more of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date


def of_days(days: Sequence[date]) -> str:
    """Condition on ``partition_date``; a row without one stays, to be found faulty."""
    listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
    return f"(partition_date IN ({listed}) OR partition_date IS NULL)" if days else "FALSE"
