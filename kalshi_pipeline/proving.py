"""The proofs over a warehouse: reads what they need, gives them production's own joins, and runs them."""

from __future__ import annotations

import duckdb

from kalshi_pipeline.research.cases import build_cases
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.proofs.fits import fits_learn_from_training_alone
from kalshi_pipeline.research.proofs.rebuild import Steps
from kalshi_pipeline.research.proofs.run import ProofResult, audit, prove_cuts
from kalshi_pipeline.research.proofs.world import World
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.forecasting import passed_cells, passed_quotes
from kalshi_pipeline.warehouse.proving import joins_in_memory, tables_to_prove

#: Cuts of a run that names none: a minute's work, on a schedule.
DEFAULT_CUTS = 25


def prove(
    con: duckdb.DuckDBPyConnection, settings: Settings, *, cuts: int = DEFAULT_CUTS, seed: int = 1
) -> list[ProofResult]:
    """Prove on the data of a warehouse that nothing looked ahead.

    Args:
        con: an open warehouse.
        settings: whose horizons are looked at.
        cuts: random instants around which results are rebuilt.
        seed: of the instants.

    Returns:
        One result per proof: those at the cuts, those on stored rows, and that of the fitted models.
    """
    tables = tables_to_prove(con)
    world = World(*(tables[name] for name in ("quotes", "ladders", "legs", "releases", "outcomes", "first_prints")))
    cases = build_cases(tables["panel"], tables["labels"], tables["ladders"], passed_cells(con), passed_quotes(con))
    with joins_in_memory() as joins:
        steps = Steps(
            join=lambda world, wanted: joins.observations(world.quotes, world.legs, wanted),
            activity=lambda world, wanted, hours: joins.activity(world.quotes, world.legs, wanted, hours),
            rules=FoldRules(settings.horizons_minutes),
        )
        results = prove_cuts(world, cuts, seed=seed, steps=steps, stored=tables["distributions"])
    fitted = fits_learn_from_training_alone(tables["panel"], tables["labels"], tables["folds"], cases)
    return [
        *results,
        *audit(tables),
        ProofResult("fits learn from training alone", 1, int(bool(fitted)), tuple(fitted[:5])),
    ]
