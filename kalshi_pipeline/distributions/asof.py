"""As-of joins: of every leg expected at an instant, the latest quote that was known by then.

There is a slot for every leg and every instant of its ladder. A quote goes to the first slot of its leg that may know
it, and a slot keeps the latest; in the end an empty slot takes over from the one before. Quotes are read in pieces and
only what slots keep is held, so memory is bounded by what is asked for, whatever the number of quotes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.arrow import TIMESTAMP
from kalshi_pipeline.distributions.compiled import Ints, compiled
from kalshi_pipeline.distributions.observations import NO_INSTANT, instants
from kalshi_pipeline.distributions.segments import pointer_of

#: An observation older than this counts as none: it could pass no age gate.
QUOTE_LOOKBACK = timedelta(days=7)

#: Reads the quotes that became known between two instants, both included, in pieces; more does no harm.
ReadQuotes = Callable[[datetime, datetime], Iterable[pa.RecordBatch]]

_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = ("yes_bid", "yes_ask", "last_price", "volume", "open_interest")
_QUOTE = pa.schema(
    {
        "quote_kind": pa.string(),
        "available_ts": TIMESTAMP,
        "period_minutes": pa.int32(),
        **dict.fromkeys(_NUMBERS, pa.float64()),
    }
)
_PLACED = _QUOTE.append(pa.field("source", pa.string()))
_KEPT = _PLACED.append(pa.field("slot", pa.int64()))


def observations_as_of(legs: pa.Table, snapshots: pa.Table, read: ReadQuotes) -> pa.Table:
    """The latest quote of every expected leg at every snapshot, as it was known then.

    Of two quotes of one market and instant the order book counts before a bar, the shorter bar before the longer, and
    then the source that comes first by name.

    Args:
        legs: rows of ``research.ladder_legs``.
        snapshots: one row per snapshot: ``ladder_id``, ``asof``, ``snapshot_kind``.
        read: gives ``ticker, available_ts, quote_kind, source, period_minutes``, prices in dollars and sizes in
            contracts (``yes_bid, yes_ask, last_price, volume, open_interest``) as doubles.

    Returns:
        One row per snapshot and leg known by then, sorted by ladder, instant and leg; the quote columns are NULL where
        no quote became known within :data:`QUOTE_LOOKBACK`.
    """
    slots = _Slots.of(legs, snapshots)
    kept = _KEPT.empty_table()
    if slots.asof.size:
        first, last = (_FIRST + int(at) * _MICROSECOND for at in (slots.asof.min(), slots.asof.max()))
        for piece in read(first - QUOTE_LOOKBACK, last):
            kept = _latest(pa.concat_tables([kept, slots.assign(pa.table(piece))]), slots.number)
    return slots.observe(kept)


@dataclass(frozen=True)
class _Slots:
    """What is asked for: a slot for every leg and snapshot of its ladder, leg by leg.

    ``snapshots`` are sorted by ladder and instant, ``legs`` by ladder and position. ``snapshot_begin`` and
    ``leg_begin`` say where those of each ladder begin, ``begin`` where the slots of each leg do.
    """

    snapshots: pa.Table
    legs: pa.Table
    asof: Ints
    ladder_of_leg: Ints
    snapshot_begin: Ints
    leg_begin: Ints
    begin: Ints

    @classmethod
    def of(cls, legs: pa.Table, snapshots: pa.Table) -> _Slots:
        """Put both in order; legs of other ladders are left out."""
        snapshots = snapshots.select(["ladder_id", "asof", "snapshot_kind"])
        snapshots = snapshots.sort_by([("ladder_id", "ascending"), ("asof", "ascending")]).combine_chunks()
        ladders = pc.unique(snapshots["ladder_id"])
        legs = legs.filter(pc.is_in(legs["ladder_id"], value_set=ladders))
        legs = legs.sort_by([("ladder_id", "ascending"), ("leg_index", "ascending")]).combine_chunks()
        ladder_of_leg = _positions(legs["ladder_id"], ladders)
        every = np.arange(len(ladders) + 1)
        snapshot_begin = np.searchsorted(_positions(snapshots["ladder_id"], ladders), every).astype(np.int64)
        return cls(
            snapshots=snapshots,
            legs=legs,
            asof=instants(snapshots, "asof"),
            ladder_of_leg=ladder_of_leg,
            snapshot_begin=snapshot_begin,
            leg_begin=np.searchsorted(ladder_of_leg, every).astype(np.int64),
            begin=pointer_of(np.diff(snapshot_begin)[ladder_of_leg]),
        )

    @property
    def number(self) -> int:
        """How many slots there are."""
        return int(self.begin[-1])

    def assign(self, quotes: pa.Table) -> pa.Table:
        """The quotes that some slot may know, with the first one that does as ``slot``."""
        leg = _positions(quotes["ticker"], self.legs["ticker"].combine_chunks())
        at = instants(quotes, "available_ts")
        slot = _first_to_know(leg, at, self.asof, self.ladder_of_leg, self.snapshot_begin, self.begin)
        placed = quotes.select(_PLACED.names).cast(_PLACED).append_column("slot", pa.array(slot))
        return placed.filter(pa.array(slot >= 0)) if (slot < 0).any() else placed

    def observe(self, kept: pa.Table) -> pa.Table:
        """Every leg known by every snapshot, in order, with the quote of its slot or of the latest slot before it."""
        snapshot, leg, slot = self._rows()
        row_of_slot = np.full(self.number, -1, dtype=np.int64)
        row_of_slot[kept["slot"].to_numpy()] = np.arange(kept.num_rows)
        filled = np.maximum.accumulate(np.where(row_of_slot < 0, -1, np.arange(self.number)))[slot]
        row = row_of_slot[filled]
        available = np.append(instants(kept, "available_ts"), NO_INSTANT)[row]
        # Before the first quote of a leg the latest slot with one is another leg's.
        counts = (filled >= self.begin[leg]) & (available >= self.asof[snapshot] - QUOTE_LOOKBACK // _MICROSECOND)
        parts = (
            self.snapshots.take(pa.array(snapshot)),
            self.legs.select(["leg_index"]).take(pa.array(leg)),
            kept.select(_QUOTE.names).take(pa.array(row, mask=~counts)),
        )
        return pa.table({name: part[name] for part in parts for name in part.column_names})

    def _rows(self) -> tuple[Ints, Ints, Ints]:
        """Snapshot, leg and slot of every row to hand out."""
        ladder_of = np.repeat(np.arange(self.leg_begin.size - 1), np.diff(self.snapshot_begin))
        sizes = np.diff(self.leg_begin)[ladder_of]
        snapshot = np.repeat(np.arange(sizes.size), sizes)
        leg = np.arange(snapshot.size) + np.repeat(self.leg_begin[ladder_of] - pointer_of(sizes)[:-1], sizes)
        known = instants(self.legs, "known_at")[leg] <= self.asof[snapshot]
        snapshot, leg = snapshot[known], leg[known]
        return snapshot, leg, self.begin[leg] + snapshot - self.snapshot_begin[self.ladder_of_leg[leg]]


def _positions(names: pa.ChunkedArray, among: pa.Array) -> Ints:
    """Where each name stands among others, -1 where it does not."""
    found = pc.fill_null(pc.index_in(names, value_set=among), -1)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _latest(quotes: pa.Table, slots: int) -> pa.Table:
    """Of the quotes of each slot the one that counts."""
    book = np.asarray(pc.equal(quotes["quote_kind"], "order_book").to_numpy(), dtype=np.bool_)
    period = np.asarray(pc.fill_null(quotes["period_minutes"], -1).to_numpy(), dtype=np.int64)
    sources = pc.unique(quotes["source"]).sort()
    # One number that orders as the three do, one after the other.
    preference = (~book * (period.max(initial=0) + 2) + period + 1) * (len(sources) + 1)
    preference += _positions(quotes["source"], sources)
    row = _latest_rows(quotes["slot"].to_numpy(), instants(quotes, "available_ts"), preference, slots)
    return quotes.take(pa.array(row[row >= 0])).combine_chunks()


@compiled
def _first_to_know(leg: Ints, at: Ints, asof: Ints, ladder_of_leg: Ints, snapshot_begin: Ints, begin: Ints) -> Ints:
    """The first slot of each quote's leg whose instant is not before the quote became known; -1 where there is none."""
    slot = np.full(leg.size, -1)
    for quote in range(leg.size):
        if leg[quote] >= 0:
            ladder = ladder_of_leg[leg[quote]]
            low, high = snapshot_begin[ladder], snapshot_begin[ladder + 1]
            while low < high:
                middle = (low + high) // 2
                if asof[middle] < at[quote]:
                    low = middle + 1
                else:
                    high = middle
            if low < snapshot_begin[ladder + 1]:
                slot[quote] = begin[leg[quote]] + low - snapshot_begin[ladder]
    return slot


@compiled
def _latest_rows(slot: Ints, at: Ints, preference: Ints, slots: int) -> Ints:
    """The row that became known last of every slot, of several that did the one of least preference; -1 without."""
    row = np.full(slots, -1)
    for quote in range(slot.size):
        held = row[slot[quote]]
        if held < 0 or at[quote] > at[held] or (at[quote] == at[held] and preference[quote] < preference[held]):
            row[slot[quote]] = quote
    return row
