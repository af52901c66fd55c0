"""Heat maps as tables: names down, time across, one shade and one sentence a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: Longest span, in days, that is shown by day and by week; beyond it goes by month.
_BY_DAY, _BY_WEEK = 45, 400

#: Shades, from pale to dark.
LEVELS = 5


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        level: shade from 0 to :data:`LEVELS`; ``None`` where there is nothing to say.
        shown: what stands in the cell.
        said: the whole sentence, for a pointer and for a screen reader.
    """

    level: int | None
    shown: str
    said: str


@dataclass(frozen=True)
class Heat:
    """A heat map: the heads of its columns, and rows of a name and its cells."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    per: str


@dataclass(frozen=True)
class Calendar:
    """Days put into the columns of a map.

    Attributes:
        per: ``day``, ``week`` or ``month``.
        columns: first day of every column, without a gap.
    """

    per: str
    columns: Sequence[date]

    @classmethod
    def over(cls, days: Sequence[date]) -> Calendar:
        """The columns that hold these days: days of a short span, weeks or months of a longer one."""
        if not days:
            return cls("day", ())
        first, last = min(days), max(days)
        span = (last - first).days + 1
        per = "day" if span <= _BY_DAY else "week" if span <= _BY_WEEK else "month"
        columns = sorted({cls(per, ()).column(first + timedelta(days=n)) for n in range(span)})
        return cls(per, columns)

    def column(self, day: date) -> date:
        """First day of the column that a day falls into."""
        if self.per == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.per == "month" else day

    def head(self, column: date) -> str:
        """What stands over a column."""
        return f"{column:%b %Y}" if self.per == "month" else f"{column.day} {column:%b}"


def heat(
    counts: Mapping[tuple[str, date], Sequence[int]],
    shade: Callable[[str, str, Sequence[int]], Cell],
    *,
    names: Sequence[str],
    calendar: Calendar,
) -> Heat:
    """Add counts up into the columns of a calendar, and shade every cell.

    Args:
        counts: numbers by name and day; they are added up within a column.
        shade: makes a cell of a name, the head of its column and its sums; called only where there is something.
        names: rows, in order.
        calendar: columns.
    """
    sums: dict[tuple[str, date], list[int]] = {}
    for (name, day), numbers in counts.items():
        known = sums.setdefault((name, calendar.column(day)), [0] * len(numbers))
        for position, number in enumerate(numbers):
            known[position] += number
    rows = [
        (
            name,
            [
                shade(name, calendar.head(column), sums[name, column])
                if (name, column) in sums
                else Cell(None, "", f"{name}, {calendar.head(column)}: nothing")
                for column in calendar.columns
            ],
        )
        for name in names
    ]
    return Heat([calendar.head(column) for column in calendar.columns], rows, calendar.per)


def level(share: float) -> int:
    """The shade of a share between 0 and 1; 0 only for none, the darkest only for all of it."""
    if share <= 0:
        return 0
    return LEVELS if share >= 1 else 1 + int(share * (LEVELS - 1))
