"""``init``, ``status`` and ``migrate``: the warehouse, what it holds, and its schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import tell

if TYPE_CHECKING:
    from kalshi_pipeline.warehouse.freshness import Freshness

commands = typer.Typer()


@commands.command()
def init(source: SourceOption = None, as_json: JsonOption = False) -> None:
    """Create the folder and the warehouse of a source; safe to repeat."""
    from kalshi_pipeline.warehouse.migrations import migrate as apply

    settings = settings_for(source)
    settings.landing_dir.mkdir(parents=True, exist_ok=True)
    report = apply(settings.database)
    values = {
        "source": str(settings.source),
        "warehouse": settings.database,
        "landing": settings.landing_dir,
        "schema_version": report.target,
        "created": report.current == 0,
    }
    state = "created" if report.current == 0 else "was there"
    text = (
        f"The warehouse of {settings.source} {state}: {settings.database}, schema version {report.target}.\n"
        "Next: `kalshi-pipeline sync`, then `kalshi-pipeline backfill --from <day> --to <day>`."
    )
    tell(values, text, as_json=as_json)


@commands.command()
def status(source: SourceOption = None, as_json: JsonOption = False) -> None:
    """Rows per table, snapshots passed and gated, folds, freshness: what the warehouse holds now."""
    from kalshi_pipeline.account import take_account
    from kalshi_pipeline.warehouse.freshness import freshness
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        summary, fresh = take_account(con, settings), freshness(con)
    values = {
        "source": str(settings.source),
        "warehouse": settings.database,
        **asdict(summary),
        "freshness": [asdict(dataset) for dataset in fresh],
    }
    tell(values, f"{summary.text()}\n\n{_freshness_text(fresh)}", as_json=as_json)


@commands.command()
def migrate(
    source: SourceOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do it on a copy and only say what it does.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the warehouse's schema up to date; the file is backed up first, and repeating is safe."""
    from kalshi_pipeline.warehouse.migrations import migrate as apply
    from kalshi_pipeline.warehouse.migrations import migrations, rehearse

    database = settings_for(source).database
    report = rehearse(database) if dry_run else apply(database)
    lines = [f"schema version {report.current} -> {report.target}{' (on a copy)' if dry_run else ''}"]
    lines += [f"  {step.version}: {step.description}" for step in migrations() if step.version in report.applied]
    lines += [f"  {table.table}: {table.kept} rows kept, {table.quarantined} quarantined" for table in report.rebuilt]
    lines += [f"  the file as it was: {report.backup}"] * bool(report.backup)
    tell({**asdict(report), "dry_run": dry_run}, "\n".join(lines), as_json=as_json)


def _freshness_text(fresh: list[Freshness]) -> str:
    lines = ["Freshness: newest day with rows, and when the dataset was last written"]
    for dataset in fresh:
        written = f"{dataset.written_at:%Y-%m-%d %H:%M} UTC" if dataset.written_at else "never"
        lines.append(f"  {dataset.dataset:<24} {dataset.newest_day or 'none'!s:<10}  {written}")
    return "\n".join(lines)
