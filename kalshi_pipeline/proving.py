"""The proofs over a warehouse: reads what they need, gives them production's own joins, and runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from kalshi_pipeline.distributions.asof import observations_as_of
from kalshi_pipeline.research.cases import build_cases
from kalshi_pipeline.research.fold_rules import FoldRules
from kalshi_pipeline.research.proofs.fits import fits_learn_from_training_alone
from kalshi_pipeline.research.proofs.rebuild import Steps
from kalshi_pipeline.research.proofs.run import ProofResult, audit, prove_cuts
from kalshi_pipeline.research.proofs.world import World
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.bookkeeping import row_counts
from kalshi_pipeline.warehouse.forecasting import passed_cells, passed_quotes
from kalshi_pipeline.warehouse.proving import joins_in_memory, tables_to_prove

#: Cuts of a run that names none: a minute's work, on a schedule.
DEFAULT_CUTS = 25


class NothingToProve(RuntimeError):
    """The tables that the proofs read have not been built yet; the message names the remedy."""


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

    Raises:
        NothingToProve: no day has gone through the models yet.
    """
    if not {"marts.quotes", "marts.event_outcomes"} <= row_counts(con).keys():
        raise NothingToProve("Nothing to prove yet: fill some days first, with `kalshi-pipeline backfill`.")
    tables = tables_to_prove(con)
    world = World(*(tables[name] for name in ("quotes", "ladders", "legs", "releases", "outcomes", "first_prints")))
    cases = build_cases(tables["panel"], tables["labels"], tables["ladders"], passed_cells(con), passed_quotes(con))
    with joins_in_memory() as joins:
        steps = Steps(
            join=lambda world, wanted: observations_as_of(world.legs, wanted, joins.quotes(world.quotes, world.legs)),
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


def proofs_path(settings: Settings) -> Path:
    """Where the record of the last proofs of a source lies."""
    return settings.source_dir / "proofs.json"


def keep_record(settings: Settings, results: Sequence[ProofResult], *, cuts: int, seed: int) -> None:
    """Keep what came of proofs beside the warehouse, for the report; the last record replaces the one before.

    A file and not a table: proving reads for minutes, and must not make a writer of the file wait for that.
    """
    record = {
        "proved_at": datetime.now(UTC),
        "cuts": cuts,
        "seed": seed,
        "proofs": [asdict(result) for result in results],
    }
    proofs_path(settings).write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))


def last_record(settings: Settings) -> dict[str, Any] | None:
    """The record of the last proofs, as :func:`keep_record` keeps it; ``None`` where nothing was proved yet."""
    path = proofs_path(settings)
    if not path.exists():
        return None
    record: dict[str, Any] = orjson.loads(path.read_bytes())
    return {**record, "proved_at": datetime.fromisoformat(record["proved_at"])}
