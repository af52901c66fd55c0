"""What a write says about itself, done or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kalshi_pipeline.schemas.table import Table


@dataclass(frozen=True)
class WriteReport:
    """What a write did.

    Attributes:
        table: the table written.
        rows: incoming rows that hold the schema.
        inserted: those whose key, or of versions whose thing, was not there.
        unchanged: those that were there already, as they are.
        updated: those that took the place of a row with their key, or became a further version of their thing.
        quarantined: rows set aside, counted by reason.
        changed_partitions: the days whose rows were replaced.
    """

    table: str
    rows: int
    inserted: int = 0
    unchanged: int = 0
    updated: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    changed_partitions: tuple[date, ...] = ()

    @classmethod
    def empty(cls, table: Table) -> WriteReport:
        """A report of nothing done: where a sum of reports begins."""
        return cls(table=table.qualified_name, rows=0)

    def __add__(self, other: WriteReport) -> WriteReport:
        """Both reports of one table as one."""
        if self.table != other.table:
            raise ValueError(f"Reports of {self.table} and of {other.table} have no sum.")
        return WriteReport(
            table=self.table,
            rows=self.rows + other.rows,
            inserted=self.inserted + other.inserted,
            unchanged=self.unchanged + other.unchanged,
            updated=self.updated + other.updated,
            quarantined=dict(Counter(self.quarantined) + Counter(other.quarantined)),
            changed_partitions=tuple(sorted({*self.changed_partitions, *other.changed_partitions})),
        )

    @property
    def quarantined_rows(self) -> int:
        """Rows set aside, over all reasons."""
        return sum(self.quarantined.values())


class BlockedWrite(RuntimeError):
    """Nothing may be written: a fault of structure or key, or too many faulty rows.

    Attributes:
        report: what was found until then; nothing in it was written.
    """

    def __init__(self, reason: str, report: WriteReport) -> None:
        super().__init__(f"{report.table}: {reason}; nothing was written.")
        self.report = report
