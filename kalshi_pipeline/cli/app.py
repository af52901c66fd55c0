"""The command put together from its groups, and how an error ends it."""

from __future__ import annotations

import sys

import typer

from kalshi_pipeline.cli import (
    demo,
    dictionary,
    files,
    ingestion,
    prove,
    report,
    results,
    retention,
    sandbox,
    ui,
    verify,
    warehouse,
)
from kalshi_pipeline.cli.output import note
from kalshi_pipeline.settings import SettingsError

app = typer.Typer(
    name="kalshi-pipeline",
    help="Kalshi's markets, quotes, candles and trades, from the exchange to walk-forward folds.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for group in (demo, ui, ingestion, warehouse, files, verify, retention, report, prove, results, dictionary):
    app.add_typer(group.commands)
app.add_typer(sandbox.commands, name="sandbox")


def main() -> None:
    """Run the command. An error of our own is one sentence on standard error; any other keeps its traceback."""
    try:
        app()
    except Exception as error:
        if not type(error).__module__.startswith("kalshi_pipeline."):
            raise
        note(f"kalshi-pipeline: {error}")
        sys.exit(exit_code(error))


def exit_code(error: Exception) -> int:
    """2 where the user named something that does not exist or cannot be used, 1 for every other failure."""
    from kalshi_pipeline.runs import NOT_FOUND

    unusable = isinstance(error, SettingsError) or type(error).__name__ in NOT_FOUND
    return 2 if unusable or getattr(error, "not_found", False) else 1
