"""The proofs as asset checks: on the user's own data, every week, and whenever somebody asks."""

from collections.abc import Iterator

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.proving import keep_record, prove
from kalshi_pipeline.research.proofs.audits import AUDITS
from kalshi_pipeline.research.proofs.invariance import INVARIANCES
from kalshi_pipeline.schemas.distributions import IMPLIED_DISTRIBUTIONS
from kalshi_pipeline.schemas.evaluation import RIDGE_FITS
from kalshi_pipeline.schemas.research import EVENT_FEATURE_PANEL, WALKFORWARD_FOLDS
from kalshi_pipeline.settings import Settings
from kalshi_pipeline.warehouse.resource import Warehouse

#: What the proofs are shown on: an asset of its own that no run makes, because checks run with the asset they belong
#: to, and minutes of proofs must not follow every materialisation of a table.
PROVEN = dg.AssetSpec(
    ["research", "proofs"],
    deps=[asset_key(table) for table in (IMPLIED_DISTRIBUTIONS, EVENT_FEATURE_PANEL, WALKFORWARD_FOLDS, RIDGE_FITS)],
    group_name="research",
    owners=["team:research"],
    description="Proofs that nothing looked ahead, on the data there is: the checks of this page, by the job `proofs`.",
)
_PROOFS = (*INVARIANCES, "as-of joins", "stored rows", *AUDITS, "fits learn from training alone")
_SPECS = {
    name: dg.AssetCheckSpec(
        name=name.replace(" ", "_").replace("-", "_"),
        asset=PROVEN.key,
        description=f"Proof that nothing looked ahead: {name}.",
    )
    for name in _PROOFS
}


class ProofConfig(dg.Config):
    """How thoroughly to prove.

    Attributes:
        cuts: random instants around which results are built again.
        seed: of the instants; 0 takes another one in every run.
    """

    cuts: int = 25
    seed: int = 0


@dg.multi_asset_check(name="look_ahead", specs=list(_SPECS.values()))
def proofs(
    context: dg.AssetCheckExecutionContext,
    config: ProofConfig,
    settings: dg.ResourceParam[Settings],
    warehouse: Warehouse,
) -> Iterator[dg.AssetCheckResult]:
    """Rebuild results around random instants, look through stored rows, fit again without the tests."""
    seed = config.seed or int(context.run.run_id.replace("-", "")[:8], 16)
    with warehouse.read() as con:
        proved = prove(con, settings, cuts=config.cuts, seed=seed)
    keep_record(settings, proved, cuts=config.cuts, seed=seed)
    results = {result.name: result for result in proved}
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
