"""Statistics of the pieces of a flat array. Every piece is ``pointer[s]:pointer[s + 1]``."""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Bools, Floats, Ints, compiled

#: Up to so many values are put in order one by one.
FEW = 32


@compiled
def medians(pointer: Ints, values: Floats) -> Floats:
    """Median of the known (not NaN) values of each piece; NaN where none is known."""
    pieces = pointer.size - 1
    out = np.empty(pieces)
    longest = 0
    for piece in range(pieces):
        longest = max(longest, pointer[piece + 1] - pointer[piece])
    known = np.empty(longest)
    for piece in range(pieces):
        count = 0
        for index in range(pointer[piece], pointer[piece + 1]):
            value = values[index]
            if not np.isnan(value):
                if count < FEW:
                    # Every value moves up past the smaller ones, without a branch that nobody could foretell.
                    for slot in range(count):
                        smaller = min(known[slot], value)
                        value = max(known[slot], value)
                        known[slot] = smaller
                known[count] = value
                count += 1
        if count > FEW:
            known[:count].sort()
        middle = count // 2
        if count == 0:
            out[piece] = np.nan
        elif count % 2:
            out[piece] = known[middle]
        else:
            out[piece] = 0.5 * (known[middle - 1] + known[middle])
    return out


def counts(pointer: Ints, true: Bools) -> Ints:
    """How many of each piece are true."""
    running = np.concatenate(([0], np.cumsum(true, dtype=np.int64)))
    return running[pointer[1:]] - running[pointer[:-1]]


def pointer_of(sizes: Ints) -> Ints:
    """The pointer of pieces of given sizes."""
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
