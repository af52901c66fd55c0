"""Ladders, legs and observations as one aligned batch: every expected leg of every snapshot, quoted or not.

Point in time is kept here: a leg is expected from when it was known, and a quote that became known later is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.compiled import Floats, Ints
from kalshi_pipeline.distributions.layout import Layouts, build_layouts
from kalshi_pipeline.distributions.segments import pointer_of

_TIMESTAMP = pa.timestamp("us", tz="UTC")
_QUOTES = ("yes_bid", "yes_ask", "last_price", "period_minutes", "volume", "open_interest")
_NEEDED = ("ladder_id", "asof", "snapshot_kind", "leg_index", "quote_kind", "available_ts", *_QUOTES)

#: Stands for a missing instant among microseconds since 1970.
NO_INSTANT = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Batch:
    """Snapshots and the legs expected in them.

    Per ladder: its row in ``ladders`` and its ``anchor`` (µs since 1970). Per snapshot, sorted by ladder and instant:
    ``ladder_of`` (position in ``ladders``), ``layout_of``, ``asof`` (µs since 1970), ``snapshot_kind``. Per expected
    leg (flat, by ``leg_pointer``): ``leg_row`` (position in ``legs``), the quote columns (NaN where missing),
    ``available`` (µs since 1970, :data:`NO_INSTANT` without a quote), ``quote_kind`` (code in ``quote_kinds``, -1
    without). ``cell_pointer`` says where each snapshot's cells begin.
    """

    ladders: Sequence[Mapping[str, Any]]
    anchor: Ints
    legs: pa.Table
    layouts: Layouts
    ladder_of: Ints
    layout_of: Ints
    asof: Ints
    snapshot_kind: pa.Array
    leg_pointer: Ints
    cell_pointer: Ints
    leg_row: Ints
    quotes: Mapping[str, Floats]
    available: Ints
    quote_kind: Ints
    quote_kinds: pa.Array


def read_batch(ladders: pa.Table, legs: pa.Table, observations: pa.Table) -> Batch:
    """Align the three tables. The order of their rows does not matter.

    Args:
        ladders: rows of ``research.ladders``.
        legs: rows of ``research.ladder_legs``.
        observations: one row per snapshot and leg with the latest quote known by then; NULLs where there was none. A
            leg without a row is expected all the same.

    Raises:
        ValueError: a column is missing, an observation is of an unknown ladder or of a leg not known by its instant, it
            occurs twice, or its quote became known after its instant.
    """
    missing = [name for name in _NEEDED if name not in observations.column_names]
    if missing:
        raise ValueError(f"The observations lack {', '.join(missing)}; they need one row per snapshot and leg.")
    observed, rank = _rank_ladders(observations, ladders)
    ladder_rows = observed.to_pylist()
    asof = instants(observations, "asof")
    leg_index = np.asarray(observations["leg_index"].cast(pa.int64()).to_numpy(), dtype=np.int64)
    if not _in_order(rank, asof, leg_index):
        order = np.lexsort((leg_index, asof, rank))
        observations = observations.take(pa.array(order))
        rank, asof, leg_index = rank[order], asof[order], leg_index[order]
    _refuse_late(observations, asof)

    new = np.ones(rank.size, dtype=np.bool_)
    new[1:] = (rank[1:] != rank[:-1]) | (asof[1:] != asof[:-1])
    starts = np.flatnonzero(new)
    known = _KnownLegs.of(legs, observed["ladder_id"].combine_chunks())
    layout_of, rows_of_layout, layouts = _lay_out(known, ladder_rows, rank[starts], asof[starts])

    sizes = np.diff(layouts.leg_pointer)[layout_of]
    leg_pointer = pointer_of(sizes)
    within = np.arange(leg_pointer[-1]) - np.repeat(leg_pointer[:-1], sizes)
    leg_row = rows_of_layout[np.repeat(layouts.leg_pointer[:-1][layout_of], sizes) + within]
    expected = np.repeat(np.arange(starts.size), sizes), known.leg_index[leg_row]
    place = _places((np.cumsum(new) - 1, leg_index), expected, observations)

    available = instants(observations, "available_ts")
    kinds = observations["quote_kind"].combine_chunks().dictionary_encode()
    codes = np.asarray(pc.fill_null(kinds.indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return Batch(
        ladders=ladder_rows,
        anchor=instants(observed, "anchor_ts"),
        legs=known.table,
        layouts=layouts,
        ladder_of=rank[starts],
        layout_of=layout_of,
        asof=asof[starts],
        snapshot_kind=observations["snapshot_kind"].combine_chunks().take(pa.array(starts)),
        leg_pointer=leg_pointer,
        cell_pointer=pointer_of(np.diff(layouts.cell_pointer)[layout_of]),
        leg_row=leg_row,
        quotes={name: _placed(floats(observations, name), place, leg_row.size, np.nan) for name in _QUOTES},
        available=_placed(available, place, leg_row.size, NO_INSTANT),
        quote_kind=_placed(np.where(available == NO_INSTANT, -1, codes), place, leg_row.size, -1),
        quote_kinds=kinds.dictionary,
    )


def floats(table: pa.Table, name: str) -> Floats:
    """A numeric column as doubles, NaN where it is NULL."""
    return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def instants(table: pa.Table, name: str) -> Ints:
    """A timestamp column as microseconds since 1970, :data:`NO_INSTANT` where it is NULL."""
    micros = table[name].cast(_TIMESTAMP).cast(pa.int64())
    return np.asarray(pc.fill_null(micros, NO_INSTANT).to_numpy(), dtype=np.int64)


@dataclass(frozen=True)
class _KnownLegs:
    """The legs of the ladders at hand, sorted by ladder and position; ``begin`` says where each ladder's begin."""

    table: pa.Table
    begin: Ints
    leg_index: Ints
    known_at: Ints
    payoff: Floats
    confidence: list[str]

    @classmethod
    def of(cls, legs: pa.Table, names: pa.Array) -> _KnownLegs:
        legs = legs.filter(pc.is_in(legs["ladder_id"], value_set=names))
        legs = legs.sort_by([("ladder_id", "ascending"), ("leg_index", "ascending")])
        owner = np.asarray(pc.index_in(legs["ladder_id"], value_set=names).to_numpy(), dtype=np.int64)
        low, high = floats(legs, "low_cut"), floats(legs, "high_cut")
        payoff = np.column_stack([np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)])
        return cls(
            table=legs,
            begin=np.searchsorted(owner, np.arange(len(names) + 1)).astype(np.int64),
            leg_index=np.asarray(legs["leg_index"].cast(pa.int64()).to_numpy(), dtype=np.int64),
            known_at=instants(legs, "known_at"),
            payoff=payoff,
            confidence=legs["confidence"].to_pylist(),
        )


