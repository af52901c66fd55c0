"""Everything results are built from, with the moment each row could be known, and ways to change what came later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import instants, timestamps

#: Table -> the column that says since when a row could be known.
KNOWN_SINCE: Mapping[str, str] = {
    "quotes": "available_ts",
    "ladders": "known_at",
    "legs": "known_at",
    "releases": "known_at",
    "outcomes": "learned_at",
    "first_prints": "learned_at",
}

#: What poison puts in place of numbers that came later.
_ABSURD = {"yes_bid": 0.97, "yes_ask": 0.98, "last_price": 0.975, "volume": 1e9, "open_interest": 1e9, "value": 1e6}


@dataclass(frozen=True)
class World:
    """The tables results are built from.

    Attributes:
        quotes: rows of ``marts.quotes``.
        ladders: rows of ``research.ladders``.
        legs: rows of ``research.ladder_legs``.
        releases: rows of ``research.releases``.
        outcomes: rows of ``marts.event_outcomes``.
        first_prints: rows of ``marts.event_outcomes_first_print``.
    """

    quotes: pa.Table
    ladders: pa.Table
    legs: pa.Table
    releases: pa.Table
    outcomes: pa.Table
    first_prints: pa.Table

    def of_ladders(self, ladders: pa.Array) -> World:
        """The world reduced to some ladders and the quotes of their markets; outcomes stay whole."""
        legs = self.legs.filter(pc.is_in(self.legs["ladder_id"], value_set=ladders))
        tickers = legs["ticker"].combine_chunks()
        return replace(
            self,
            legs=legs,
            ladders=self.ladders.filter(pc.is_in(self.ladders["ladder_id"], value_set=ladders)),
            releases=self.releases.filter(pc.is_in(self.releases["ladder_id"], value_set=ladders)),
            quotes=self.quotes.filter(pc.is_in(self.quotes["ticker"], value_set=tickers)),
        )

    def truncated(self, cut: np.datetime64) -> World:
        """Only the rows that were known at ``cut``."""
        tables = {name: getattr(self, name) for name in KNOWN_SINCE}
        known = {name: pa.array(instants(table, KNOWN_SINCE[name]) <= cut) for name, table in tables.items()}
        return replace(self, **{name: table.filter(known[name]) for name, table in tables.items()})

    def poisoned(self, cut: np.datetime64) -> World:
        """Everything that came after ``cut`` made absurd: prices, volumes, strikes, outcomes; its times stay."""
        changed: dict[str, Any] = {}
        for name in ("quotes", "outcomes", "first_prints"):
            table = getattr(self, name)
            late = pa.array(instants(table, KNOWN_SINCE[name]) > cut)
            for column, value in _ABSURD.items():
                if column in table.column_names:
                    at = table.column_names.index(column)
                    kind = table.schema.field(at)
                    absurd = pc.if_else(late, pa.scalar(value).cast(pa.float64()), table[column].cast(pa.float64()))
                    table = table.set_column(at, kind, absurd.cast(kind.type))
            changed[name] = table
        late = pa.array(instants(self.legs, "known_at") > cut)
        legs = self.legs
        for column in ("low_cut", "high_cut"):
            moved = pc.if_else(late, pc.add(legs[column], 1_000.0), legs[column])
            legs = legs.set_column(legs.column_names.index(column), column, moved)
        return replace(self, legs=legs, **changed)

    def shuffled(self, rng: np.random.Generator) -> World:
        """The same rows in another order."""
        tables = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            self, **{name: table.take(pa.array(rng.permutation(len(table)))) for name, table in tables.items()}
        )

    def with_late_quote(self, cut: np.datetime64, ticker: str) -> World:
        """One more quote of a market, first known at ``cut``."""
        known = _aware(cut)
        changed = {"yes_bid": 0.013, "yes_ask": 0.017, "available_ts": known, "partition_date": known.date()}
        own = self.quotes.filter(pc.equal(self.quotes["ticker"], ticker)).slice(0, 1)
        return replace(self, quotes=pa.concat_tables([self.quotes, _changed(own, changed)]))

    def with_revision(self, cut: np.datetime64, event: str) -> World:
        """One more revision of an event's outcome, learned at ``cut``."""
        own = self.outcomes.filter(pc.equal(self.outcomes["event_ticker"], event))
        own = own.sort_by("revision_number").slice(len(own) - 1)
        number = own["revision_number"][0].as_py() + 1
        changed = {"value": -777.0, "value_text": "-777", "learned_at": _aware(cut), "revision_number": number}
        return replace(self, outcomes=pa.concat_tables([self.outcomes, _changed(own, changed)]))


def _changed(row: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    """A row with other values in some columns, of the columns' own types: exact decimals stay exact."""
    for name, value in values.items():
        field = row.schema.field(name)
        stated = Decimal(str(value)) if pa.types.is_decimal(field.type) else value
        row = row.set_column(row.column_names.index(name), field, pa.array([stated], field.type))
    return row


def _aware(instant: np.datetime64) -> Any:
    return timestamps(np.array([instant]))[0].as_py()


def second(count: int = 1) -> np.timedelta64:
    """So many seconds, as a difference of instants."""
    return np.timedelta64(timedelta(seconds=count))
