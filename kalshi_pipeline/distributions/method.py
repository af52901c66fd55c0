"""The version of the method, and how far what it publishes moved against what was published before.

Whoever changes a number that the method publishes (a rule, a kernel, the registry) changes the version, here and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.compiled import Bools, Floats
from kalshi_pipeline.distributions.observations import floats

#: Stored with every row, so that two rows can be compared only if they were made in the same way.
METHOD_VERSION = "1"

#: What a snapshot was made of; two of one instant that differ in it rest on other quotes.
_INPUTS = ("n_legs", "n_quoted", "n_two_sided", "latest_available_ts", "max_age_seconds", "median_spread")

#: Columns of published snapshots that a comparison reads.
COMPARED = ("ladder_id", "asof", "method_version", "hard_gate_failed", "mean", "std", *_INPUTS)

#: Means that differ by less than this share of themselves are the same: rounding.
_SAME = 1e-9


@dataclass
class Moves:
    """How snapshots of the same quotes differ from how they were published before, by the version that had made them.

    Attributes:
        compared: snapshots made of the same quotes.
        other_quotes: snapshots that were published before from other quotes; not compared.
        gates: snapshots that pass now and did not, or the other way round.
        means: moves of the means, in the ladder's unit.
        deviations: the same, in standard deviations as published before; NaN where there was none.
        furthest: the ladder and instant whose mean moved furthest in standard deviations, in words.
    """

    compared: int = 0
    other_quotes: int = 0
    gates: int = 0
    means: list[Floats] = field(default_factory=list)
    deviations: list[Floats] = field(default_factory=list)
    furthest: str = ""

    @property
    def moved(self) -> int:
        """How many means moved."""
        return sum(part.size for part in self.means)

    def largest(self) -> float:
        """The largest move in standard deviations; 0 where none moved."""
        return max((float(np.nanmax(part, initial=0.0)) for part in self.deviations), default=0.0)

    def median(self) -> float:
        """Median move in standard deviations over all means compared, the unmoved ones included."""
        moves = np.nan_to_num(np.concatenate(self.deviations)) if self.deviations else np.zeros(0)
        padded = np.concatenate([moves, np.zeros(max(self.compared - moves.size, 0))])
        return float(np.median(padded)) if padded.size else 0.0


@dataclass
class MethodAccount:
    """What publishing again changed, gathered over batches."""

    by_version: dict[str, Moves] = field(default_factory=dict)

    def add(self, published: pa.Table, made: pa.Table) -> None:
        """Compare snapshots with those published before, where there are any.

        Args:
            published: rows of ``research.implied_distributions`` about to be replaced, columns :data:`COMPARED`.
            made: the rows that take their place.
        """
        keys = ["ladder_id", "asof"]
        before = published.select(COMPARED).set_column(
            1, "asof", published["asof"].cast(made.schema.field("asof").type)
        )
        pairs = (
            made.select(COMPARED)
            .join(before, keys, join_type="inner", right_suffix="_before")
            .sort_by([(key, "ascending") for key in keys])
        )
        for version in pc.unique(pairs["method_version_before"]).to_pylist():
            of_version = pairs.filter(pc.equal(pairs["method_version_before"], version))
            _count(self.by_version.setdefault(version, Moves()), of_version)

    @property
    def unversioned(self) -> Moves | None:
        """What moved although the version is the same and so are the quotes; ``None`` where nothing did."""
        same = self.by_version.get(METHOD_VERSION)
        return same if same is not None and (same.moved or same.gates) else None

    @property
    def earlier(self) -> Mapping[str, Moves]:
        """What moved against rows of other versions, by version."""
        return {version: moves for version, moves in self.by_version.items() if version != METHOD_VERSION}


def _count(moves: Moves, pairs: pa.Table) -> None:
    same = np.ones(pairs.num_rows, dtype=np.bool_)
    for name in _INPUTS:
        now, before = pairs[name], pairs[f"{name}_before"].cast(pairs[name].type)
        equal = pc.or_(pc.fill_null(pc.equal(now, before), False), pc.and_(pc.is_null(now), pc.is_null(before)))
        same &= np.asarray(equal.to_numpy(), dtype=np.bool_)
    moves.compared += int(same.sum())
    moves.other_quotes += int((~same).sum())
    pairs = pairs.filter(pa.array(same))
    moves.gates += int(pc.sum(pc.not_equal(pairs["hard_gate_failed"], pairs["hard_gate_failed_before"])).as_py() or 0)
    now, before, std = floats(pairs, "mean"), floats(pairs, "mean_before"), floats(pairs, "std_before")
    move = np.abs(now - before)
    moved: Bools = move > _SAME * np.maximum(np.abs(before), 1.0)
    if not moved.any():
        return
    largest = moves.largest()
    with np.errstate(divide="ignore", invalid="ignore"):
        deviations = np.where(std > 0.0, move / std, np.nan)[moved]
    moves.means.append(move[moved])
    moves.deviations.append(deviations)
    if not moves.furthest or moves.largest() > largest:
        at = int(np.flatnonzero(moved)[np.argmax(np.nan_to_num(deviations))])
        row = pairs.slice(at, 1).to_pylist()[0]
        moves.furthest = (
            f"{row['ladder_id']} at {row['asof']:%Y-%m-%d %H:%M} UTC, from {before[at]:.6g} to {now[at]:.6g}"
        )
