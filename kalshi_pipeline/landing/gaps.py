"""Which ticks of a repeated snapshot and which days of a daily fact were missed, as the manifests tell it.

A snapshot that was not taken cannot be taken afterwards, so its gap stays; a day can still be filled. Not here: taking
snapshots (``snapshots``), landing days (``facts``), and what within a landed day is missing (``ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from kalshi_pipeline.landing.days import unstamp
from kalshi_pipeline.landing.manifests import Manifest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ticks:
    """The ticks from the first snapshot of some days to their last.

    Attributes:
        due: how many there were.
        missed: those without a snapshot, in order.
    """

    due: int
    missed: tuple[datetime, ...]


def ticks_of(manifests: Iterable[Manifest], every: timedelta) -> Ticks:
    """Which ticks, multiples of ``every`` in UTC, had a snapshot that landed, of whichever series.

    Before the first snapshot nothing was due; what comes after the last one may still be on its way.
    """
    taken = {(_instant(unit.unit_id) - _EPOCH) // every for manifest in manifests for unit in manifest.landed}
    if not taken:
        return Ticks(0, ())
    due = range(min(taken), max(taken) + 1)
    return Ticks(len(due), tuple(_EPOCH + number * every for number in due if number not in taken))


def days_missed(landed: Iterable[date], most: int) -> list[date]:
    """Days that have not landed between the first and the last that have, in order.

    Args:
        landed: the days that have landed.
        most: how many days are looked at, up to the newest landed one; earlier ones count as never wanted.
    """
    known = set(landed)
    if not known:
        return []
    newest = max(known)
    window = [newest - timedelta(days=n) for n in reversed(range(most))]
    first = min(known & set(window))
    return [day for day in window if day > first and day not in known]


def _instant(unit_id: str) -> datetime:
    """When a snapshot was taken: the last word of its identifier."""
    return datetime.fromtimestamp(unstamp(unit_id.rpartition(".")[2]), UTC)
