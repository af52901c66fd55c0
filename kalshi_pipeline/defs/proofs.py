"""The proofs as asset checks: on the user's own data, every week, and whenever somebody asks."""

from collections.abc import Iterator

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.proving import prove
from kalshi_pipeline.research.proofs.audits import AUDITS
from kalshi_pipeline.research.proofs.invariance import INVARIANCES
from kalshi_pipeline.schemas.distributions import IMPLIED_DISTRIBUTIONS
from kalshi_pipeline.schemas.evaluation import RIDGE_FITS
from kalshi_pipeline.schemas.research import EVENT_FEATURE_PANEL, EVENT_LABELS, WALKFORWARD_FOLDS
from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.resource import Warehouse

#: Proof -> the table whose page shows it; what is not named here stands with the event panel.
_TABLE_OF: dict[str, Table] = {
    "as-of joins": IMPLIED_DISTRIBUTIONS,
    "stored rows": IMPLIED_DISTRIBUTIONS,
    "outcomes not before they were learned": EVENT_LABELS,
    "labels are first prints": EVENT_LABELS,
    "folds learn before they are tested": WALKFORWARD_FOLDS,
    "fits learn from training alone": RIDGE_FITS,
}
_PROOFS = (*INVARIANCES, *_TABLE_OF, *(name for name in AUDITS if name not in _TABLE_OF))


def _spec(name: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=name.replace(" ", "_").replace("-", "_"),
        asset=asset_key(_TABLE_OF.get(name, EVENT_FEATURE_PANEL)),
        description=f"Proof that nothing looked ahead: {name}.",
    )


_SPECS = {name: _spec(name) for name in _PROOFS}


class ProofConfig(dg.Config):
    """How thoroughly to prove.

    Attributes:
        cuts: random instants around which results are built again.
        seed: of the instants; 0 takes another one in every run.
    """

    cuts: int = 25
    seed: int = 0


@dg.multi_asset_check(name="proofs", specs=list(_SPECS.values()))
def proofs(
    context: dg.AssetCheckExecutionContext,
    config: ProofConfig,
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> Iterator[dg.AssetCheckResult]:
    """Rebuild results around random instants, look through stored rows, fit again without the tests."""
    seed = config.seed or int(context.run.run_id.replace("-", "")[:8], 16)
    with warehouse.read() as con:
        results = {result.name: result for result in prove(con, settings, cuts=config.cuts, seed=seed)}
    for name, spec in _SPECS.items():
        found = results.get(name)
        failures = list(found.failures) if found else []
        yield dg.AssetCheckResult(
            check_name=spec.name,
            asset_key=spec.asset_key,
            passed=found is None or found.passed,
            metadata={"trials": found.trials if found else 0, "seed": seed, "failures": failures},
        )


#: The checks by key, for the job that runs them and the jobs that do not.
PROOF_CHECKS = dg.AssetSelection.checks(*(spec.key for spec in _SPECS.values()))
