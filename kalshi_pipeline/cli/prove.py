"""``prove``: whether anything in a warehouse looked ahead."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import tell

commands = typer.Typer()


@commands.command()
def prove(
    source: SourceOption = None,
    cuts: Annotated[int, typer.Option(min=0, help="Random instants around which results are built again.")] = 25,
    seed: Annotated[int, typer.Option(help="Of the instants: the same seed draws the same ones.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Prove on your own data that no result depends on anything that came after it."""
    from kalshi_pipeline.proving import NothingToProve, keep_record
    from kalshi_pipeline.proving import prove as prove_warehouse
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        try:
            results = prove_warehouse(con, settings, cuts=cuts, seed=seed)
        except NothingToProve as nothing:
            tell({"proofs": [], "failed": []}, str(nothing), as_json=as_json)
            return
    keep_record(settings, results, cuts=cuts, seed=seed)
    failed = [result.name for result in results if not result.passed]
    said = f"Failed: {', '.join(failed)}." if failed else "Nothing looked ahead."
    lines = [result.text() for result in results]
    tell(
        {"proofs": [asdict(result) for result in results], "failed": failed}, "\n".join([*lines, said]), as_json=as_json
    )
    raise typer.Exit(1 if failed else 0)
