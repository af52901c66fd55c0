"""Proofs by rebuilding: whatever came after an instant, and whatever order it came in, changes nothing before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import instants, moment
from kalshi_pipeline.research.proofs.comparing import differences, table_differences
from kalshi_pipeline.research.proofs.rebuild import Built, Steps, rebuild
from kalshi_pipeline.research.proofs.world import World, second

#: Ladders rebuilt for one cut: those whose instants lie closest before it.
LADDERS_PER_CUT = 6

Cut: TypeAlias = np.datetime64


@dataclass(frozen=True)
class Trial:
    """One cut through a world, with the ladders looked at and their results as the whole world gives them."""

    world: World
    ladders: pa.Array
    cut: Cut
    steps: Steps
    whole: Built

    @classmethod
    def at(cls, world: World, cut: Cut, steps: Steps, ladders: int = LADDERS_PER_CUT) -> Trial:
        """A trial of the ladders that were open last before the cut."""
        known = world.releases.filter(pa.array(instants(world.releases, "known_at") <= cut))
        distance = np.abs((instants(known, "anchor_ts") - cut).astype(np.int64))
        chosen = known["ladder_id"].take(pa.array(np.argsort(distance, kind="stable")[:ladders])).combine_chunks()
        return cls(world, chosen, cut, steps, rebuild(world, chosen, steps))

    def again(self, world: World) -> Built:
        """The same results from another world."""
        return rebuild(world, self.ladders, self.steps)


def truncation(trial: Trial, _: np.random.Generator) -> list[str]:
    """Results up to the cut are the same from the rows that were known at the cut alone."""
    return differences(trial.whole, trial.again(trial.world.truncated(trial.cut)), trial.cut)


def future_poison(trial: Trial, _: np.random.Generator) -> list[str]:
    """Results up to the cut are the same when everything after it is absurd."""
    return differences(trial.whole, trial.again(trial.world.poisoned(trial.cut)), trial.cut)


def row_order(trial: Trial, rng: np.random.Generator) -> list[str]:
    """Results are the same from the same rows in another order."""
    return differences(trial.whole, trial.again(trial.world.shuffled(rng)))


def partitions(trial: Trial, _: np.random.Generator) -> list[str]:
    """Ladders built one by one give the same rows as all together."""
    parts = [rebuild(trial.world, trial.ladders.slice(i, 1), trial.steps) for i in range(len(trial.ladders))]
    if not parts:
        return []
    joined = Built(*(pa.concat_tables(getattr(part, name) for part in parts) for name in Built._fields))
    return differences(trial.whole, joined._replace(labels=parts[0].labels))


def history_length(trial: Trial, _: np.random.Generator) -> list[str]:
    """Quotes older than the look-back change nothing."""
    asof = instants(trial.whole.distributions, "asof")
    if not asof.size:
        return []
    since = asof.min().astype("datetime64[D]").astype("datetime64[us]") - np.timedelta64(9, "D")
    recent = trial.world.quotes.filter(pa.array(instants(trial.world.quotes, "available_ts") >= since))
    shorter = trial.again(replace(trial.world, quotes=recent))
    return differences(trial.whole, shorter)


def late_arrival(trial: Trial, rng: np.random.Generator) -> list[str]:
    """A quote and a revision learned at the cut change the view from then on, and no view before."""
    legs = trial.world.legs.filter(pc.is_in(trial.world.legs["ladder_id"], value_set=trial.ladders))
    traded = legs.filter(pc.is_in(legs["ticker"], value_set=trial.world.quotes["ticker"].combine_chunks()))
    traded = traded.filter(pa.array(instants(traded, "known_at") <= trial.cut))
    told = []
    if len(traded):
        ticker = traded["ticker"][int(rng.integers(len(traded)))].as_py()
        own = trial.world.of_ladders(trial.ladders)
        late = own.with_late_quote(trial.cut, ticker)
        leg = traded.filter(pc.equal(traded["ticker"], ticker)).slice(0, 1).to_pylist()[0]
        for until, changes in ((trial.cut - second(), False), (trial.cut, True)):
            asked = pa.table(
                {"ladder_id": [leg["ladder_id"]], "asof": pa.array([moment(until)]), "snapshot_kind": ["horizon"]}
            )
            own_row = pc.equal(pc.field("leg_index"), leg["leg_index"])
            old, new = (trial.steps.join(world, asked).filter(own_row) for world in (own, late))
            columns = ["ladder_id", "asof", "leg_index", "yes_bid", "yes_ask", "available_ts"]
            found = bool(list(table_differences(old.select(columns), new.select(columns), columns[:3])))
            if found != changes and len(old):
                told.append(
                    f"a quote of {ticker} known at {moment(trial.cut)} {_verb(found)} the view at {moment(until)}"
                )
    outcomes = trial.world.outcomes
    if len(outcomes):
        event = outcomes["event_ticker"][int(rng.integers(len(outcomes)))].as_py()
        last = instants(outcomes, "learned_at").max() + second(86_400)
        revised = trial.again(trial.world.with_revision(last, event))
        told += differences(trial.whole, revised, last - second())
    return told


def _verb(found: bool) -> str:
    return "changed" if found else "did not change"


#: Proof by name.
INVARIANCES: Mapping[str, Callable[[Trial, np.random.Generator], list[str]]] = {
    "truncation": truncation,
    "future poison": future_poison,
    "row order": row_order,
    "partitions": partitions,
    "history length": history_length,
    "late arrival": late_arrival,
}


def random_cuts(world: World, count: int, horizons_minutes: Sequence[int], rng: np.random.Generator) -> list[Cut]:
    """Instants at which a leak would show: anywhere, just after a horizon, and while an outcome is awaited.

    Args:
        world: whose releases and outcomes are cut through.
        count: how many instants.
        horizons_minutes: minutes before an anchor at which results are built.
        rng: draws them.
    """
    anchors = instants(world.releases, "anchor_ts")
    if not anchors.size:
        return []
    learned = instants(world.outcomes, "learned_at")
    first, last = anchors.min() - np.timedelta64(7, "D"), anchors.max()
    found = []
    for kind in rng.integers(0, 3, count):
        if kind == 0:
            found.append(first + _part(last - first, rng))
        elif kind == 1 or not learned.size:
            horizon = np.timedelta64(int(rng.choice(np.array(horizons_minutes))), "m")
            found.append(rng.choice(anchors) - horizon + _part(np.timedelta64(1, "h"), rng))
        else:
            found.append(rng.choice(learned) - _part(np.timedelta64(1, "D"), rng))
    return found


def _part(span: np.timedelta64, rng: np.random.Generator) -> np.timedelta64:
    """Some part of a span."""
    return np.timedelta64(int(rng.random() * int(span.astype("timedelta64[us]").astype(np.int64))), "us")
