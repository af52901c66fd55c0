"""The ``kalshi-pipeline`` command: thin over the same jobs and functions that Dagster runs.

Exit codes: 0 done (or nothing to do), 1 a failure, 2 wrong usage or something named that does not exist.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kalshi_pipeline.settings import Settings, SettingsError, Source

app = typer.Typer(
    help="Kalshi's markets, quotes, candles and trades, from the exchange to walk-forward folds.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
sandbox_app = typer.Typer(help="The embedded exchange, on its own.", no_args_is_help=True)
app.add_typer(sandbox_app, name="sandbox")

_SourceOption = Annotated[str | None, typer.Option(help="sandbox, recorded:<folder>, demo or live (KALSHI_SOURCE).")]


@app.command()
def demo(source: _SourceOption = None) -> None:
    """Materialise every asset offline and show what came out."""
    from kalshi_pipeline.demo import run_demo

    result = run_demo(_settings(source), print)
    print(f"\n{result.summary.text()}\n")
    print(f"A picture of some distributions: {result.picture}")
    print(result.where_next)


@app.command()
def dev(source: _SourceOption = None) -> None:
    """Start the Dagster UI over the runs and the data of a source."""
    from kalshi_pipeline.runs import instance_home

    settings = _settings(source)
    home = instance_home(settings)
    dagster = str(Path(sys.executable).parent / "dagster")
    env = {**os.environ, "KALSHI_SOURCE": str(settings.source), "DAGSTER_HOME": str(home)}
    os.execve(dagster, [dagster, "dev"], env)


@app.command()
def status(source: _SourceOption = None) -> None:
    """Rows per table, snapshots passed and gated, folds: what the warehouse holds now."""
    from kalshi_pipeline.account import take_account
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = _settings(source)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        print(take_account(con, settings).text())


@app.command()
def migrate(source: _SourceOption = None) -> None:
    """Bring the warehouse's schema up to date; safe to repeat."""
    from kalshi_pipeline.warehouse.migrations import migrate as apply

    report = apply(_settings(source).database)
    print(f"schema version {report.current} -> {report.target}")


@sandbox_app.command()
def serve(
    source: _SourceOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8765,
) -> None:
    """Serve the embedded exchange until interrupted."""
    from kalshi_pipeline.sandbox.server import serve_forever

    settings = _settings(source)
    serve_forever(str(settings.source), seed=settings.sandbox_seed, now=settings.sandbox_now, port=port)


def main() -> None:
    """Run the command. An error of our own is one sentence on standard error; any other keeps its traceback."""
    try:
        app()
    except Exception as error:
        if not type(error).__module__.startswith("kalshi_pipeline."):
            raise
        print(f"kalshi-pipeline: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, (SettingsError, LookupError)) else 1)


def _settings(source: str | None) -> Settings:
    settings = Settings.from_env(os.environ)
    return replace(settings, source=Source.parse(source)) if source else settings
