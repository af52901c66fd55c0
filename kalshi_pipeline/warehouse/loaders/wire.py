"""SQL for the exchange's values in every form it has served: prices, counts, times, texts.

A price is ``<name>_dollars``, text in dollars; before 2026 ``<name>``, a number in cents, and in the historical tier
``<name>``, text in dollars. A count is ``<name>_fp`` or ``<name>``. Structs are read with the first form as VARCHAR
and the second as JSON, which keeps the quotes that tell text from numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kalshi_pipeline.schemas.table import CONTRACTS, DOLLARS
from kalshi_pipeline.warehouse.sql import packed
from kalshi_pipeline.warehouse.staging import ROW_FAULT, ROW_SOURCE


def price_fields(*names: str) -> dict[str, str]:
    """Struct fields of prices."""
    return {form: type_ for name in names for form, type_ in ((f"{name}_dollars", "VARCHAR"), (name, "JSON"))}


def count_fields(*names: str) -> dict[str, str]:
    """Struct fields of counts."""
    return {form: "VARCHAR" for name in names for form in (f"{name}_fp", name)}


def texts(*names: str) -> dict[str, str]:
    """Struct fields that are read as text."""
    return dict.fromkeys(names, "VARCHAR")


@dataclass(frozen=True)
class Names:
    """How one form of the wire names its values, which are then texts under these names alone.

    Attributes:
        price: what follows the name of a price.
        count: what follows the name of a count.
    """

    price: str
    count: str


#: Today's forms, by the tier that serves them.
NAMES: Mapping[str, Names] = {"live": Names("_dollars", "_fp"), "historical": Names("", "")}


class Parsed:
    """The columns a loader makes of one wire object, and where one of them could not be read.

    Nothing is guessed: a value that is there and is not what its column holds makes the row faulty, with the column
    named and the object kept as it came.
    """

    def __init__(self, item: str, names: Names | None = None) -> None:
        """Start with the SQL name of the struct, and how its values are named; without that, every form is read."""
        self._item = item
        self._names = names
        self._columns: dict[str, str] = {}
        self._served: dict[str, str] = {}

    def price(self, column: str, path: str) -> Parsed:
        """An amount of dollars."""
        if self._names:
            return self._known(column, path + self._names.price, DOLLARS)
        dollars, bare = f"{self._item}.{path}_dollars", f"{self._item}.{path}"
        # One era sent arrays such as [0,0] under the new names; they are no prices, the cents beside them are.
        is_dollars = f"{dollars} NOT LIKE '[%'"
        cents = f"(TRY_CAST({bare} AS DECIMAL(12,4)) * 0.01::DECIMAL(3,2))::{DOLLARS}"
        value = (
            f"CASE WHEN {is_dollars} THEN TRY_CAST({dollars} AS {DOLLARS}) "
            f"WHEN {bare} LIKE '\"%' THEN TRY_CAST(trim({bare}, '\"') AS {DOLLARS}) ELSE {cents} END"
        )
        return self._add(column, value, f"{is_dollars} OR {bare} IS NOT NULL")

    def count(self, column: str, name: str) -> Parsed:
        """A number of contracts."""
        if self._names:
            return self._known(column, name + self._names.count, CONTRACTS)
        text = f"coalesce({self._item}.{name}_fp, {self._item}.{name})"
        return self._add(column, f"TRY_CAST({text} AS {CONTRACTS})", f"{text} IS NOT NULL")

    def time(self, column: str, name: str) -> Parsed:
        """An instant; year 1 is the exchange's word for none."""
        text = f"nullif({self._item}.{name}, '')"
        value = f"TRY_CAST({text} AS TIMESTAMPTZ)"
        return self._add(column, f"CASE WHEN year({value}) > 1 THEN {value} END", f"{text} NOT LIKE '0001-%'")

    def number(self, column: str, name: str, sql_type: str = "DOUBLE") -> Parsed:
        """A plain number."""
        if self._names:
            return self._known(column, name, sql_type)
        text = f"nullif({self._item}.{name}, '')"
        return self._add(column, f"TRY_CAST({text} AS {sql_type})", f"{text} IS NOT NULL")

    def text(self, column: str, *names: str) -> Parsed:
        """A text: of the first field that has one; the empty text is none."""
        given = ", ".join(f"nullif({self._item}.{name}, '')" for name in names)
        return self._add(column, f"coalesce({given})")

    def boolean(self, column: str, name: str) -> Parsed:
        """True or false."""
        text = f"{self._item}.{name}"
        return self._add(column, f"TRY_CAST({text} AS BOOLEAN)", f"{text} IS NOT NULL")

    def json(self, column: str, name: str) -> Parsed:
        """A list or an object, as it came."""
        return self._add(column, f"{self._item}.{name}::JSON")

    def other(self, columns: Mapping[str, str]) -> Parsed:
        """Columns by SQL of their own."""
        self._columns.update(columns)
        return self

    def sql(self, source: str) -> str:
        """``SELECT`` of the columns, the fault and the faulty object from a relation."""
        columns = ", ".join(f"{value} AS {name}" for name, value in self._columns.items())
        unread = {name: f"(({served}) AND ({self._columns[name]}) IS NULL)" for name, served in self._served.items()}
        named = ", ".join(f"CASE WHEN {test} THEN '{name}: unreadable' END" for name, test in unread.items())
        faulty = " OR ".join(unread.values())
        return (
            f"SELECT {columns}, "
            # The texts are put together only for rows that have a fault.
            f"CASE WHEN {faulty} THEN concat_ws('; ', {named}) END AS {ROW_FAULT}, "
            f"CASE WHEN {faulty} THEN to_json({self._item}) END AS {ROW_SOURCE} "
            f"FROM {source}"
        )

    def _known(self, column: str, path: str, sql_type: str) -> Parsed:
        """A value that is in one place."""
        value = f"{self._item}.{path}"
        return self._add(column, f"TRY_CAST({value} AS {sql_type})", f"{value} IS NOT NULL")

    def _add(self, column: str, value: str, served: str | None = None) -> Parsed:
        self._columns[column] = value
        if served:
            self._served[column] = served
        return self


def content_hash(columns: Iterable[str]) -> str:
    """SHA-256 of the columns' values by name."""
    return f"sha256(to_json({packed(columns)})::VARCHAR)"


def without_repeats(relation: str, key: str, prefer: str) -> str:
    """The relation with one row per key, the preferred one; rows without a key all stay, to be found faulty."""
    lacking = " OR ".join(f"{name} IS NULL" for name in key.split(", "))
    return f"FROM {relation} QUALIFY {lacking} OR row_number() OVER (PARTITION BY {key} ORDER BY {prefer}) = 1"
