"""The command put together from its groups, and how an error ends it."""

from __future__ import annotations

import sys

import typer

from kalshi_pipeline.cli import demo, sandbox, ui, warehouse
from kalshi_pipeline.settings import SettingsError

app = typer.Typer(
    name="kalshi-pipeline",
    help="Kalshi's markets, quotes, candles and trades, from the exchange to walk-forward folds.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for group in (demo, ui, warehouse):
    app.add_typer(group.commands)
app.add_typer(sandbox.commands, name="sandbox")


def main() -> None:
    """Run the command. An error of our own is one sentence on standard error; any other keeps its traceback."""
    try:
        app()
    except Exception as error:
        if not type(error).__module__.startswith("kalshi_pipeline."):
            raise
        print(f"kalshi-pipeline: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, (SettingsError, LookupError)) else 1)
