"""Holding two builds of the same results against each other, row by row and column by column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import instants
from kalshi_pipeline.research.proofs.rebuild import KEYS, Built

#: Differences told of one table; the rest is more of the same.
_TOLD = 3


def differences(before: Built, after: Built, cut: np.datetime64 | None = None) -> list[str]:
    """Where two builds disagree on results that may look no further than ``cut``; exactly, not nearly.

    Args:
        before: one build.
        after: the other.
        cut: results of later instants are left out; ``None`` compares all.
    """
    told: list[str] = []
    for name, (keys, until) in KEYS.items():
        one, other = (_past(getattr(built, name), until, cut) for built in (before, after))
        told += [f"{name}: {difference}" for difference in table_differences(one, other, keys)]
    return told


def table_differences(one: pa.Table, other: pa.Table, keys: Sequence[str]) -> Iterator[str]:
    """Rows that only one of two tables holds, and columns in which rows of one key differ; the first few of each."""
    one, other = (table.sort_by([(key, "ascending") for key in keys]).combine_chunks() for table in (one, other))
    names, others = (list(map(str, table.select(list(keys)).to_pylist())) for table in (one, other))
    if names != others:
        lacking = sorted(set(names) - set(others))[:_TOLD]
        added = sorted(set(others) - set(names))[:_TOLD]
        gone, new = ", ".join(lacking) or "none", ", ".join(added) or "none"
        yield f"{len(names)} rows became {len(others)}; gone {gone}; new {new}"
        return
    for name in one.column_names:
        if not one[name].equals(other[name].cast(one[name].type)):
            left, right = one[name].to_pylist(), other[name].to_pylist()
            rows = [row for row, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
            for row in rows[:_TOLD]:
                yield f"{name} of {names[row]} was {left[row]} and became {right[row]}"


def _past(table: pa.Table, until: str, cut: np.datetime64 | None) -> pa.Table:
    return table if cut is None else table.filter(pc.fill_null(pa.array(instants(table, until) <= cut), False))
