"""How a range of snapshot partitions is worked through: in chunks of whole days, with an account of what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.defs.metadata import picture
from kalshi_pipeline.distributions.snapshots import SnapshotTables
from kalshi_pipeline.report.figures import latest_distributions_picture
from kalshi_pipeline.report.snapshots import ladder_fan, ladder_heat_map, ladder_survival
from kalshi_pipeline.watching import say

#: Rows of quotes or cells held in memory at once while a range of partitions is computed.
CHUNK_ROWS = 500_000

#: Days whose instants are listed at once: a range may be of many years.
LISTED_DAYS = 62

#: Longest range whose metadata holds a picture.
PICTURED_DAYS = 31

#: Longest range whose metadata holds the close-up of a ladder.
CLOSE_UP_DAYS = 3

#: Width and height of the close-up's pictures, in inches.
_SMALL = (5.0, 3.0)


@dataclass
class SnapshotAccount:
    """What came out of a range of partitions: counts by outcome, and the newest snapshots for the picture."""

    snapshots: int = 0
    gated: Counter[str] = field(default_factory=Counter)
    passed: int = 0
    newest: SnapshotTables | None = None

    def add(self, made: SnapshotTables) -> None:
        """Count one chunk."""
        failed = made.distributions.column("hard_gate_failed").to_pylist()
        self.snapshots += len(failed)
        self.passed += failed.count(False)
        self.gated.update(
            reason for reasons in made.distributions.column("gate_reasons").to_pylist() for reason in reasons
        )
        if False in failed:
            self.newest = made

    def as_metadata(self, days: int, legs: pa.Table) -> dict[str, Any]:
        """Counts, a small picture of the latest distributions that passed, and a close-up of one ladder.

        Dagster stores a run's metadata with every partition of it, so a long range goes without pictures.

        Args:
            days: partitions of the run.
            legs: rows of ``research.ladder_legs``.
        """
        said: dict[str, Any] = {"snapshots": self.snapshots, "passed": self.passed}
        said.update({f"gated: {reason}": count for reason, count in self.gated.most_common()})
        if self.newest is not None and days <= PICTURED_DAYS:
            png = latest_distributions_picture(self.newest.distributions, self.newest.cells)
            said["latest distributions"] = picture(png, "Latest implied distributions")
        if self.newest is not None and days <= CLOSE_UP_DAYS:
            said.update(close_up(self.newest, legs))
        return said


def close_up(made: SnapshotTables, legs: pa.Table) -> dict[str, Any]:
    """Pictures of the ladder with the most snapshots that passed: belief and cells over time, the last curve."""
    passed = made.distributions.filter(pc.invert(made.distributions["hard_gate_failed"]))
    ladder, _ = Counter(passed["ladder_id"].to_pylist()).most_common(1)[0]
    last = pc.max(passed.filter(pc.equal(passed["ladder_id"], ladder))["asof"]).as_py()
    drawn = {
        "belief over time": ladder_fan(made.distributions, ladder, size=_SMALL),
        "cells over time": ladder_heat_map(made.distributions, made.cells, ladder, size=_SMALL),
        "survival curve": ladder_survival(made.cells, made.quotes, legs, ladder, last, size=_SMALL),
    }
    return {name: picture(png, f"{ladder}: {name}") for name, png in drawn.items()}


def within_observed(instants: pa.Table, until: Mapping[date, datetime]) -> pa.Table:
    """Leave out the instants of a running day that have not been observed yet: nothing can be said of them.

    Args:
        instants: snapshots to take, with ``asof`` and ``partition_date``.
        until: until when each day's quotes have been observed; a day that is not named is kept whole.
    """
    named = pc.index_in(instants["partition_date"], value_set=pa.array(until, pa.date32()))
    observed = pa.array(until.values(), instants["asof"].type).take(named)
    return instants.filter(pc.fill_null(pc.less_equal(instants["asof"], observed), True))


def day_chunks(
    instants_of: Callable[[Sequence[date]], pa.Table], days: Sequence[date], known_ladders: pa.Table
) -> Iterator[tuple[list[date], pa.Table]]:
    """Split the snapshots of some days into runs of whole days that fit in memory together; a watcher hears of each.

    Args:
        instants_of: lists the snapshots of some days; asked for at most :data:`LISTED_DAYS` at once.
        days: partition days.
        known_ladders: rows of ``research.ladders``.

    Yields:
        Days and their snapshots; together the days are exactly ``days``, those without a snapshot included.
    """
    done = 0
    for begin in range(0, len(days), LISTED_DAYS):
        listed = days[begin : begin + LISTED_DAYS]
        instants = instants_of(listed)
        ladder = pc.index_in(instants["ladder_id"], value_set=known_ladders["ladder_id"].combine_chunks())
        legs = pa.table({"day": instants["partition_date"], "legs": known_ladders["n_legs"].take(ladder)})
        rows = legs.group_by("day").aggregate([("legs", "sum")])
        by_day = dict(zip(rows["day"].to_pylist(), rows["legs_sum"].to_pylist(), strict=True))
        for chunk in runs_of_days(listed, by_day):
            yield chunk, instants.filter(pc.is_in(instants["partition_date"], pa.array(chunk, pa.date32())))
            done += len(chunk)
            say(done, len(days), "days")


def runs_of_days(days: Sequence[date], rows: Mapping[date, int]) -> Iterator[list[date]]:
    """Split days into runs that hold no more than :data:`CHUNK_ROWS` rows together, or one day each."""
    run: list[date] = []
    held = 0
    for day in days:
        if run and held + rows.get(day, 0) > CHUNK_ROWS:
            yield run
            run, held = [], 0
        run.append(day)
        held += rows.get(day, 0)
    if run:
        yield run
