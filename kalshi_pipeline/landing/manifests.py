"""What a partition of a dataset consists of: its units, and whether they are all there.

Not here: writing the units (``store``), deciding which are needed (``candles``, ``trades``, ``quotes``, ``reference``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

UnitState = Literal["landed", "failed"]


@dataclass(frozen=True)
class UnitEntry:
    """One unit of work in a manifest.

    Attributes:
        unit_id: identifier; rows loaded from the unit carry it.
        context: what the unit is about: dataset, series or event, tier, bar length.
        state: landed whole, or failed.
        path: file below the landing folder; empty for a failed unit.
        sha256: checksum of the file.
        bytes: size of the file.
        responses: responses in the file.
        rows: rows in these responses, duplicates included.
        tickers: markets that were asked for, where a unit is about markets.
        alive: those among the markets of the unit, landed or failed, that could have rows in the partition.
        reason: why the unit failed.
    """

    unit_id: str
    context: Mapping[str, Any]
    state: UnitState = "landed"
    path: str = ""
    sha256: str = ""
    bytes: int = 0
    responses: int = 0
    rows: int = 0
    tickers: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()
    reason: str = ""

    @property
    def events(self) -> tuple[str, ...]:
        """The events a unit of a daily fact is about: one, or those of a bundle."""
        said = self.context.get("event_tickers") or [self.context.get("event_ticker", "")]
        return tuple(str(event) for event in said)

    @property
    def subjects(self) -> frozenset[tuple[str, str]]:
        """What later units replace: events, each with the bar length."""
        return frozenset((event, str(self.context.get("period_minutes", ""))) for event in self.events)


@dataclass(frozen=True)
class Manifest:
    """The units of one partition.

    Attributes:
        dataset: dataset of the units.
        partition: UTC day, or the observation of a reference dataset.
        complete: whether everything the partition can hold has landed.
        run_id: run that wrote the manifest.
        written_at: when, ISO 8601.
        reason: why the partition is incomplete, or why it is complete and empty.
        units: the units.
    """

    dataset: str
    partition: str
    complete: bool
    run_id: str
    written_at: str
    reason: str = ""
    units: tuple[UnitEntry, ...] = field(default=())

    @property
    def landed(self) -> tuple[UnitEntry, ...]:
        """The units that are there."""
        return tuple(unit for unit in self.units if unit.state == "landed")

    @property
    def tickers(self) -> frozenset[str]:
        """Markets that the landed units asked for."""
        return frozenset(ticker for unit in self.landed for ticker in unit.tickers)

    def to_json(self) -> str:
        """The manifest as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text of :meth:`to_json`.

        Raises:
            ValueError: the text is no manifest.
        """
        try:
            said = json.loads(text)
            units = tuple(_unit(unit) for unit in said.pop("units"))
            return cls(**said, units=units)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not a manifest: {error!r}") from error


def _unit(said: Mapping[str, Any]) -> UnitEntry:
    return UnitEntry(**{**said, "tickers": tuple(said["tickers"]), "alive": tuple(said.get("alive", ()))})


def merged(earlier: Iterable[UnitEntry], later: Iterable[UnitEntry]) -> tuple[UnitEntry, ...]:
    """The units of a partition after a run: its own, and the earlier ones that they do not replace.

    A unit is replaced once landed ones are about all its subjects. Failed ones replace nothing that had landed, so
    what is there stays. Where units overlap, the later ones come after the earlier ones.
    """
    later = tuple(later)
    landed = frozenset[tuple[str, str]]().union(*(unit.subjects for unit in later if unit.state == "landed"))
    mentioned = frozenset[tuple[str, str]]().union(*(unit.subjects for unit in later))
    kept = tuple(
        unit
        for unit in earlier
        if not unit.subjects <= landed and (unit.state == "landed" or not unit.subjects <= mentioned)
    )
    return (*kept, *later)
