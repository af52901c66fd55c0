"""``status`` and ``migrate``: what the warehouse holds, and its schema."""

from __future__ import annotations

import typer

from kalshi_pipeline.cli.options import SourceOption, settings_for

commands = typer.Typer()


@commands.command()
def status(source: SourceOption = None) -> None:
    """Rows per table, snapshots passed and gated, folds: what the warehouse holds now."""
    from kalshi_pipeline.account import take_account
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        print(take_account(con, settings).text())


@commands.command()
def migrate(source: SourceOption = None) -> None:
    """Bring the warehouse's schema up to date; safe to repeat."""
    from kalshi_pipeline.warehouse.migrations import migrate as apply

    report = apply(settings_for(source).database)
    print(f"schema version {report.current} -> {report.target}")
