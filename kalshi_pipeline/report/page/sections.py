"""What a page is made of: sections, and the tables in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kalshi_pipeline.report.page.cards import Card
from kalshi_pipeline.report.page.heat import Heat


@dataclass(frozen=True)
class Grid:
    """A plain table: heads, rows of texts, and which columns hold numbers.

    Attributes:
        heads: what stands over the columns.
        rows: one text a column.
        numbers: columns that are set to the right.
        bars: a share between 0 and 1 for every row, drawn behind its last column for the eye alone.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    bars: Sequence[float] = ()


@dataclass(frozen=True)
class Picture:
    """A picture: a data URI, and what it shows in words."""

    uri: str
    shows: str


@dataclass(frozen=True)
class Section:
    """A part of the page: its heading, one sentence on how to read it, and what it shows.

    A section without anything to show says why in ``empty``.
    """

    anchor: str
    title: str
    intro: str
    empty: str = ""
    grid: Grid | None = None
    heat: Heat | None = None
    cards: Sequence[Card] = ()
    picture: Picture | None = None
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """Everything the template writes."""

    source: str
    made_at: str
    headline: Sequence[tuple[str, str]]
    sections: Sequence[Section]
