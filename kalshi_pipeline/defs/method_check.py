"""The check that a changed method shows: what publishing a day again moved, by the version that had published it."""

import dagster as dg

from kalshi_pipeline.defs.checks import asset_key
from kalshi_pipeline.distributions.method import METHOD_VERSION, MethodAccount, Moves
from kalshi_pipeline.schemas.distributions import IMPLIED_DISTRIBUTIONS

METHOD_CHECK = "method"


def method_check() -> dg.AssetCheckSpec:
    """The check's specification; it runs inside the asset, which alone sees old and new rows side by side."""
    return dg.AssetCheckSpec(
        name=METHOD_CHECK,
        asset=asset_key(IMPLIED_DISTRIBUTIONS),
        description=(
            "Snapshots published again from the same quotes are compared with the rows they replace. It fails where "
            "they differ under the same method_version, and warns how far the means moved under another one."
        ),
    )


def method_result(account: MethodAccount) -> dg.AssetCheckResult:
    """What the comparison found."""
    unversioned = account.unversioned
    sentences = [
        f"Since version {version}: {_said(moves)}."
        for version, moves in account.earlier.items()
        if moves.moved or moves.gates
    ]
    if unversioned:
        sentences.insert(
            0,
            f"The same quotes gave other numbers under version {METHOD_VERSION}: {_said(unversioned)}. "
            "Change METHOD_VERSION in distributions/method.py with the method.",
        )
    return dg.AssetCheckResult(
        check_name=METHOD_CHECK,
        asset_key=asset_key(IMPLIED_DISTRIBUTIONS),
        passed=not sentences,
        severity=dg.AssetCheckSeverity.ERROR if unversioned else dg.AssetCheckSeverity.WARN,
        description=" ".join(sentences) or None,
        metadata={
            f"version {version}: {name}": value
            for version, moves in account.by_version.items()
            for name, value in _figures(moves).items()
        },
    )


def _said(moves: Moves) -> str:
    return (
        f"{moves.moved} of {moves.compared} means moved, by up to {moves.largest():.3g} standard deviations "
        f"({moves.furthest}), and {moves.gates} snapshot(s) passed or failed instead"
    )


def _figures(moves: Moves) -> dict[str, float]:
    return {
        "compared": moves.compared,
        "of other quotes": moves.other_quotes,
        "means moved": moves.moved,
        "median move in standard deviations": moves.median(),
        "largest move in standard deviations": moves.largest(),
        "gates changed": moves.gates,
    }
