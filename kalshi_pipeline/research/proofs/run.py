"""All proofs over one world: how many trials each had, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.research.columns import instants
from kalshi_pipeline.research.proofs.audits import AUDITS
from kalshi_pipeline.research.proofs.comparing import table_differences
from kalshi_pipeline.research.proofs.invariance import INVARIANCES, Trial, random_cuts
from kalshi_pipeline.research.proofs.joins import quote_activity, quotes_as_of
from kalshi_pipeline.research.proofs.rebuild import Steps
from kalshi_pipeline.research.proofs.world import World

#: Failures told of one proof.
_TOLD = 5

_JOINED = ("ladder_id", "asof", "leg_index", "available_ts", "yes_bid", "yes_ask", "last_price", "quote_kind")


@dataclass(frozen=True)
class ProofResult:
    """What came of one proof.

    Attributes:
        name: the proof.
        trials: how often it was tried.
        failed: trials that failed.
        failures: the first of what they found.
    """

    name: str
    trials: int
    failed: int
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no trial failed."""
        return not self.failed

    def text(self) -> str:
        """One line, and the failures below it."""
        lines = [f"{self.name}: {self.trials} trials, {self.failed} failed", *(f"  {said}" for said in self.failures)]
        return "\n".join(lines)


def prove_cuts(
    world: World,
    cuts: int,
    *,
    seed: int,
    steps: Steps | None = None,
    stored: pa.Table | None = None,
    proofs: Mapping[str, Callable[[Trial, np.random.Generator], list[str]]] | None = None,
) -> list[ProofResult]:
    """Rebuild a world around random cuts, and try every proof at each.

    Args:
        world: the data.
        cuts: how many instants.
        seed: of the generator that draws them.
        steps: how results are built; production's by default.
        stored: rows of ``research.implied_distributions`` to hold against what is rebuilt, if any.
        proofs: the proofs to try; all of them by default.
    """
    rng = np.random.default_rng(seed)
    tried: dict[str, list[list[str]]] = {}
    steps = steps or Steps()
    for cut in random_cuts(world, cuts, steps.rules.horizons_minutes, rng):
        trial = Trial.at(world, cut, steps)
        for name, proof in (INVARIANCES if proofs is None else proofs).items():
            tried.setdefault(name, []).append(proof(trial, rng))
        if proofs is None:
            tried.setdefault("as-of joins", []).append(joins_agree(trial))
        if stored is not None:
            tried.setdefault("stored rows", []).append(stored_as_rebuilt(trial, stored))
    return [_result(name, found) for name, found in tried.items()]


def audit(tables: Mapping[str, pa.Table]) -> list[ProofResult]:
    """Try every audit on stored tables; a trial is a table looked through."""
    return [_result(name, [check(tables)]) for name, check in AUDITS.items()]


def joins_agree(trial: Trial) -> list[str]:
    """The joins of production give what a search through single rows gives."""
    own = trial.world.of_ladders(trial.ladders)
    wanted = trial.whole.distributions.select(["ladder_id", "asof", "snapshot_kind"])
    told = []
    mine, searched = trial.steps.join(own, wanted), quotes_as_of(own, wanted)
    told += list(table_differences(searched.select(_JOINED), mine.select(_JOINED), _JOINED[:3]))
    counts = ("ladder_id", "asof", "updates", "active_markets")
    mine, searched = trial.steps.activity(own, wanted, 24), quote_activity(own, wanted, 24)
    return told + list(table_differences(searched.select(counts), mine.select(counts), counts[:2]))


def stored_as_rebuilt(trial: Trial, stored: pa.Table) -> list[str]:
    """Stored snapshots are those that the rows known at their instant give."""
    names = [name for name in trial.whole.distributions.column_names if name not in ("snapshot_kind", "partition_date")]
    own = stored.filter(pc.is_in(stored["ladder_id"], value_set=trial.ladders)).select(names)
    held, made = _keys(own), _keys(trial.whole.distributions)
    rebuilt = trial.whole.distributions.select(names).filter(pa.array([key in set(held) for key in made], pa.bool_()))
    own = own.filter(pa.array([key in set(made) for key in held], pa.bool_()))
    return list(table_differences(rebuilt, own, ("ladder_id", "asof")))


def _keys(table: pa.Table) -> list[tuple[str, np.datetime64]]:
    return list(zip(table["ladder_id"].to_pylist(), instants(table, "asof").tolist(), strict=True))


def _result(name: str, found: list[list[str]]) -> ProofResult:
    told = [said for trial in found for said in trial]
    return ProofResult(name, len(found), sum(bool(trial) for trial in found), tuple(told[:_TOLD]))
