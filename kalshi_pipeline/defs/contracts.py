"""Brings tables that dbt keeps between builds to the contract they have now, before the build proper."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from kalshi_pipeline.defs.resources import Dbt
from kalshi_pipeline.warehouse.contracts import Contract, broken_contracts, contracts_of
from kalshi_pipeline.warehouse.resource import Warehouse


def stated_contracts(manifest: Path) -> list[Contract]:
    """The contracts in the manifest that dbt parsed."""
    return contracts_of(json.loads(manifest.read_text(encoding="utf-8")))


def hold_contracts(
    context: dg.AssetExecutionContext, dbt: Dbt, warehouse: Warehouse, contracts: Sequence[Contract]
) -> None:
    """Rebuild the selected tables whose contract has changed since they were made, and name those not selected.

    A table that a build makes anew follows its contract by itself. One that a build keeps is made again from all its
    rows (``--full-refresh``), together with the views it reads.

    Raises:
        dg.Failure: the rows do not hold the new contract; the table is as it was.
    """
    with warehouse.read() as con:
        broken = broken_contracts(con, contracts)
    selected = {".".join(key.path) for key in context.selected_asset_keys}
    for contract, differences in broken.items():
        what = "; ".join(differences)
        if contract.table in selected:
            context.log.info(f"The contract of {contract.table} has changed, the table is rebuilt: {what}.")
        else:
            context.log.warning(
                f"{contract.table} is older than its contract, and this run does not build it: {what}. "
                "Materialise it to rebuild it."
            )
    kept = [contract for contract in broken if contract.keeps_rows and contract.table in selected]
    if kept:
        _make_again(dbt, {contract: broken[contract] for contract in kept})


def _make_again(dbt: Dbt, broken: Mapping[Contract, Sequence[str]]) -> None:
    models = [contract.model for contract in broken]
    views = [f"+{model},config.materialized:view" for model in models]
    invocation = dbt.cli(["run", "--full-refresh", "--select", " ".join(models + views)], raise_on_error=False).wait()
    results: list[Mapping[str, Any]] = []
    if (invocation.target_path / "run_results.json").exists():
        results = invocation.get_artifact("run_results.json")["results"]
    failed = {result["unique_id"]: result["message"] for result in results if result["status"] == "error"}
    if not invocation.is_successful():
        sentences = [
            f"{contract.table} cannot be rebuilt under its new contract ({'; '.join(differences)}): {message}"
            for contract, differences in broken.items()
            for node, message in failed.items()
            if node.endswith(f".{contract.model}")
        ]
        said = " ".join(sentences) or str(invocation.get_error() or "dbt could not run")
        raise dg.Failure(
            f"{said} The table is as it was; correct the rows it is built from, or the contract.", allow_retries=False
        )
    shutil.rmtree(invocation.target_path, ignore_errors=True)
