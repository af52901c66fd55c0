"""Arrays into Arrow columns: missing is NULL, never NaN; lists of names out of yes-no matrices, without loops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints
from kalshi_pipeline.distributions.observations import NO_INSTANT

TIMESTAMP = pa.timestamp("us", tz="UTC")
_DAY = 86_400_000_000


def numbers(values: Floats, withheld: Bools | None = None) -> pa.Array:
    """Doubles; NULL where not finite or withheld."""
    missing = ~np.isfinite(values)
    return pa.array(values, mask=missing if withheld is None else missing | withheld)


def integers(values: Ints) -> pa.Array:
    """Counts and positions."""
    return pa.array(values.astype(np.int32))


def timestamps(micros: Ints) -> pa.Array:
    """Instants given in microseconds since 1970; NULL where missing."""
    return pa.array(micros, mask=micros == NO_INSTANT).cast(TIMESTAMP)


def days(micros: Ints) -> pa.Array:
    """UTC days of instants."""
    return pa.array((micros // _DAY).astype(np.int32)).cast(pa.date32())


def words(names: Sequence[str | None], codes: Ints) -> pa.Array:
    """The name of every code; NULL for -1."""
    return pa.array(list(names), type=pa.string()).take(pa.array(codes, mask=codes < 0))


def name_lists(names: Sequence[str], raised: Bools) -> pa.Array:
    """For every row of a yes-no matrix, the list of the names of its columns that are true."""
    _, column = np.nonzero(raised)
    offsets = np.concatenate(([0], np.cumsum(raised.sum(axis=1))))
    values = pa.array(list(names), type=pa.string()).take(pa.array(column))
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values)


def number_lists(pointer: Ints, values: Floats, withheld: Bools) -> pa.Array:
    """Lists of doubles by pointer; NULL in the list where not finite, NULL as a whole where withheld."""
    # A mask beside whole offsets: a missing offset would end the list before it where the next one present begins.
    return pa.ListArray.from_arrays(pa.array(pointer.astype(np.int32)), numbers(values), mask=pa.array(withheld))
