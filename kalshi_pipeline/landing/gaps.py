"""Which ticks of a repeated snapshot were missed, as the manifests of the days tell it.

A snapshot that was not taken cannot be taken afterwards, so a gap stays; it can only be seen. Not here: taking
snapshots (``snapshots``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


def _instant(unit_id: str) -> datetime:
    """When a snapshot was taken: the last word of its identifier."""
    return datetime.fromtimestamp(unstamp(unit_id.rpartition(".")[2]), UTC)