def _rank_ladders(observations: pa.Table, ladders: pa.Table) -> tuple[pa.Table, Ints]:
    """The rows of the ladders observed, by name, and the position of each observation's ladder among them."""
    encoded = observations["ladder_id"].combine_chunks().dictionary_encode()
    rows = ladders.filter(pc.is_in(ladders["ladder_id"], value_set=encoded.dictionary)).sort_by("ladder_id")
    position = pc.index_in(encoded.dictionary, value_set=rows["ladder_id"].combine_chunks())
    if position.null_count:
        name = encoded.dictionary.filter(pc.is_null(position))[0]
        raise ValueError(f"Observations of {name} are of a ladder that the ladders table does not hold.")
    rank = np.asarray(position.to_numpy(), dtype=np.int64)
    return rows, rank[encoded.indices.to_numpy(zero_copy_only=False)]


def _in_order(*keys: Ints) -> bool:
    """Whether rows ascend by the first key, then by the second, and so on."""
    settled = np.zeros(max(keys[0].size - 1, 0), dtype=np.bool_)
    for key in keys:
        if (~settled & (key[1:] < key[:-1])).any():
            return False
        settled |= key[1:] > key[:-1]
    return True


def _refuse_late(observations: pa.Table, asof: Ints) -> None:
    late = instants(observations, "available_ts") > asof
    if late.any():
        row = observations.slice(int(np.argmax(late)), 1).to_pylist()[0]
        raise ValueError(
            f"The quote of leg {row['leg_index']} of ladder {row['ladder_id']} became known at {row['available_ts']}, "
            f"after the instant {row['asof']} it stands for; observations must be as of their instant."
        )


def _lay_out(
    known: _KnownLegs, ladders: Sequence[Mapping[str, Any]], rank: Ints, asof: Ints
) -> tuple[Ints, Ints, Layouts]:
    """The layout of every snapshot, the leg rows of all layouts (flat), and the layouts.

    A layout is a ladder with the legs known by an instant, so it is named by the ladder and their number.
    """
    count = np.zeros(rank.size, dtype=np.int64)
    begins = np.searchsorted(rank, np.arange(len(ladders) + 1))
    for ladder, (begin, end) in enumerate(pairwise(begins)):
        listed = np.sort(known.known_at[known.begin[ladder] : known.begin[ladder + 1]])
        count[begin:end] = np.searchsorted(listed, asof[begin:end], side="right")
    if not count.all():
        first = int(np.argmin(count))
        raise ValueError(
            f"Ladder {ladders[rank[first]]['ladder_id']} is observed at an instant at which none of its legs was known."
        )
    width = int(count.max(initial=0)) + 1
    names, layout_of = np.unique(rank * width + count, return_inverse=True)
    rows = []
    for ladder, legs in zip(names // width, names % width, strict=True):
        begin, end = known.begin[ladder], known.begin[ladder + 1]
        latest = np.sort(known.known_at[begin:end])[legs - 1]
        rows.append(begin + np.flatnonzero(known.known_at[begin:end] <= latest))
    layouts = build_layouts(
        [ladders[ladder] for ladder in names // width],
        [known.payoff[legs] for legs in rows],
        [[known.confidence[leg] for leg in legs] for legs in rows],
    )
    return layout_of, np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64), layouts


def _places(observed: tuple[Ints, Ints], expected: tuple[Ints, Ints], observations: pa.Table) -> Ints | None:
    """Where among the expected legs each observation belongs; ``None`` where they correspond one to one."""
    same = observed[0].size == expected[0].size
    if same and (observed[0] == expected[0]).all() and (observed[1] == expected[1]).all():
        return None
    width = int(max(observed[1].max(initial=0), expected[1].max(initial=0))) + 1
    wanted, given = expected[0] * width + expected[1], observed[0] * width + observed[1]
    place = np.minimum(np.searchsorted(wanted, given), max(wanted.size - 1, 0))
    strange = wanted[place] != given
    twice = np.append(False, given[1:] == given[:-1])
    if (strange | twice).any():
        row = observations.slice(int(np.argmax(strange | twice)), 1).to_pylist()[0]
        why = "is not a leg known by then" if strange.any() else "occurs twice"
        raise ValueError(f"Leg {row['leg_index']} of ladder {row['ladder_id']} at {row['asof']} {why}.")
    return place


def _placed(values: Any, place: Ints | None, size: int, missing: float) -> Any:
    if place is None:
        return values
    out = np.full(size, missing, dtype=values.dtype)
    out[place] = values
    return out
