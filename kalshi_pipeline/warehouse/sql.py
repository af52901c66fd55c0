"""Pieces of SQL that several statements share: column names, rows as structs, conditions on days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

#: Column names that DuckDB takes for a word of its own unless they are quoted.
_KEYWORDS = frozenset({"asof"})

#: Order of a market's observations of one instant: the order book counts before a bar, a shorter bar before a longer.
QUOTE_PREFERENCE = "quote_kind = 'order_book' desc, period_minutes asc nulls first, source asc"


def identifier(name: str) -> str:
    """The name as it stands in a statement."""
    return f'"{name}"' if name in _KEYWORDS else name


def identifiers(names: Iterable[str]) -> str:
    """The names as a list in a statement."""
    return ", ".join(map(identifier, names))


def packed(names: Iterable[str]) -> str:
    """The columns of a row as one STRUCT, under their own names."""
    return f"struct_pack({', '.join(f'{identifier(name)} := {identifier(name)}' for name in names)})"


def on_days(column: str, days: Sequence[date]) -> str:
    """Condition that a DATE column is one of the days; the bounds let a scan skip what lies outside them."""
    if not days:
        return "FALSE"
    listed = ", ".join(f"DATE '{day.isoformat()}'" for day in sorted(days))
    return f"{column} BETWEEN DATE '{min(days)}' AND DATE '{max(days)}' AND {column} IN ({listed})"
